package filing

import (
	"log/slog"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Identity is who a document is about, as far as it says, or whose box it came to:
// the INS and the traits that are held against each other (spec dmp 3). It prints
// itself as "identity(***)".
type Identity struct {
	// OID and Matricule are the INS: always compared as a pair, exactly.
	OID, Matricule string
	// BirthName is the birth name, Given the first birth given name.
	BirthName, Given string
	// BirthDate is YYYY-MM-DD; Sex is "M" or "F".
	BirthDate, Sex string
}

// IdentityOf returns the identity of a person.
func IdentityOf(p account.Person) Identity {
	return Identity{OID: p.INSOID, Matricule: p.INS, BirthName: p.Family, Given: p.Given, BirthDate: p.BirthDate, Sex: p.Sex}
}

// IsZero reports whether nothing is known.
func (i Identity) IsZero() bool { return i == Identity{} }

// String hides the identity.
func (Identity) String() string { return "identity(***)" }

// GoString hides the identity.
func (Identity) GoString() string { return "identity(***)" }

// LogValue hides the identity from every log.
func (Identity) LogValue() slog.Value { return slog.StringValue("identity(***)") }

// The reasons of an identity that keeps a document out.
const (
	reasonINSMissing         = "identity-ins-missing" // 903
	reasonIdentityIncomplete = "identity-incomplete"  // 905
	reasonIdentityDiffers    = "identity-differs"     // 904
	reasonPatientUnknown     = "patient-unknown"      // 902
	reasonOwnerUnknown       = "box-identity-missing" // 906: nothing to compare with
	reasonTwoPatients        = "letter-two-patients"  // 906: one patient a letter (spec mssante 6.1)
	warningKeyWrong          = "ins-key-wrong"        // the person decides (spec dmp 3)
	warningNotInDocument     = "identity-not-in-document"
)

// claim is what one place says of the patient: the metadata of a package or the
// header of a document.
type claim struct {
	Identity
	// others are INS beside the first: each has to be the owner's too.
	others []ins
	// snapshot says that the traits are a snapshot of the sender's system: what is
	// there must agree, what is missing is no fault (spec dmp 1.3).
	snapshot bool
	// names and givens are other forms in which a name may be right: a used name in a
	// snapshot, the list of all given names.
	names, givens []string
}

// ins is the pair that names a person.
type ins struct{ oid, matricule string }

// isINS reports whether an OID is one of the INS (spec dmp 3), those that have been
// replaced included: a document that only has such a one says who it is about in a
// way that is not taken any more, and differs.
func isINS(oid string) bool {
	switch oid {
	case identity.INSNIR, identity.INSNIA, identity.INSTest, identity.INSDemo:
		return true
	}
	return oid == "1.2.250.1.213.1.4.1" || oid == "1.2.250.1.213.1.4.2" // INS-A, INS-C
}

// compare holds what is said of a document's patient against whose documents they
// must be. It returns the reason that keeps it out, empty for none. All claims have to
// agree; one has to say everything.
func compare(owner Identity, claims []claim) string {
	known := (claim{Identity: owner}).lacks() == ""
	if known && slices.ContainsFunc(claims, func(c claim) bool { return c.differs(owner) }) {
		return reasonIdentityDiffers
	}
	worst, least := "", reasonINSMissing
	for _, c := range claims {
		lacks := c.lacks()
		if gravity(lacks) < gravity(least) {
			least = lacks
		}
		if !c.snapshot && gravity(lacks) > gravity(worst) {
			worst = lacks
		}
	}
	switch {
	case worst != "":
		return worst
	case least != "":
		return least
	case !known:
		return reasonOwnerUnknown
	}
	return ""
}

// differs reports whether something that is said is not the owner's.
func (c claim) differs(owner Identity) bool {
	pairs := c.others
	if c.Matricule != "" {
		pairs = append([]ins{{c.OID, c.Matricule}}, c.others...)
	}
	for _, p := range pairs {
		if p.oid != owner.OID || p.matricule != owner.Matricule {
			return true
		}
	}
	if c.BirthDate != "" && c.BirthDate != owner.BirthDate || c.Sex != "" && sexOf(c.Sex) != sexOf(owner.Sex) {
		return true
	}
	return !c.nameIs(fold(owner.BirthName)) || !c.givenIs(fold(owner.Given))
}

// lacks is what a claim does not say: the INS, or a trait.
func (c claim) lacks() string {
	switch {
	case c.OID == "" || c.Matricule == "":
		return reasonINSMissing
	case fold(c.BirthName) == "" || fold(c.Given) == "" || c.BirthDate == "" || c.Sex == "":
		return reasonIdentityIncomplete
	}
	return ""
}

// nameIs reports whether the birth name is that one. A snapshot may hold the used name
// instead, if the document says that it is.
func (c claim) nameIs(want string) bool {
	have := fold(c.BirthName)
	if have == "" || have == want {
		return true
	}
	return c.snapshot && slices.ContainsFunc(c.names, func(used string) bool { return fold(used) == have })
}

// givenIs reports whether the first given name is that one. Of a list of names, the
// first must be it: "JEAN PIERRE MARIE" begins with JEAN and with JEAN PIERRE, but
// "JEAN-PIERRE MARIE" does not begin with JEAN.
func (c claim) givenIs(want string) bool {
	have := fold(c.Given)
	if have == "" || have == want {
		return true
	}
	return slices.ContainsFunc(c.givens, func(other string) bool {
		if c.snapshot && fold(other) == have {
			return true
		}
		words := strings.Fields(other)
		for n := range words {
			if fold(strings.Join(words[:n+1], " ")) == want {
				return true
			}
		}
		return false
	})
}

// fold returns a name in the form that is compared: without accents, in upper case,
// hyphen and apostrophe as a space (spec dmp 3).
func fold(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'œ' || r == 'Œ':
			b.WriteString("OE")
		case r == 'æ' || r == 'Æ':
			b.WriteString("AE")
		case r == 'ß' || r == 'ẞ':
			b.WriteString("SS")
		case unicode.Is(unicode.Pd, r), r == '\'', r == '’', r == '‘', r == 'ʼ', r == '`', r == '´', unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
