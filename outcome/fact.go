package outcome

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// What names a kind of fact. The package documentation says what each means.
type What string

// The kinds of facts.
const (
	Accepted   What = "accepted"
	Held       What = "held"
	Relayed    What = "relayed"
	Expired    What = "expired"
	Refused    What = "refused"
	Delivered  What = "delivered"
	Noticed    What = "noticed"
	Read       What = "read"
	Filed      What = "filed"
	Integrated What = "integrated"
	Answered   What = "answered"
)

// Bounds of a fact's strings, in bytes. A reply is at most 512 (RFC 5321 4.5.3.1.5)
// a line; a few lines are worth keeping.
const (
	maxCode     = 64
	maxEvidence = 4 << 10
)

// Fact is one thing that happened to a letter on its way to one recipient.
type Fact struct {
	// At is when it happened, as the evidence says; kept to the microsecond.
	At time.Time
	// What happened.
	What What
	// Code is the cause of a Refused, and only of it: an enhanced status code
	// ("5.1.1"), an integration code ("902") or a reason id ("box-closed").
	Code string
	// Evidence is how we know. It is sealed with the fact.
	Evidence Evidence
}

// Evidence is how a fact is known.
type Evidence struct {
	// Source is "self", "smtp", "dsn", "mdn", "flag", "filing" or the like.
	Source string `json:"source,omitempty"`
	// Peer names who said so: a host or a distinguished name.
	Peer string `json:"peer,omitempty"`
	// Text is what was said: an SMTP reply, a diagnostic.
	Text string `json:"text,omitempty"`
	// Ref names the letter or document that says so.
	Ref string `json:"ref,omitempty"`
}

// rank orders facts; 0 is no kind of fact.
func (f Fact) rank() int64 {
	switch f.What {
	case Accepted:
		return 10
	case Held:
		return 20
	case Relayed:
		return 30
	case Expired:
		return 40
	case Refused:
		if integration(f.Code) {
			return 95
		}
		return 50
	case Delivered:
		return 60
	case Noticed:
		return 70
	case Read:
		return 80
	case Filed:
		return 90
	case Integrated:
		return 100
	case Answered:
		return 110
	}
	return 0
}

// integration reports whether a code comes from the recipient's software: HL7
// 100-207, or 900-906 (spec mssante 6.10).
func integration(code string) bool {
	if len(code) != 3 || strings.Trim(code, "0123456789") != "" {
		return false
	}
	return "100" <= code && code <= "207" || "900" <= code && code <= "906"
}

// check returns fault.Internal "outcome-malformed" for a fact that is none.
func (f Fact) check() error {
	e := f.Evidence
	switch {
	case f.rank() == 0, f.At.IsZero(), (f.What == Refused) != (f.Code != ""), len(f.Code) > maxCode:
	case len(e.Source)+len(e.Peer)+len(e.Text)+len(e.Ref) > maxEvidence:
	default:
		return nil
	}
	return fault.Newf(fault.Internal, "outcome-malformed", "fact %q", f.What)
}

// State is the status of a letter for one recipient: the fact that decides it.
type State struct {
	// What is empty for an empty set of facts, which no recipient has.
	What What
	// Code is the cause of a Refused.
	Code string
	// At is when it happened.
	At time.Time
}

// Status derives the status from a set of facts, in any order and with any
// repetition.
func Status(facts []Fact) State {
	if len(facts) == 0 {
		return State{}
	}
	f := slices.MaxFunc(facts, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), b.At.Compare(a.At), cmp.Compare(b.Code, a.Code))
	})
	return State{What: f.What, Code: f.Code, At: f.At}
}

// Settled reports whether the way to the recipient is over, well or badly.
func (s State) Settled() bool {
	return Fact{What: s.What, Code: s.Code}.rank() >= Fact{What: Expired}.rank()
}

// Failed reports whether somebody has to act: the letter did not arrive, or the
// recipient's software did not take it.
func (s State) Failed() bool { return s.What == Expired || s.What == Refused }

// factJSON is the sealed form of a fact; its bytes are hashed, so the order of the
// fields is part of the format.
type factJSON struct {
	At       int64    `json:"at"`
	What     What     `json:"what"`
	Code     string   `json:"code,omitempty"`
	Evidence Evidence `json:"evidence"`
}

// MarshalJSON writes the sealed form.
func (f Fact) MarshalJSON() ([]byte, error) {
	return json.Marshal(factJSON{store.Micros(f.At), f.What, f.Code, f.Evidence})
}

// UnmarshalJSON reads the sealed form.
func (f *Fact) UnmarshalJSON(b []byte) error {
	var j factJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*f = Fact{store.Time(j.At), j.What, j.Code, j.Evidence}
	return nil
}
