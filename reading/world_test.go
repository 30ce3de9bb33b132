package reading_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

const (
	anne = "anne@" + deliverytest.Hospital
	bob  = "bob@" + deliverytest.City
	ruth = "ruth@" + deliverytest.Patients
	paul = "paul@" + deliverytest.Patients
)

// world is an operator with a reading room, a professional and two patients.
type world struct {
	*deliverytest.Operator
	t                *testing.T
	room             *reading.Room
	anne, ruth, paul deliverytest.Holder
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{Operator: deliverytest.New(t, db, deliverytest.Options{}), t: t}
	w.room = reading.New(reading.Parts{
		DB: db, Blobs: w.Blobs, Works: w.Works, Office: w.Office, SpoolDir: t.TempDir(),
		Log: slog.New(slog.NewJSONHandler(w.Log, nil)),
	})
	w.anne, w.ruth, w.paul = w.Open(mailbox.PER, anne), w.Open(mailbox.Patient, ruth), w.Open(mailbox.Patient, paul)
	return w
}

// reader is the holder of a box with its keys, as a session has them.
func (w *world) reader(h deliverytest.Holder) reading.Reader {
	w.t.Helper()
	keys := w.Ring(h)
	w.t.Cleanup(keys.Zero)
	by := reading.Reader{Name: "Ruth Deux", Box: h.Box, Keys: keys, Via: "web", Conn: "web-1"}
	w.Read(func(tx *store.Tx) error {
		all, err := account.Holders(tx, account.BoxID(h.ID))
		if err != nil {
			return err
		}
		by.By = identity.Principal{Person: all[0].Person, Pseudonym: account.Pseudonym(w.Works, all[0].Person), Role: "professional"}
		if h.Kind == mailbox.Patient {
			by.By.Role = "patient"
		}
		return nil
	})
	return by
}

// submit sends a letter from Anne to somebody.
func (w *world) submit(text string, to ...string) {
	w.t.Helper()
	if err := deliverytest.Send(w.Submit(w.anne), anne, to, text); err != nil {
		w.t.Fatal(err)
	}
}

// arrive has a letter come from the city's operator.
func (w *world) arrive(text string, to ...string) {
	w.t.Helper()
	if err := deliverytest.Send(w.Peer(deliverytest.City), bob, to, text); err != nil {
		w.t.Fatal(err)
	}
}

// newest is the newest line of a box's inbox.
func (w *world) newest(by reading.Reader) reading.Line {
	w.t.Helper()
	lines, err := w.room.Letters(w.t.Context(), by, by.Box.Inbox, 0, 1)
	if err != nil || len(lines) != 1 {
		w.t.Fatalf("%d lines, %v", len(lines), err)
	}
	return lines[0]
}

// open opens a letter, which must succeed.
func (w *world) open(by reading.Reader, id mailbox.MessageID) *reading.Letter {
	w.t.Helper()
	l, err := w.room.Letter(w.t.Context(), by, id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = l.Close() })
	return l
}

// history is what a patient sees of accesses.
func (w *world) history(by reading.Reader) []dmp.Access {
	w.t.Helper()
	all, _, err := w.room.Accesses(w.t.Context(), by, "", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// file puts a document into a patient's vault.
func (w *world) file(h deliverytest.Holder, title, content string) dmp.DocumentID {
	w.t.Helper()
	var public []byte
	w.Read(func(tx *store.Tx) (err error) {
		public, err = mailbox.VaultKey(tx, h.Space)
		return err
	})
	key, err := seal.ParsePublicKey(public)
	if err != nil {
		w.t.Fatal(err)
	}
	v := dmp.Vault{Space: dmp.SpaceID(h.Space), Key: key, Works: w.Works, Blobs: w.Blobs}
	sealed, err := v.Seal(w.t.Context(), dmp.Document{
		UniqueID: "1.2.3." + identity.NewID(), Title: title, MIME: "text/plain",
		Type: dmp.Code{Code: "34133-9", System: "2.16.840.1.113883.6.1"},
	}, dmp.Origin{Kind: dmp.ByDepot, From: bob}, strings.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	w.Write(func(tx *store.Tx) error {
		_, err := dmp.File(tx, []*dmp.Sealed{sealed})
		return err
	})
	return sealed.ID()
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}

func all(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// crlf writes a letter with its line ends.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
