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
	if n == 0 {
		return fault.New(fault.Conflict, "ins-exists")
	}
	return nil
}

// FindByINS returns the patient with an INS and the box that is their own: the
// first one they were made the owner of. Boxes that were entrusted to them later
// are other people's. The pair is looked up as it is; whether its key is right is
// the caller's to judge. It fails with fault.NotFound "person-unknown".
func FindByINS(tx *store.Tx, w *seal.Works, oid, matricule string) (BoxID, Person, error) {
	var id, box string
	err := tx.QueryRow(`SELECT i.person_id, h.box_id FROM person_ins i JOIN holder h ON h.person_id = i.person_id
		WHERE i.ins_mac = $1 AND (h.rights & 4) <> 0 ORDER BY h.created, h.box_id LIMIT 1`,
		insMAC(w, oid, matricule)).Scan(&id, &box)
	if errors.Is(err, store.ErrNoRows) {
		return "", Person{}, fault.New(fault.NotFound, "person-unknown")
	}
	if err != nil {
		return "", Person{}, fmt.Errorf("find a person by INS: %w", err)
	}
	p, err := ByID(tx, w, identity.PersonID(id))
	return BoxID(box), p, err
}
