package account

import (
	"bytes"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// The codes (RFC 6238): six digits, SHA-1 as every authenticator knows it, a new
// one each 30 seconds, and one step of difference between the clocks.
const (
	codePeriod = 30 * time.Second
	codeDigits = otp.DigitsSix
	codeSkew   = 1
	secretSize = 20 // octets: the length of SHA-1 (RFC 4226 4, R6)
)

// Enrolment is a second factor as it is shown once, before its first code proves
// that the person's device has it.
type Enrolment struct {
	// Secret is in base32, for typing.
	Secret string
	// URI is the otpauth address, for a QR code.
	URI string

	key    *otp.Key
	person identity.PersonID
	sealed []byte
}

// PNG returns the URI as a QR code of size by size pixels.
func (e Enrolment) PNG(size int) ([]byte, error) {
	img, err := e.key.Image(size, size)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "qr-code", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fault.Wrap(fault.Internal, "qr-code", err)
	}
	return b.Bytes(), nil
}

// String returns "[redacted]".
func (e Enrolment) String() string { return "[redacted]" }

// NewEnrolment makes a second factor for a login. Issuer is who asks for it, as the
// person's device will show.
func NewEnrolment(w *seal.Works, l WebLogin, issuer string) (Enrolment, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: l.Name, SecretSize: secretSize, Digits: codeDigits})
	if err != nil {
		return Enrolment{}, fault.Wrap(fault.Internal, "second-factor", err)
	}
	e := Enrolment{Secret: key.Secret(), URI: key.URL(), key: key, person: l.Person}
	e.sealed, err = w.Seal("web-factor", string(l.Person), []byte(key.Secret()))
	return e, err
}

// ShowFactor keeps a second factor that was shown: from now on a code may confirm
// it. It fails with fault.Conflict "factor-on" when there is one already.
func ShowFactor(tx *store.Tx, e Enrolment) error {
	n, err := tx.Exec(`UPDATE web_login SET factor = 1, step = 0, secret = $2 WHERE person_id = $1 AND factor < 2`,
		string(e.person), e.sealed)
	if err != nil {
		return fmt.Errorf("keep the second factor of person %s: %w", e.person, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "factor-on")
	}
	return nil
}

// Step returns the step of a code that is good at a moment, 0 if it is none: one
// step early or late is good, a step that was used, or an older one, is not.
func (l WebLogin) Step(code string, at time.Time) int64 {
	if len(l.secret) == 0 {
		return 0
	}
	now, found := at.Unix()/int64(codePeriod/time.Second), int64(0)
	for step := now - codeSkew; step <= now+codeSkew; step++ {
		want, err := hotp.GenerateCodeCustom(string(l.secret), uint64(step), hotp.ValidateOpts{Digits: codeDigits})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > l.step {
			found = step
		}
	}
	return found
}

// UseStep uses up a step. A step that was used, or an older one, is fault.Denied
// "login-failed": whoever looked over a shoulder comes too late (RFC 6238 5.2).
func UseStep(tx *store.Tx, person identity.PersonID, step int64) error {
	n, err := tx.Exec(`UPDATE web_login SET step = $2 WHERE person_id = $1 AND step < $2 AND factor > 0`, string(person), step)
	if err != nil {
		return fmt.Errorf("use a code of person %s: %w", person, err)
	}
	if n == 0 {
		return errLogin()
	}
	return nil
}

// SetFactor switches a second factor on that was shown, or off with its recovery
// codes. It fails with fault.Conflict "factor-unchanged".
func SetFactor(tx *store.Tx, person identity.PersonID, on bool) error {
	query, args := `UPDATE web_login SET factor = 2 WHERE person_id = $1 AND factor = 1`, []any{string(person)}
	if !on {
		if _, err := tx.Exec(`DELETE FROM web_recovery WHERE person_id = $1`, string(person)); err != nil {
			return fmt.Errorf("drop the recovery codes of person %s: %w", person, err)
		}
		query = `UPDATE web_login SET factor = 0, step = 0, secret = $2 WHERE person_id = $1 AND factor = 2`
		args = append(args, []byte{})
	}
	n, err := tx.Exec(query, args...)
	if err != nil {
		return fmt.Errorf("switch the second factor of person %s: %w", person, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "factor-unchanged")
	}
	return nil
}

// Recovery codes: ten, of ten characters of five bits each. Guessing is slowed like
// every other code.
const (
	recoveryCodes  = 10
	recoveryLength = 10
)

// RecoveryCodes are codes that each let their person in once without the second
// factor. They are shown once.
type RecoveryCodes struct {
	person identity.PersonID
	codes  []string
	macs   [][]byte
}

// NewRecoveryCodes makes ten codes.
func NewRecoveryCodes(w *seal.Works, person identity.PersonID) RecoveryCodes {
	r := RecoveryCodes{person: person}
	for range recoveryCodes {
		code := NewSecret().text[:recoveryLength]
		r.codes = append(r.codes, code)
		r.macs = append(r.macs, recoveryMAC(w, person, code))
	}
	return r
}

// Reveal returns the codes in groups, for their holder's eyes.
func (r RecoveryCodes) Reveal() []string {
	out := make([]string, len(r.codes))
	for i, c := range r.codes {
		out[i] = c[:recoveryLength/2] + "-" + c[recoveryLength/2:]
	}
	return out
}

// String returns "[redacted]".
func (r RecoveryCodes) String() string { return "[redacted]" }

// recoveryMAC is the keyed hash of a code, however it was typed.
func recoveryMAC(w *seal.Works, person identity.PersonID, code string) []byte {
	code = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
	return w.MAC("web-recovery", []byte(person), []byte(code))
}

// IsRecoveryCode reports whether a text has the shape of a recovery code rather
// than that of a code from a device.
func IsRecoveryCode(text string) bool {
	text = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(text))
	_, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	return len(text) == recoveryLength && err == nil
}

// SetRecoveryCodes puts codes in the place of those before.
func SetRecoveryCodes(tx *store.Tx, r RecoveryCodes) error {
	if _, err := tx.Exec(`DELETE FROM web_recovery WHERE person_id = $1`, string(r.person)); err != nil {
		return fmt.Errorf("drop the recovery codes of person %s: %w", r.person, err)
	}
	for _, mac := range r.macs {
		if _, err := tx.Exec(`INSERT INTO web_recovery (person_id, code_mac) VALUES ($1, $2)`, string(r.person), mac); err != nil {
			return fmt.Errorf("keep the recovery codes of person %s: %w", r.person, err)
		}
	}
	return nil
}

// UseRecoveryCode uses up a code. Any other text is fault.Denied "login-failed".
func UseRecoveryCode(tx *store.Tx, w *seal.Works, person identity.PersonID, code string) error {
	n, err := tx.Exec(`DELETE FROM web_recovery WHERE person_id = $1 AND code_mac = $2`, string(person), recoveryMAC(w, person, code))
	if err != nil {
		return fmt.Errorf("use a recovery code of person %s: %w", person, err)
	}
	if n == 0 {
		return errLogin()
	}
	return nil
}

// RecoveryLeft returns how many codes a person has left.
func RecoveryLeft(tx *store.Tx, person identity.PersonID) (n int, err error) {
	err = tx.QueryRow(`SELECT count(*) FROM web_recovery WHERE person_id = $1`, string(person)).Scan(&n)
	return n, err
}
