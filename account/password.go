package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Scope is a door that a proof opens, one bit each.
type Scope int64

// The scopes.
const (
	IMAP Scope = 1 << iota
	SMTP
	Web
)

// AllScopes is every door.
const AllScopes = IMAP | SMTP | Web

// Password is an app password of a box, as its holder sees it in a list.
type Password struct {
	ID     string
	Box    BoxID
	Person identity.PersonID
	// Name says which program or device it is for.
	Name    string
	Scopes  Scope
	Created time.Time
	// LastUsed is the day (UTC) of the last login, zero for never.
	LastUsed time.Time
}

// Login is a proven person at a box.
type Login struct {
	Holding
	// Proof is the id of the password or certificate, for Used.
	Proof string
	// LastUsed is the day of its last login so far, zero for never.
	LastUsed time.Time
}

// errLogin is the one answer to whoever may not come in.
func errLogin() error { return fault.New(fault.Denied, "login-failed") }

// passwordMAC is the keyed hash of a password of a box.
func passwordMAC(w *seal.Works, box BoxID, s Secret) []byte {
	return w.MAC("app-password", []byte(box), []byte(s.text))
}

// AddPassword gives a holder of a box an app password, from [NewSecret], and
// returns its id. It fails with fault.Invalid "password-malformed" and
// fault.Conflict "password-exists".
func AddPassword(tx *store.Tx, w *seal.Works, p Password, s Secret) (string, error) {
	if p.Scopes == 0 || p.Scopes&^AllScopes != 0 || p.Box == "" || len(s.text) != secretLength {
		return "", fault.New(fault.Invalid, "password-malformed")
	}
	if p.ID == "" {
		p.ID = identity.NewID()
	}
	record, err := sealed(w, "app-password", p.ID, p.Name)
	if err != nil {
		return "", err
	}
	n, err := tx.Exec(`INSERT INTO app_password (box_id, mac, password_id, person_id, scopes, created, last_used, record)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT DO NOTHING`,
		string(p.Box), passwordMAC(w, p.Box, s), p.ID, string(p.Person), int64(p.Scopes), store.Micros(tx.Now()), record)
	if err != nil {
		return "", fmt.Errorf("keep a password of box %s: %w", p.Box, err)
	}
	if n == 0 {
		return "", fault.New(fault.Conflict, "password-exists")
	}
	return p.ID, nil
}

// CheckPassword finds who comes with an app password. Text is what was typed. For
// an address without a box the caller passes an empty box, and the same work is
// done. It reads only; the caller calls Used when LastUsed is not today. Whatever
// is wrong is fault.Denied "login-failed".
func CheckPassword(tx *store.Tx, w *seal.Works, box BoxID, text string, want Scope) (Login, error) {
	s, err := ParseSecret(text)
	row := tx.QueryRow(`SELECT p.person_id, h.rights, p.password_id, p.last_used, p.scopes
		FROM app_password p JOIN holder h ON h.box_id = p.box_id AND h.person_id = p.person_id
		WHERE p.box_id = $1 AND p.mac = $2`, string(box), passwordMAC(w, box, s))
	l := Login{Holding: Holding{Box: box}}
	var scopes Scope
	errRow := scanLogin(row, &l, &scopes)
	switch {
	case errRow != nil:
		return Login{}, errRow
	case err != nil, box == "", want == 0, scopes&want != want:
		return Login{}, errLogin()
	}
	return l, nil
}

// scanLogin reads person, rights, proof, last use, then more.
func scanLogin(row interface{ Scan(dest ...any) error }, l *Login, more ...any) error {
	var person string
	var day int64
	err := row.Scan(append([]any{&person, &l.Rights, &l.Proof, &day}, more...)...)
	if errors.Is(err, store.ErrNoRows) {
		return errLogin()
	}
	l.Person, l.LastUsed = identity.PersonID(person), dayTime(day)
	return err
}

// Used notes that a proof was used today. Only the day is kept: a trace of every
// login is the audit log's.
func Used(tx *store.Tx, box BoxID, proof string) error {
	today := store.Micros(day(tx.Now()))
	for _, s := range []string{
		`UPDATE app_password SET last_used = $3 WHERE box_id = $1 AND password_id = $2 AND last_used < $3`,
		`UPDATE certificate SET last_used = $3 WHERE box_id = $1 AND certificate_id = $2 AND last_used < $3`,
	} {
		if _, err := tx.Exec(s, string(box), proof, today); err != nil {
			return fmt.Errorf("note the use of a proof of box %s: %w", box, err)
		}
	}
	return nil
}

// day returns the beginning of t's day, UTC.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// dayTime returns a stored day; 0 is never.
func dayTime(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return store.Time(us)
}

// RevokePassword ends an app password. It fails with fault.NotFound "password-unknown".
func RevokePassword(tx *store.Tx, box BoxID, id string) error {
	n, err := tx.Exec(`DELETE FROM app_password WHERE box_id = $1 AND password_id = $2`, string(box), id)
	if err != nil {
		return fmt.Errorf("revoke a password of box %s: %w", box, err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "password-unknown")
	}
	return nil
}

// Passwords returns the app passwords of a box, the oldest first.
func Passwords(tx *store.Tx, w *seal.Works, box BoxID) ([]Password, error) {
	rows, err := tx.Query(`SELECT password_id, person_id, scopes, created, last_used, record
		FROM app_password WHERE box_id = $1 ORDER BY password_id`, string(box))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Password
	for rows.Next() {
		p := Password{Box: box}
		var person string
		var created, used int64
		var record []byte
		if err := rows.Scan(&p.ID, &person, &p.Scopes, &created, &used, &record); err != nil {
			return nil, err
		}
		if p.Name, err = opened[string](w, "app-password", p.ID, record); err != nil {
			return nil, err
		}
		p.Person, p.Created, p.LastUsed = identity.PersonID(person), store.Time(created), dayTime(used)
		out = append(out, p)
	}
	return out, rows.Err()
}
