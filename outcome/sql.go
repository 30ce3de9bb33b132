package outcome

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Begin writes the outcome of a new letter in the transaction that accepts it: one
// INSERT for the letter, one for all recipients.
func Begin(tx *store.Tx, o Opening) error {
	_, err := tx.Exec(`INSERT INTO outcome_letter (letter, sender, message_mac, added) VALUES ($1, $2, $3, $4)`,
		string(o.id), o.sender, o.message, store.Micros(tx.Now()))
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString(`INSERT INTO outcome_recipient (letter, due, rcpt, state, record) VALUES `)
	args := make([]any, 0, 2+3*len(o.rcpts))
	args = append(args, string(o.id), o.due)
	for i, r := range o.rcpts {
		if i > 0 {
			text.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&text, "($1, $2, $%d, $%d, $%d)", n+1, n+2, n+3)
		args = append(args, i, r.state, r.record)
	}
	_, err = tx.Exec(text.String(), args...)
	return err
}

// Add writes facts, two statements each; a fact that is there already changes
// nothing. Faults: NotFound "outcome-unknown" for a letter or recipient that has no
// outcome; the caller may go on after it.
func Add(tx *store.Tx, entries ...Entry) error {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { // rows are locked in one order
		return cmp.Or(cmp.Compare(a.letter, b.letter), cmp.Compare(a.rcpt, b.rcpt))
	})
	for _, e := range entries {
		n, err := tx.Exec(`UPDATE outcome_recipient SET state = CASE WHEN state < $1 THEN $1 ELSE state END
			WHERE letter = $2 AND rcpt = $3`, e.state, string(e.letter), e.rcpt)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "outcome-unknown")
		}
		_, err = tx.Exec(`INSERT INTO outcome_fact (letter, rcpt, id, fact) VALUES ($1, $2, $3, $4)
			ON CONFLICT (letter, rcpt, id) DO NOTHING`, string(e.letter), e.rcpt, e.id, e.fact)
		if err != nil {
			return err
		}
		tx.Changed(Topic(e.letter))
	}
	return nil
}

// Topic returns the topic that is published when a fact was added to a letter.
func Topic(letter LetterID) string { return "outcome:" + string(letter) }

// Await sets when somebody must look at a recipient again; zero is never. Faults:
// NotFound "outcome-unknown".
func Await(tx *store.Tx, letter LetterID, rcpt int, due time.Time) error {
	n, err := tx.Exec(`UPDATE outcome_recipient SET due = $1 WHERE letter = $2 AND rcpt = $3`, micros(due), string(letter), rcpt)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "outcome-unknown")
	}
	return err
}

// Wait is a recipient that somebody must look at.
type Wait struct {
	Letter LetterID
	Rcpt   int
	Due    time.Time
}

// Waiting returns recipients whose time has come, the earliest first.
func Waiting(tx *store.Tx, now time.Time, limit int) ([]Wait, error) {
	rows, err := tx.Query(`SELECT letter, rcpt, due FROM outcome_recipient
		WHERE due > 0 AND due <= $1 ORDER BY due, letter, rcpt LIMIT $2`, store.Micros(now), limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(w *Wait) error {
		var due int64
		err := rows.Scan(&w.Letter, &w.Rcpt, &due)
		w.Due = store.Time(due)
		return err
	})
}

// Find returns the letter of a sender's box with a Message-ID, by its keyed hash
// (Book.MessageMAC): the newest, if there are several. A DSN or MDN is matched with
// its letter so. Faults: NotFound "outcome-unknown".
func Find(tx *store.Tx, sender string, mac []byte) (LetterID, error) {
	var id LetterID
	err := tx.QueryRow(`SELECT letter FROM outcome_letter WHERE sender = $1 AND message_mac = $2
		ORDER BY added DESC, letter DESC LIMIT 1`, sender, mac).Scan(&id)
	return id, unknown(err)
}

// Sealed is a letter's outcome as the rows have it; Book.Open opens it.
type Sealed struct {
	id     LetterID
	sender string
	added  int64
	rcpts  []recipientRow
}

type recipientRow struct {
	no     int
	due    int64
	record []byte
	facts  []factRow
}

type factRow struct {
	no       int
	id, fact []byte
}

// Load reads a letter's outcome, in three statements. Faults: NotFound
// "outcome-unknown".
func Load(tx *store.Tx, letter LetterID) (Sealed, error) {
	s := Sealed{id: letter}
	err := tx.QueryRow(`SELECT sender, added FROM outcome_letter WHERE letter = $1`, string(letter)).Scan(&s.sender, &s.added)
	if err != nil {
		return Sealed{}, unknown(err)
	}
	rows, err := tx.Query(`SELECT rcpt, due, record FROM outcome_recipient WHERE letter = $1 ORDER BY rcpt`, string(letter))
	if err != nil {
		return Sealed{}, err
	}
	s.rcpts, err = collect(rows, func(r *recipientRow) error { return rows.Scan(&r.no, &r.due, &r.record) })
	if err != nil {
		return Sealed{}, err
	}
	rows, err = tx.Query(`SELECT rcpt, id, fact FROM outcome_fact WHERE letter = $1 ORDER BY rcpt, id`, string(letter))
	if err != nil {
		return Sealed{}, err
	}
	facts, err := collect(rows, func(f *factRow) error { return rows.Scan(&f.no, &f.id, &f.fact) })
	for i := range s.rcpts {
		for _, f := range facts {
			if f.no == s.rcpts[i].no {
				s.rcpts[i].facts = append(s.rcpts[i].facts, f)
			}
		}
	}
	return s, err
}

// collect reads rows to their end and closes them.
func collect[T any](rows *sql.Rows, scan func(*T) error) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		var one T
		if err := scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func unknown(err error) error {
	if errors.Is(err, store.ErrNoRows) {
		return fault.New(fault.NotFound, "outcome-unknown")
	}
	return err
}
