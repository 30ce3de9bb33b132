package account

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// WebLogin is how a person signs in on the web: a name of their own, a password,
// and a second factor if they switched it on. The zero value is nobody's, and
// checking against it costs the same.
type WebLogin struct {
	Person identity.PersonID
	Box    BoxID
	// Name is the login as it was given.
	Name string
	// Changed is when the password was chosen.
	Changed time.Time
	// Factor says whether a second factor is on.
	Factor Factor
	// Hash is what is kept of the password.
	Hash PasswordHash

	step   int64
	secret []byte // of the second factor
	phc    []byte // the sealed password, by which a change is noticed
}

// Factor is the state of a login's second factor.
type Factor int64

// The states.
const (
	NoFactor Factor = iota
	// FactorShown: a secret was shown, no code from it was seen yet. The password
	// alone still opens.
	FactorShown
	// FactorOn: nobody comes in without a code.
	FactorOn
)

// maxLogin bounds a login, in octets.
const maxLogin = 254

// foldLogin brings a login into the form that is compared. It fails with
// fault.Invalid "login-malformed".
func foldLogin(name string) (string, error) {
	folded := norm.NFKC.String(strings.ToLower(strings.TrimSpace(name)))
	if len(name) > maxLogin || folded == "" || !utf8.ValidString(name) ||
		strings.ContainsFunc(folded, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", fault.New(fault.Invalid, "login-malformed")
	}
	return folded, nil
}

// loginMAC is the keyed hash by which a login is found. What can be no login has
// the hash of none.
func loginMAC(w *seal.Works, name string) []byte {
	folded, err := foldLogin(name)
	if err != nil {
		folded = ""
	}
	return w.MAC("web-login", []byte(folded))
}

// PreparedLogin is a login, sealed and ready for AddWebLogin.
type PreparedLogin struct {
	person         identity.PersonID
	mac            []byte
	password, name []byte
}

// PrepareWebLogin seals a login outside of transactions. It fails with
// fault.Invalid "login-malformed".
func PrepareWebLogin(w *seal.Works, person identity.PersonID, name string, hash PasswordHash) (*PreparedLogin, error) {
	if _, err := foldLogin(name); err != nil {
		return nil, err
	}
	p := &PreparedLogin{person: person, mac: loginMAC(w, name)}
	var err error
	if p.password, err = sealed(w, "web-password", string(person), hash.phc()); err != nil {
		return nil, err
	}
	p.name, err = sealed(w, "web-login", string(person), name)
	return p, err
}

// AddWebLogin gives a person a login that leads to a box. It fails with fault.Conflict "login-exists":
// the person has one, or the name is somebody else's.
func AddWebLogin(tx *store.Tx, box BoxID, p *PreparedLogin) error {
	now := store.Micros(tx.Now())
	n, err := tx.Exec(`INSERT INTO web_login (person_id, login_mac, box_id, created, changed, password, factor, step, secret, record)
		VALUES ($1, $2, $3, $4, $4, $5, 0, 0, $6, $7) ON CONFLICT DO NOTHING`,
		string(p.person), p.mac, string(box), now, p.password, []byte{}, p.name)
	if err != nil {
		return fmt.Errorf("keep the login of person %s: %w", p.person, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "login-exists")
	}
	return nil
}

const selectWebLogin = `SELECT person_id, box_id, changed, password, factor, step, secret, record FROM web_login WHERE `

// SealedLogin is a login's row; Open opens it outside of the transaction.
type SealedLogin struct {
	WebLogin
	password, sealedSecret, record []byte
}

// FindWebLogin reads the login of a name. It fails with fault.NotFound
// "login-unknown".
func FindWebLogin(tx *store.Tx, w *seal.Works, name string) (SealedLogin, error) {
	return scanWebLogin(tx, selectWebLogin+`login_mac = $1`, loginMAC(w, name))
}

// WebLoginOf reads the login of a person. It fails with fault.NotFound
// "login-unknown".
func WebLoginOf(tx *store.Tx, person identity.PersonID) (SealedLogin, error) {
	return scanWebLogin(tx, selectWebLogin+`person_id = $1`, string(person))
}

func scanWebLogin(tx *store.Tx, query string, key any) (SealedLogin, error) {
	var s SealedLogin
	var person, box string
	var changed int64
	err := tx.QueryRow(query, key).Scan(&person, &box, &changed, &s.password, &s.Factor, &s.step, &s.sealedSecret, &s.record)
	if errors.Is(err, store.ErrNoRows) {
		return SealedLogin{}, fault.New(fault.NotFound, "login-unknown")
	}
	if err != nil {
		return SealedLogin{}, fmt.Errorf("read a login: %w", err)
	}
	s.Person, s.Box, s.Changed = identity.PersonID(person), BoxID(box), store.Time(changed)
	return s, nil
}

// Open opens the row. The zero row opens as nobody's login.
func (s SealedLogin) Open(w *seal.Works) (WebLogin, error) {
	l := s.WebLogin
	if l.Person == "" {
		return WebLogin{}, nil
	}
	id := string(l.Person)
	phc, err := opened[string](w, "web-password", id, s.password)
	if err != nil {
		return WebLogin{}, err
	}
	if l.Hash, err = parsePHC(phc); err != nil {
		return WebLogin{}, fmt.Errorf("password of person %s: %w", l.Person, err)
	}
	if l.Name, err = opened[string](w, "web-login", id, s.record); err != nil {
		return WebLogin{}, err
	}
	if len(s.sealedSecret) > 0 {
		if l.secret, err = w.Open("web-factor", id, s.sealedSecret); err != nil {
			return WebLogin{}, fmt.Errorf("second factor of person %s: %w", l.Person, err)
		}
	}
	l.phc = s.password
	return l, nil
}

// Unchanged holds a login that was checked against its row: nobody gave it another
// password or second factor meanwhile. It fails with fault.Denied "login-failed".
func (l WebLogin) Unchanged(tx *store.Tx) error {
	now, err := WebLoginOf(tx, l.Person)
	switch {
	case fault.Is(err, fault.NotFound):
		return errLogin()
	case err != nil:
		return err
	case string(now.password) != string(l.phc) || now.Factor != l.Factor || now.Box != l.Box:
		return errLogin()
	}
	return nil
}

// PreparedPassword is a new password, sealed and ready for ChangeWebPassword.
type PreparedPassword struct {
	person   identity.PersonID
	password []byte
}

// PrepareWebPassword seals a new password outside of transactions.
func PrepareWebPassword(w *seal.Works, person identity.PersonID, hash PasswordHash) (PreparedPassword, error) {
	password, err := sealed(w, "web-password", string(person), hash.phc())
	return PreparedPassword{person, password}, err
}

// ChangeWebPassword puts a password in the place of the one before. It fails with
// fault.NotFound "login-unknown".
func ChangeWebPassword(tx *store.Tx, p PreparedPassword) error {
	n, err := tx.Exec(`UPDATE web_login SET password = $2, changed = $3 WHERE person_id = $1`,
		string(p.person), p.password, store.Micros(tx.Now()))
	if err != nil {
		return fmt.Errorf("change the password of person %s: %w", p.person, err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "login-unknown")
	}
	return nil
}
