package mailbox_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// world is an operator with its keys.
type world struct {
	t        testing.TB
	db       *store.DB
	platform seal.Platform
	works    *seal.Works
}

// holder is a box with its open keys.
type holder struct {
	mailbox.Box
	ring *seal.Keyring
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	p, err := seal.KeyFile(filepath.Join(t.TempDir(), "platform.key"))
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := seal.NewWorks(p)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, db, p, w}
}

// write runs fn in a transaction that must succeed.
func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// read runs fn on a snapshot; it must succeed.
func (w *world) read(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// box makes a box; change, if any, has the last word on how.
func (w *world) box(address string, kind mailbox.Kind, change func(*mailbox.NewBox)) holder {
	w.t.Helper()
	a, err := identity.ParseAddress(address)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := mailbox.NewKeys(w.platform, kind)
	if err != nil {
		w.t.Fatal(err)
	}
	b := mailbox.NewBox{Kind: kind, Address: a, Name: "Dr_Anne_MARTIN", Keys: keys}
	if change != nil {
		change(&b)
	}
	var made mailbox.Box
	w.write(func(tx *store.Tx) (err error) {
		made, err = mailbox.Create(tx, w.works, b)
		return err
	})
	return holder{made, keys.Ring}
}

// boxes makes n boxes with addresses of their own.
func (w *world) boxes(n int) []holder {
	out := make([]holder, n)
	for i := range out {
		out[i] = w.box(fmt.Sprintf("box%d@hospital.example", i), mailbox.PER, nil)
	}
	return out
}

// letterFor is a delivery with a body of its own; nothing in it is really sealed.
func letterFor(box mailbox.BoxID, size int64) (mailbox.Delivery, mailbox.Body) {
	body := mailbox.Body{ID: mailbox.BodyID(identity.NewID()), Plain: size - 10, Sealed: size, Inline: []byte("sealed body"), Refs: 1}
	return mailbox.Delivery{
		ID: mailbox.MessageID(identity.NewID()), Box: box, Body: body.ID, Size: size,
		Key: []byte("wrapped key"), Record: []byte("sealed summary"), Outcome: "delivered",
	}, body
}

// deliver places one letter in a folder, the inbox if empty.
func (w *world) deliver(box mailbox.BoxID, folder mailbox.FolderID, flags mailbox.Flags) mailbox.Placed {
	w.t.Helper()
	d, body := letterFor(box, 100)
	d.Folder, d.Flags = folder, flags
	var placed mailbox.Placed
	w.write(func(tx *store.Tx) (err error) {
		if placed, err = mailbox.Deliver(tx, d); err != nil {
			return err
		}
		return mailbox.AddBody(tx, body)
	})
	return placed
}

// view reads a folder.
func (w *world) view(id mailbox.FolderID) (v mailbox.View) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) {
		v, err = mailbox.ReadView(tx, id)
		return err
	})
	return v
}

// folder returns a folder of a box by its name.
func (w *world) folder(h holder, name string) (f mailbox.Folder) {
	w.t.Helper()
	w.read(func(tx *store.Tx) (err error) {
		f, err = mailbox.FolderByName(tx, h.ring, h.ID, name)
		return err
	})
	return f
}
