package identity

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// The OIDs under which a matricule can stand (spec dmp 3).
const (
	// INSNIR is the registration number of social security.
	INSNIR = "1.2.250.1.213.1.4.8"
	// INSNIA is the waiting number of people who have no NIR yet.
	INSNIA = "1.2.250.1.213.1.4.9"
	// INSTest marks fictitious people; never taken as qualified in production.
	INSTest = "1.2.250.1.213.1.4.10"
	// INSDemo marks demonstration data.
	INSDemo = "1.2.250.1.213.1.4.11"
)

// INS is a patient's national health identifier: an OID and a matricule of 13
// characters with a key of two digits. The pair is the identity, never the
// matricule alone: one person can move from a NIA to a NIR.
//
// An INS is health data: it prints itself as "INS(***)". Only Matricule returns
// it. (Package fmt calls no method on an unexported field: do not print a struct
// that hides one.)
type INS struct {
	oid       string
	matricule string // 13 characters and the key
}

// ParseINS checks an identity that we are to write or to rely on: a known OID,
// 15 characters with the right key. It fails with the reason "ins-malformed", or
// "ins-key-wrong" when only the key is wrong (package fault reads both as
// fault.Invalid).
func ParseINS(oid, matricule string) (INS, error) {
	i, err := ReadINS(oid, matricule)
	switch {
	case err != nil:
		return INS{}, err
	case strings.IndexByte("123478", matricule[0]) < 0:
		return INS{}, Malformed("ins-malformed")
	case !i.KeyRight():
		return INS{}, Malformed("ins-key-wrong")
	}
	return i, nil
}

// ReadINS takes an identity as a received document gives it: the shape is
// checked, the key is not (official samples have wrong ones: see KeyRight). It
// fails with the reason "ins-malformed".
func ReadINS(oid, matricule string) (INS, error) {
	if !knownINS(oid) || len(matricule) != 15 || !digits(matricule[13:]) {
		return INS{}, Malformed("ins-malformed")
	}
	if _, ok := insNumber(matricule[:13]); !ok {
		return INS{}, Malformed("ins-malformed")
	}
	return INS{oid: oid, matricule: matricule}, nil
}

// INSKey returns the key of a matricule of 13 characters: 97 less the remainder
// of its number by 97, on two digits. Corsica's departments 2A and 2B count as 19
// and 18 (spec dmp 3). It fails with the reason "ins-malformed".
func INSKey(matricule string) (string, error) {
	n, ok := insNumber(matricule)
	if !ok {
		return "", Malformed("ins-malformed")
	}
	return fmt.Sprintf("%02d", 97-n%97), nil
}

// IsZero reports whether i names nobody.
func (i INS) IsZero() bool { return i.matricule == "" }

// OID returns the OID under which the matricule stands.
func (i INS) OID() string { return i.oid }

// Matricule returns the 13 characters and the key. Never log it.
func (i INS) Matricule() string { return i.matricule }

// KeyRight reports whether the last two digits are the key of the others.
func (i INS) KeyRight() bool {
	if i.IsZero() {
		return false
	}
	key, err := INSKey(i.matricule[:13])
	return err == nil && key == i.matricule[13:]
}

// Fictitious reports whether the OID is one of test or demonstration data.
func (i INS) Fictitious() bool { return i.oid == INSTest || i.oid == INSDemo }

// String hides the matricule.
func (i INS) String() string { return "INS(***)" }

// Format hides the matricule from every verb of package fmt.
func (i INS) Format(f fmt.State, _ rune) { fmt.Fprint(f, i.String()) }

// LogValue hides the matricule from every log.
func (i INS) LogValue() slog.Value { return slog.StringValue(i.String()) }

func knownINS(oid string) bool {
	switch oid {
	case INSNIR, INSNIA, INSTest, INSDemo:
		return true
	}
	return false
}

// insNumber reads 13 characters as the number that the key is made of.
func insNumber(m string) (uint64, bool) {
	if len(m) != 13 {
		return 0, false
	}
	// Positions 6 and 7 are the department of birth.
	switch m[5:7] {
	case "2A":
		m = m[:5] + "19" + m[7:]
	case "2B":
		m = m[:5] + "18" + m[7:]
	}
	if !digits(m) {
		return 0, false
	}
	n, err := strconv.ParseUint(m, 10, 64)
	return n, err == nil
}

// digits reports whether s is made of ASCII digits only.
func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
