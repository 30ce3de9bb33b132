package account

import (
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
)

// BoxID names a box of the mailbox house.
type BoxID string

// Rights are what a person may do with a box, one bit each.
type Rights int64

// The rights. Owners give and take rights and proofs; each is given on its own.
const (
	Read Rights = 1 << iota
	Send
	Own
)

// Everything is what the one holder of a personal box has.
const Everything = Read | Send | Own

// May reports whether all of want are among r.
func (r Rights) May(want Rights) bool { return r&want == want }

// Holding is a person's rights on a box.
type Holding struct {
	Box    BoxID
	Person identity.PersonID
	Rights Rights
}

// Grant gives a person rights on a box, in place of those it had. It fails with
// fault.Invalid "rights-malformed" for none or unknown ones, and fault.NotFound
// "person-unknown".
func Grant(tx *store.Tx, h Holding) error {
	if h.Rights == 0 || h.Rights&^Everything != 0 || h.Box == "" {
		return fault.New(fault.Invalid, "rights-malformed")
	}
	n, err := tx.Exec(`INSERT INTO holder (box_id, person_id, rights, created)
		SELECT CAST($1 AS TEXT), person_id, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM person WHERE person_id = $2
		ON CONFLICT (box_id, person_id) DO UPDATE SET rights = excluded.rights`,
		string(h.Box), string(h.Person), int64(h.Rights), store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("grant rights on box %s: %w", h.Box, err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "person-unknown")
	}
	return nil
}

// Withdraw takes a person's rights on a box, the proofs that served them, and the
// sessions that are open.
func Withdraw(tx *store.Tx, box BoxID, person identity.PersonID) error {
	for _, table := range []string{"app_password", "certificate", "web_session", "holder"} {
		_, err := tx.Exec(`DELETE FROM `+table+` WHERE box_id = $1 AND person_id = $2`, string(box), string(person))
		if err != nil {
			return fmt.Errorf("withdraw rights on box %s: %w", box, err)
		}
	}
	return nil
}

// RightsOn returns what a person may do with a box, none for a stranger.
func RightsOn(tx *store.Tx, box BoxID, person identity.PersonID) (Rights, error) {
	var r Rights
	err := tx.QueryRow(`SELECT rights FROM holder WHERE box_id = $1 AND person_id = $2`, string(box), string(person)).Scan(&r)
	if errors.Is(err, store.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("rights on box %s: %w", box, err)
	}
	return r, nil
}

// Holders returns who holds a box, by person.
func Holders(tx *store.Tx, box BoxID) ([]Holding, error) {
	return holdings(tx, `SELECT box_id, person_id, rights FROM holder WHERE box_id = $1 ORDER BY person_id`, string(box))
}

// HeldBy returns the boxes that a person holds, by box.
func HeldBy(tx *store.Tx, person identity.PersonID) ([]Holding, error) {
	return holdings(tx, `SELECT box_id, person_id, rights FROM holder WHERE person_id = $1 ORDER BY box_id`, string(person))
}

// holdings reads rows of holder.
func holdings(tx *store.Tx, query string, args ...any) ([]Holding, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Holding
	for rows.Next() {
		var box, person string
		var h Holding
		if err := rows.Scan(&box, &person, &h.Rights); err != nil {
			return nil, err
		}
		h.Box, h.Person = BoxID(box), identity.PersonID(person)
		out = append(out, h)
	}
	return out, rows.Err()
}
