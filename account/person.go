package account

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Kind is what somebody is to the operator; it becomes the role of a
// [identity.Principal].
type Kind string

// The kinds.
const (
	Professional Kind = "professional"
	Patient      Kind = "patient"
	Application  Kind = "application"
	Operator     Kind = "operator"
)

// Person is somebody, or a machine, known to the operator. All but ID and Kind
// are personal data.
type Person struct {
	ID   identity.PersonID `json:"-"`
	Kind Kind              `json:"-"`
	// Name is what people are shown.
	Name string `json:"name,omitempty"`
	// Family and Given are the birth name and the first birth given name.
	Family string `json:"family,omitempty"`
	Given  string `json:"given,omitempty"`
	// BirthDate is YYYY-MM-DD, Sex M or F.
	BirthDate string `json:"birth_date,omitempty"`
	Sex       string `json:"sex,omitempty"`
	// INS is the national health identity (15 characters) and INSOID the OID of
	// its issuer.
	INS    string `json:"ins,omitempty"`
	INSOID string `json:"ins_oid,omitempty"`
	// Fictitious says that the identity is invented and may be somebody else's too:
	// samples share theirs. The one who came first is found by it. The demo alone makes
	// such people.
	Fictitious bool `json:"-"`
}

// AddPerson keeps a person; an empty ID is made. It fails with fault.Invalid
// "person-malformed" and fault.Conflict "person-exists" or "ins-exists".
func AddPerson(tx *store.Tx, w *seal.Works, p Person) (identity.PersonID, error) {
	switch p.Kind {
	case Professional, Patient, Application, Operator:
	default:
		return "", fault.New(fault.Invalid, "person-malformed")
	}
	if p.ID == "" {
		p.ID = identity.PersonID(identity.NewID())
	}
	record, err := sealed(w, "person", string(p.ID), p)
	if err != nil {
		return "", err
	}
	n, err := tx.Exec(`INSERT INTO person (person_id, kind, created, record) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person_id) DO NOTHING`, string(p.ID), string(p.Kind), store.Micros(tx.Now()), record)
	if err != nil {
		return "", fmt.Errorf("keep person %s: %w", p.ID, err)
	}
	if n == 0 {
		return "", fault.New(fault.Conflict, "person-exists")
	}
	return p.ID, addINS(tx, w, p)
}

// ByID returns a person. It fails with fault.NotFound "person-unknown".
func ByID(tx *store.Tx, w *seal.Works, id identity.PersonID) (Person, error) {
	var kind string
	var record []byte
	err := tx.QueryRow(`SELECT kind, record FROM person WHERE person_id = $1`, string(id)).Scan(&kind, &record)
	if errors.Is(err, store.ErrNoRows) {
		return Person{}, fault.New(fault.NotFound, "person-unknown")
	}
	if err != nil {
		return Person{}, err
	}
	p, err := opened[Person](w, "person", string(id), record)
	p.ID, p.Kind = id, Kind(kind)
	return p, err
}

// Pseudonym stands for a person in the audit log: 32 hex digits that only the
// operator's works key can compute.
func Pseudonym(w *seal.Works, id identity.PersonID) string {
	return hex.EncodeToString(w.MAC("pseudonym", []byte(id))[:16])
}

// sealed seals a record as JSON under works.
func sealed(w *seal.Works, purpose, id string, record any) ([]byte, error) {
	plain, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	out, err := w.Seal(purpose, id, plain)
	if err != nil {
		return nil, fmt.Errorf("seal %s %s: %w", purpose, id, err)
	}
	return out, nil
}

// opened is the inverse of sealed.
func opened[T any](w *seal.Works, purpose, id string, record []byte) (out T, err error) {
	plain, err := w.Open(purpose, id, record)
	if err != nil {
		return out, fmt.Errorf("open %s %s: %w", purpose, id, err)
	}
	if err := json.Unmarshal(plain, &out); err != nil {
		return out, fmt.Errorf("record of %s %s: %w", purpose, id, err)
	}
	return out, nil
}
