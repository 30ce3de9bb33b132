package reading

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Parts are the things a reading room works with; all but SpoolDir are required.
type Parts struct {
	DB    *store.DB
	Blobs blob.Store
	Works *seal.Works
	// Office sends the receipts that senders asked for.
	Office *delivery.Office
	Log    *slog.Logger
	// SpoolDir is where decoded attachments lie, encrypted, while they are read;
	// empty is the system's folder.
	SpoolDir string
}

// Room is where letters and documents are opened, safe for concurrent use.
type Room struct {
	Parts
	book    *outcome.Book
	visited consultations
	clock   func() time.Time // of consultations
}

// New returns a reading room.
func New(p Parts) *Room { return &Room{Parts: p, book: outcome.NewBook(p.Works), clock: time.Now} }

// Reader is who opens something, in which box, with which released keys.
type Reader struct {
	By identity.Principal
	// Name is what the history of accesses shows; empty is the box's own name.
	Name string
	Box  mailbox.Box
	// Keys are of the box's space.
	Keys *seal.Keyring
	// Via is the door: "imap", "web".
	Via string
	// Conn names the connection or request in logs.
	Conn string
	// Remote is where it comes from, zero for unknown.
	Remote netip.Addr
}

// May decides on an act that somebody else carries out, in the transaction that does.
// It fails as [Decide] does.
func (r *Room) May(tx *store.Tx, by Reader, act Act) error { return r.decide(tx, by, act) }

// decide reads what a decision rests on, and decides.
func (r *Room) decide(tx *store.Tx, by Reader, act Act) error {
	box, err := mailbox.ByID(tx, nil, by.Box.ID)
	if err != nil {
		return err
	}
	rights, err := account.RightsOn(tx, account.BoxID(box.ID), by.By.Person)
	if err != nil {
		return err
	}
	return Decide(Case{
		Act: act, Rights: rights, Kind: box.Kind, State: box.State,
		Keys: by.Keys != nil && by.Keys.ID() == string(box.Space),
	})
}

// patient reports whether the space has a history of accesses.
func (by Reader) patient() bool { return by.Box.Kind == mailbox.Patient }
