package deliverytest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Text is a plain letter.
func Text(from, subject string) string {
	return "From: " + from + "\r\nTo: undisclosed-recipients:;\r\nSubject: " + subject +
		"\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMessage-ID: <" + identity.NewID() + "@sender.example>\r\n" +
		"\r\nBonjour,\r\n.. un point en d=C3=A9but de ligne\r\n"
}

// Send plays one transaction on a visit. An empty from is the null sender.
func Send(v delivery.Visit, from string, to []string, text string) error {
	return SendReader(v, from, to, strings.NewReader(text))
}

// SendReader is Send for a letter that is read.
func SendReader(v delivery.Visit, from string, to []string, text io.Reader) error {
	ctx := context.Background()
	if err := Envelope(v, from, to...); err != nil {
		return err
	}
	return v.Data(ctx, text)
}

// Envelope plays a transaction up to its content.
func Envelope(v delivery.Visit, from string, to ...string) error {
	ctx := context.Background()
	var sender identity.Address
	var err error
	if from != "" {
		if sender, err = identity.ParseAddress(from); err != nil {
			return err
		}
	}
	if err := v.Mail(ctx, sender, delivery.MailOptions{}); err != nil {
		return err
	}
	for _, name := range to {
		a, err := identity.ParseAddress(name)
		if err != nil {
			return err
		}
		if err := v.Rcpt(ctx, a, delivery.RcptOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// Letter is a stored letter, opened.
type Letter struct {
	mailbox.Message
	Head, Body string
}

// String returns the whole letter.
func (l Letter) String() string { return l.Head + l.Body }

// Inbox opens every letter in a box's inbox, by UID, as a session of its holder would.
func (op *Operator) Inbox(h Holder) []Letter {
	op.TB.Helper()
	return op.Folder(h, h.Inbox)
}

// Folder opens every letter in a folder.
func (op *Operator) Folder(h Holder, id mailbox.FolderID) []Letter {
	op.TB.Helper()
	ring := op.Ring(h)
	defer ring.Zero()
	var messages []mailbox.Message
	op.Read(func(tx *store.Tx) error {
		return mailbox.Messages(tx, id, mailbox.All(), func(m mailbox.Message) error {
			messages = append(messages, m)
			return nil
		})
	})
	letters := make([]Letter, len(messages))
	for i, m := range messages {
		l, err := op.open(ring, m)
		if err != nil {
			op.TB.Fatalf("letter %d of box %s: %v", m.UID, h.ID, err)
		}
		letters[i] = l
	}
	return letters
}

// Ring opens the keys of a box without a release; the caller zeroes them.
func (op *Operator) Ring(h Holder) *seal.Keyring {
	op.TB.Helper()
	var wrapped []byte
	op.Read(func(tx *store.Tx) (err error) {
		wrapped, err = mailbox.Keys(tx, h.Space)
		return err
	})
	ring, err := seal.OpenSpace(op.Platform.Platform, string(h.Space), wrapped)
	if err != nil {
		op.TB.Fatal(err)
	}
	return ring
}

func (op *Operator) open(ring *seal.Keyring, m mailbox.Message) (Letter, error) {
	unwrap := func() (seal.SessionKey, error) { return ring.Unwrap(m.Key, string(m.Body)) }
	if m.KeyForm == mailbox.UnderSpace {
		unwrap = func() (seal.SessionKey, error) { return ring.UnwrapFast(m.Key, string(m.ID)) }
	}
	key, err := unwrap()
	if err != nil {
		return Letter{}, err
	}
	defer key.Zero()
	summary, err := mailbox.OpenSummary(key, m.ID, m.Record)
	if err != nil {
		return Letter{}, err
	}
	r, err := op.Office.Original(context.Background(), m.Body, key)
	if err != nil {
		return Letter{}, err
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		return Letter{}, err
	}
	whole := int64(len(summary.Head) + len(body))
	if whole != m.Size {
		return Letter{}, fmt.Errorf("row says %d octets, there are %d", m.Size, whole)
	}
	return Letter{m, string(summary.Head), string(body)}, nil
}

// Leaves returns the audit leaves of an act, as stored.
func (op *Operator) Leaves(act string) (lines []string) {
	op.TB.Helper()
	op.Read(func(tx *store.Tx) error {
		lines = nil
		return audit.List(tx, time.Time{}, act, func(line []byte) error {
			lines = append(lines, string(line))
			return nil
		})
	})
	return lines
}

// Story returns the outcome of the newest letter that a box submitted.
func (op *Operator) Story(h Holder) outcome.Story {
	op.TB.Helper()
	var sealed outcome.Sealed
	op.Read(func(tx *store.Tx) error {
		var id outcome.LetterID
		err := tx.QueryRow(`SELECT letter FROM outcome_letter WHERE sender = $1 ORDER BY letter DESC LIMIT 1`, string(h.ID)).Scan(&id)
		if err != nil {
			return err
		}
		sealed, err = outcome.Load(tx, id)
		return err
	})
	story, err := outcome.NewBook(op.Works).Open(sealed)
	if err != nil {
		op.TB.Fatal(err)
	}
	return story
}
