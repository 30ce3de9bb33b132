package account

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// insMAC is the keyed hash by which a patient is found. OID and matricule together
// are the identity, never the matricule alone (spec dmp 3).
func insMAC(w *seal.Works, oid, matricule string) []byte {
	return w.MAC("person-ins", []byte(strings.TrimSpace(oid)), []byte(strings.ToUpper(strings.TrimSpace(matricule))))
}

// addINS makes a person findable by the INS. It fails with fault.Conflict
// "ins-exists": an identity is one person's.
func addINS(tx *store.Tx, w *seal.Works, p Person) error {
	if p.INS == "" {
		return nil
	}
	n, err := tx.Exec(`INSERT INTO person_ins (ins_mac, person_id) VALUES ($1, $2) ON CONFLICT (ins_mac) DO NOTHING`,
		insMAC(w, p.INSOID, p.INS), string(p.ID))
	if err != nil {
		return fmt.Errorf("keep the identity of person %s: %w", p.ID, err)
	}
	if n == 0 && !p.Fictitious {
		return fault.New(fault.Conflict, "ins-exists")
	}
	return nil
}

// OwnBox returns the box that is a person's own: the first one they were made the
// owner of. Boxes that were entrusted to them later are other people's. It fails with
// fault.NotFound "box-unknown".
func OwnBox(tx *store.Tx, person identity.PersonID) (BoxID, error) {
	var box string
	err := tx.QueryRow(`SELECT box_id FROM holder WHERE person_id = $1 AND (rights & 4) <> 0 ORDER BY created, box_id LIMIT 1`,
		string(person)).Scan(&box)
	if errors.Is(err, store.ErrNoRows) {
		return "", fault.New(fault.NotFound, "box-unknown")
	}
	if err != nil {
		return "", fmt.Errorf("own box of person %s: %w", person, err)
	}
	return BoxID(box), nil
}

// FindByINS returns the patient with an INS and their own box. The pair is looked up
// as it is; whether its key is right is the caller's to judge. It fails with
// fault.NotFound "person-unknown".
func FindByINS(tx *store.Tx, w *seal.Works, oid, matricule string) (BoxID, Person, error) {
	var id string
	err := tx.QueryRow(`SELECT person_id FROM person_ins WHERE ins_mac = $1`, insMAC(w, oid, matricule)).Scan(&id)
	if errors.Is(err, store.ErrNoRows) {
		return "", Person{}, fault.New(fault.NotFound, "person-unknown")
	}
	if err != nil {
		return "", Person{}, fmt.Errorf("find a person by INS: %w", err)
	}
	box, err := OwnBox(tx, identity.PersonID(id))
	if fault.Is(err, fault.NotFound) {
		return "", Person{}, fault.New(fault.NotFound, "person-unknown")
	}
	if err != nil {
		return "", Person{}, err
	}
	p, err := ByID(tx, w, identity.PersonID(id))
	return box, p, err
}
