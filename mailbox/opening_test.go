package mailbox_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// sealedLetter seals a letter as a delivery does: one body, a key for each box.
func sealedLetter(t *testing.T, body string, boxes []holder) ([]mailbox.Delivery, mailbox.Body) {
	t.Helper()
	k, id := seal.NewSessionKey(), mailbox.BodyID(identity.NewID())
	var sealed bytes.Buffer
	w := seal.NewBodyWriter(&sealed, k, string(id))
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := mailbox.Summary{Head: []byte(head), Structure: walk(t, []byte(body)), Preview: "first"}
	var out []mailbox.Delivery
	for _, h := range boxes {
		public, err := seal.ParsePublicKey(h.LettersKey)
		if err != nil {
			t.Fatal(err)
		}
		d := mailbox.Delivery{ID: mailbox.MessageID(identity.NewID()), Box: h.ID, Body: id, Size: int64(len(head) + len(body))}
		if d.Key, err = public.Wrap(k, string(id)); err != nil {
			t.Fatal(err)
		}
		if d.Record, err = mailbox.SealSummary(k, d.ID, s); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out, mailbox.Body{
		ID: id, Plain: int64(len(body)), Sealed: int64(sealed.Len()), Inline: sealed.Bytes(), Refs: int64(len(boxes)),
	}
}

// opened opens a letter's row with the keys of its box, and re-wraps its key.
func (w *world) opened(h holder, folder mailbox.FolderID, m mailbox.Message) string {
	w.t.Helper()
	var k seal.SessionKey
	var err error
	switch m.KeyForm {
	case mailbox.ToLetters:
		if k, err = h.ring.Unwrap(m.Key, string(m.Body)); err != nil {
			w.t.Fatal(err)
		}
		fast, err := h.ring.Rewrap(k, string(m.ID))
		if err != nil {
			w.t.Fatal(err)
		}
		w.write(func(tx *store.Tx) error {
			return mailbox.Rewrap(tx, folder, []mailbox.Rewrapped{{UID: m.UID, ID: m.ID, Key: fast}})
		})
	case mailbox.UnderSpace:
		if k, err = h.ring.UnwrapFast(m.Key, string(m.ID)); err != nil {
			w.t.Fatal(err)
		}
	}
	s, err := mailbox.OpenSummary(k, m.ID, m.Record)
	if err != nil {
		w.t.Fatal(err)
	}
	var b mailbox.Body
	w.read(func(tx *store.Tx) (err error) {
		b, err = mailbox.OpenBody(tx, m.Body)
		return err
	})
	r, err := seal.NewBodyReader(bytes.NewReader(b.Inline), b.Sealed, b.Plain, k, string(m.Body))
	if err != nil {
		w.t.Fatal(err)
	}
	l := mailbox.NewLetter(s, r)
	got, err := io.ReadAll(l.Reader(letter.Range{Start: 0, End: l.Size()}))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(got)
}

// One body for two boxes, copied, re-wrapped and moved: every row opens to the
// same octets, with its own box's keys.
func TestALetterOpensInEveryBoxAndPlace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		boxes := w.boxes(2)
		deliveries, body := sealedLetter(t, nested, boxes)
		w.write(func(tx *store.Tx) error {
			for _, d := range deliveries {
				if _, err := mailbox.Deliver(tx, d); err != nil {
					return err
				}
			}
			return mailbox.AddBody(tx, body)
		})
		for _, h := range boxes {
			archive := w.folder(h, "Archive").ID
			w.write(func(tx *store.Tx) error { // before the first opening
				_, err := mailbox.Copy(tx, h.Inbox, archive, mailbox.All())
				return err
			})
			for range 2 {
				if got := w.opened(h, h.Inbox, w.messages(h.Inbox)[0]); got != head+nested {
					t.Fatalf("opened %q", got)
				}
			}
			w.write(func(tx *store.Tx) error { // after it
				if _, err := mailbox.Copy(tx, h.Inbox, archive, mailbox.All()); err != nil {
					return err
				}
				_, err := mailbox.Move(tx, h.Inbox, archive, mailbox.All())
				return err
			})
			rows := w.messages(archive)
			if len(rows) != 3 || rows[0].KeyForm != mailbox.ToLetters || rows[1].KeyForm != mailbox.UnderSpace {
				t.Fatalf("%d rows", len(rows))
			}
			for _, m := range rows {
				if got := w.opened(h, archive, m); got != head+nested {
					t.Errorf("UID %d opened %q", m.UID, got)
				}
			}
		}
	})
}
