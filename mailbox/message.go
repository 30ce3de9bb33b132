package mailbox

import (
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

// Facts are what a letter's row tells without its key.
type Facts struct {
	Row
	// ID is the letter's, the same for its copies (EMAILID).
	ID MessageID
	// Size is head and body together, in octets.
	Size int64
	// Internal is the INTERNALDATE.
	Internal time.Time
	// Outcome is the state text of the letter's outcome for this recipient.
	Outcome string
}

// Message is a letter's row. To open it: unwrap Key as KeyForm says, OpenSummary
// the Record, OpenBody the Body, and make a [Letter] of them.
type Message struct {
	Facts
	Body    BodyID
	KeyForm KeyForm
	Key     []byte
	// Record is the sealed summary.
	Record []byte
}

// ReadFacts calls fn with each letter of the set that exists, in the order of
// UIDs. fn must not use tx.
func ReadFacts(tx *store.Tx, id FolderID, set Set, fn func(Facts) error) error {
	return eachRow(tx, id, set, `SELECT uid, flags, modseq, id, size, internal, outcome`, func(row scanner) error {
		f, err := scanFacts(row)
		if err != nil {
			return err
		}
		return fn(f)
	})
}

// Messages calls fn with each letter of the set that exists, in the order of
// UIDs, keys and sealed summaries included. fn must not use tx.
func Messages(tx *store.Tx, id FolderID, set Set, fn func(Message) error) error {
	return eachRow(tx, id, set, `SELECT uid, flags, modseq, id, size, internal, outcome, body_id, key_form, wrapped, record`,
		func(row scanner) error {
			var m Message
			var body string
			f, err := scanFacts(row, &body, &m.KeyForm, &m.Key, &m.Record)
			if err != nil {
				return err
			}
			m.Facts, m.Body = f, BodyID(body)
			return fn(m)
		})
}

// scanFacts reads the first columns as Facts, the others as told.
func scanFacts(row scanner, more ...any) (Facts, error) {
	var f Facts
	var id string
	var internal int64
	err := row.Scan(append([]any{&f.UID, &f.Flags, &f.ModSeq, &id, &f.Size, &internal, &f.Outcome}, more...)...)
	f.ID, f.Internal = MessageID(id), store.Time(internal)
	return f, err
}

// eachRow reads the rows of a set, one statement per chunk.
func eachRow(tx *store.Tx, id FolderID, set Set, columns string, fn func(scanner) error) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	for _, c := range set.chunks(3) {
		err := func() error {
			rows, err := tx.Query(columns+` FROM message WHERE box_id = $1 AND folder = $2 AND `+c.where+` ORDER BY uid`,
				append([]any{string(id.Box()), number}, c.args...)...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := fn(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		}()
		if err != nil {
			return fmt.Errorf("read letters of folder %s: %w", id, err)
		}
	}
	return nil
}

// Rewrapped is a letter's session key after its first opening.
type Rewrapped struct {
	UID UID
	ID  MessageID
	// Key is from seal's Keyring.Rewrap, bound to ID.
	Key []byte
}

// Rewrap replaces keys wrapped to the letters key by keys under the space's
// symmetric key. Letters that moved meanwhile keep the old form; views do not
// change.
func Rewrap(tx *store.Tx, id FolderID, keys []Rewrapped) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	for _, k := range keys {
		_, err := tx.Exec(`UPDATE message SET key_form = 1, wrapped = $5
			WHERE box_id = $1 AND folder = $2 AND uid = $3 AND id = $4 AND key_form = 0`,
			string(id.Box()), number, int64(k.UID), string(k.ID), k.Key)
		if err != nil {
			return fmt.Errorf("rewrap a key in folder %s: %w", id, err)
		}
	}
	return nil
}

// SetOutcome writes the state text of a letter's outcome into its row. Copies keep
// theirs.
func SetOutcome(tx *store.Tx, id FolderID, uid UID, outcome string) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE message SET outcome = $4 WHERE box_id = $1 AND folder = $2 AND uid = $3`,
		string(id.Box()), number, int64(uid), outcome)
	return err
}
