package dmp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Act is what somebody did in a space.
type Act string

// The acts that a history tells of.
const (
	DocumentOpened     Act = "document-opened"
	DocumentDownloaded Act = "document-downloaded"
	DocumentFiled      Act = "document-filed"
	LetterOpened       Act = "letter-opened"
	SpaceOpened        Act = "space-opened"
	InvitationReceived Act = "invitation-received"
	InvitationAnswered Act = "invitation-answered"
	Refused            Act = "refused"
)

// Reason is why somebody acted.
type Reason string

// The reasons.
const (
	// Own is the person whose space it is.
	Own Reason = "own"
	// Mandate is somebody who acts for that person.
	Mandate Reason = "mandate"
	// Care is a professional who treats the person.
	Care Reason = "care"
	// Emergency is a professional who had no time to ask.
	Emergency Reason = "emergency"
	// Filing is the service, which puts away what came.
	Filing Reason = "filing"
)

// Access is one line of the history that a person sees of their own space.
type Access struct {
	At time.Time `json:"-"` // Note decides it
	// Who is a name as shown; WhoKind is an identity.Principal's role, or "service".
	Who     string `json:"w,omitempty"`
	WhoKind string `json:"k,omitempty"`
	What    Act    `json:"a"`
	// Object is the id of the document or letter, Title what it is called.
	Object string `json:"o,omitempty"`
	Title  string `json:"t,omitempty"`
	Why    Reason `json:"y"`
	// Via is the door: "web", "imap", "letter", "depot".
	Via string `json:"v,omitempty"`
}

// Format prints no content.
func (Access) Format(f fmt.State, _ rune) { fmt.Fprint(f, "access(***)") }

// LogValue prints no content.
func (Access) LogValue() slog.Value { return slog.StringValue("access(***)") }

// check refuses words that are not on the lists.
func (a Access) check() error {
	switch a.What {
	case DocumentOpened, DocumentDownloaded, DocumentFiled, LetterOpened, SpaceOpened,
		InvitationReceived, InvitationAnswered, Refused:
	default:
		return fault.New(fault.Internal, "access-malformed")
	}
	switch a.Why {
	case Own, Mandate, Care, Emergency, Filing:
		return nil
	}
	return fault.New(fault.Internal, "access-malformed")
}

const purposeAccess = "access"

// AccessID names a line of a history; it sorts by time.
type AccessID string

// Trace is the accesses of one act, sealed and ready for [Note].
type Trace struct {
	space   SpaceID
	keyID   string
	wrapped []byte
	lines   []traceLine
}

type traceLine struct {
	id     AccessID
	record []byte
}

// NewTrace seals accesses for the person whose space it is, before the transaction:
// to is the public half of the space's vault pair, so that nobody else reads who did
// what, the operator included. All accesses of one act share one key and cost one
// public-key operation. Faults: NotFound "vault-missing" for a nil key, because only a
// patient's space has a history; Internal "access-malformed" for a word that is not on
// the lists.
func NewTrace(to *seal.PublicKey, space SpaceID, accesses ...Access) (*Trace, error) {
	if to == nil {
		return nil, fault.New(fault.NotFound, "vault-missing")
	}
	key := seal.NewSessionKey()
	defer key.Zero()
	t := &Trace{space: space, keyID: identity.NewID()}
	for _, a := range accesses {
		if err := a.check(); err != nil {
			return nil, err
		}
		a.Who, a.Title, a.Object = cutText(a.Who), cutText(a.Title), cutText(a.Object)
		plain, err := json.Marshal(a)
		if err != nil {
			return nil, fault.New(fault.Internal, "access-malformed")
		}
		line := traceLine{id: AccessID(identity.NewID())}
		if line.record, err = key.SealRecord(purposeAccess, string(line.id), plain); err != nil {
			return nil, fmt.Errorf("seal an access: %w", err)
		}
		t.lines = append(t.lines, line)
	}
	var err error
	if t.wrapped, err = to.Wrap(key, t.keyID); err != nil {
		return nil, fmt.Errorf("wrap the key of an access: %w", err)
	}
	return t, nil
}

// Note writes a trace down, in the transaction of the act: one statement per access.
func Note(tx *store.Tx, t *Trace) error {
	for _, line := range t.lines {
		_, err := tx.Exec(`INSERT INTO vault_access (space_id, access_id, at, key_id, wrapped, record)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			string(t.space), string(line.id), store.Micros(tx.Now()), t.keyID, t.wrapped, line.record)
		if err != nil {
			return fmt.Errorf("note an access to space %s: %w", t.space, err)
		}
	}
	if len(t.lines) > 0 {
		tx.Changed(t.space.HistoryTopic())
	}
	return nil
}

// AccessRow is a line of a history as its row has it: an [Opener] reads it.
type AccessRow struct {
	ID     AccessID
	At     time.Time
	key    wrappedKey
	record []byte
}

// Accesses returns a page of a space's history, the last first, before a line or from
// the newest. next continues it, and is empty when there is no more. A limit of 0 is
// DefaultPage, one above MaxPage is MaxPage.
func Accesses(tx *store.Tx, space SpaceID, before AccessID, limit int) (page []AccessRow, next AccessID, err error) {
	limit = pageSize(limit)
	ids, err := noted().page(tx, space, string(before), limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read the history of space %s: %w", space, err)
	}
	if len(ids) > limit {
		ids, next = ids[:limit], AccessID(ids[limit-1])
	}
	err = eachOf(tx, sqlAccesses, space, ids, func(row scanner) error {
		var a AccessRow
		var at int64
		err := row.Scan((*string)(&a.ID), &at, &a.key.id, &a.key.wrap, &a.record)
		a.At = store.Time(at)
		page = append(page, a)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the history of space %s: %w", space, err)
	}
	slices.SortFunc(page, func(a, b AccessRow) int { return cmp.Compare(b.ID, a.ID) })
	return page, next, nil
}

// Accesses opens a page of a history: one public-key operation per act.
func (o *Opener) Accesses(page []AccessRow) ([]Access, error) {
	out := make([]Access, len(page))
	var key seal.SessionKey
	defer func() { key.Zero() }()
	for i, row := range page {
		if i == 0 || page[i-1].key.id != row.key.id {
			key.Zero()
			var err error
			if key, err = o.keys.UnwrapVault(row.key.wrap, row.key.id); err != nil {
				return nil, fmt.Errorf("open an access: %w", err)
			}
		}
		if err := openJSON(key, purposeAccess, string(row.ID), row.record, &out[i]); err != nil {
			return nil, fmt.Errorf("open an access: %w", err)
		}
		out[i].At = row.At
	}
	return out, nil
}
