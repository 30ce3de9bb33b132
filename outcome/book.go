package outcome

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// MaxRecipients is how many recipients a letter has at most (design section 2;
// RFC 5321 4.5.3.1.8).
const MaxRecipients = 100

// Purposes under which the works key seals and hashes.
const (
	purposeRecipient = "outcome-recipient"
	purposeFact      = "outcome-fact"
	purposeFactID    = "outcome-fact-id"
	purposeMessage   = "outcome-message"
)

// factIDSize is the size of a fact's id, in bytes: enough of a keyed hash to tell
// the facts of one recipient apart.
const factIDSize = 16

// LetterID names a sent letter.
type LetterID string

// Book seals and opens outcomes under the operator's works key, outside of
// transactions. It is safe for concurrent use.
type Book struct{ works *seal.Works }

// NewBook returns a book under a works key.
func NewBook(works *seal.Works) *Book { return &Book{works} }

// Letter is a letter that was just accepted from one of our boxes.
type Letter struct {
	// ID names it.
	ID LetterID
	// Sender is the sender's box.
	Sender string
	// MessageID is the header field, with or without angle brackets; it may be empty.
	MessageID string
	// Recipients are its recipients, in the order of their numbers.
	Recipients []Recipient
	// Due is when somebody must look at it again; zero is never.
	Due time.Time
}

// Recipient is one recipient of a new letter and what is known already: at least
// one fact.
type Recipient struct {
	Address identity.Address
	Facts   []Fact
}

// Opening is a letter's outcome, sealed and ready for Begin.
type Opening struct {
	id      LetterID
	sender  string
	message []byte
	due     int64
	rcpts   []sealedRecipient
}

type sealedRecipient struct {
	state  int64
	record []byte
}

// recipientJSON is the sealed record of outcome_recipient.
type recipientJSON struct {
	Address string `json:"address"`
	Facts   []Fact `json:"facts"`
}

// Prepare seals the outcome of a new letter. Faults: Internal "outcome-malformed".
func (b *Book) Prepare(l Letter) (Opening, error) {
	if l.ID == "" || len(l.Recipients) == 0 || len(l.Recipients) > MaxRecipients {
		return Opening{}, fault.New(fault.Internal, "outcome-malformed")
	}
	o := Opening{id: l.ID, sender: l.Sender, message: b.MessageMAC(l.Sender, l.MessageID), due: micros(l.Due)}
	for i, r := range l.Recipients {
		if len(r.Facts) == 0 || r.Address.IsZero() {
			return Opening{}, fault.New(fault.Internal, "outcome-malformed")
		}
		var s sealedRecipient
		for _, f := range r.Facts {
			if err := f.check(); err != nil {
				return Opening{}, err
			}
			s.state = max(s.state, f.rank())
		}
		plain, err := json.Marshal(recipientJSON{r.Address.String(), r.Facts})
		if err != nil {
			return Opening{}, fault.Wrap(fault.Internal, "outcome-malformed", err)
		}
		if s.record, err = b.works.Seal(purposeRecipient, place(l.ID, i), plain); err != nil {
			return Opening{}, fmt.Errorf("seal outcome: %w", err)
		}
		o.rcpts = append(o.rcpts, s)
	}
	return o, nil
}

// Entry is a fact, sealed and ready for Add.
type Entry struct {
	letter   LetterID
	rcpt     int
	state    int64
	id, fact []byte
}

// Enter seals a fact about one recipient of a letter. Faults: Internal
// "outcome-malformed".
func (b *Book) Enter(letter LetterID, rcpt int, f Fact) (Entry, error) {
	if err := f.check(); err != nil {
		return Entry{}, err
	}
	plain, err := json.Marshal(f)
	if err != nil {
		return Entry{}, fault.Wrap(fault.Internal, "outcome-malformed", err)
	}
	at := place(letter, rcpt)
	e := Entry{letter: letter, rcpt: rcpt, state: f.rank()}
	e.id = b.works.MAC(purposeFactID, []byte(at), plain)[:factIDSize]
	if e.fact, err = b.works.Seal(purposeFact, at+"/"+hex.EncodeToString(e.id), plain); err != nil {
		return Entry{}, fmt.Errorf("seal fact: %w", err)
	}
	return e, nil
}

// MessageMAC returns the keyed hash by which Find finds a letter of a sender's box:
// of the Message-ID without angle brackets and white space around.
func (b *Book) MessageMAC(sender, messageID string) []byte {
	messageID = strings.Trim(strings.TrimSpace(messageID), "<>")
	return b.works.MAC(purposeMessage, []byte(sender), []byte(messageID))
}

// Story is what is known of a letter.
type Story struct {
	ID     LetterID
	Sender string
	// At is when it was accepted.
	At time.Time
	// Chapters are its recipients, by number.
	Chapters []Chapter
}

// Chapter is what is known of a letter for one recipient.
type Chapter struct {
	// No is the recipient's number, from 0.
	No      int
	Address identity.Address
	// Facts are all facts, the earliest first.
	Facts []Fact
	// State is derived from them.
	State State
	// Due is when somebody must look again; zero is never.
	Due time.Time
}

// Open opens what Load read. Faults: Internal "record-broken".
func (b *Book) Open(s Sealed) (Story, error) {
	story := Story{ID: s.id, Sender: s.sender, At: store.Time(s.added)}
	for _, r := range s.rcpts {
		var j recipientJSON
		if err := b.open(purposeRecipient, place(s.id, r.no), r.record, &j); err != nil {
			return Story{}, err
		}
		address, err := identity.ParseAddress(j.Address)
		if err != nil {
			return Story{}, fault.Wrap(fault.Internal, "record-broken", err)
		}
		c := Chapter{No: r.no, Address: address, Facts: j.Facts}
		if r.due != 0 {
			c.Due = store.Time(r.due)
		}
		for _, e := range r.facts {
			var f Fact
			if err := b.open(purposeFact, place(s.id, r.no)+"/"+hex.EncodeToString(e.id), e.fact, &f); err != nil {
				return Story{}, err
			}
			c.Facts = append(c.Facts, f)
		}
		slices.SortStableFunc(c.Facts, func(a, b Fact) int { return a.At.Compare(b.At) })
		c.State = Status(c.Facts)
		story.Chapters = append(story.Chapters, c)
	}
	return story, nil
}

func (b *Book) open(purpose, id string, sealed []byte, into any) error {
	plain, err := b.works.Open(purpose, id, sealed)
	if err != nil {
		return fmt.Errorf("open outcome: %w", err)
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fault.New(fault.Internal, "record-broken") // the cause may quote the content
	}
	return nil
}

// place names one recipient of a letter: what sealed rows are bound to.
func place(letter LetterID, rcpt int) string { return string(letter) + "/" + strconv.Itoa(rcpt) }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Micros(t)
}
