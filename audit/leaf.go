package audit

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// version is the "v" of every leaf.
const version = 1

// Bounds of a leaf, in bytes. A pseudonym is 64 hex digits; an object is a kind, a
// colon and an id.
const (
	maxWord = 64
	maxMark = 96
)

// MaxDetails bounds the details of one leaf, in bytes as stored.
const MaxDetails = 16 << 10

// Results of an act.
const (
	// Done says that the act took place.
	Done = "done"
	// Refused says that a rule forbade it; Reason says which.
	Refused = "refused"
	// Failed says that it was allowed and did not succeed.
	Failed = "failed"
)

// Leaf is one act. Act, Role, Purpose, Result and Reason are words: lower-case
// letters, digits, "-" and ".", at most 64. Actor, Object and Peer are marks:
// letters, digits and "-_.:/", at most 96 bytes. Act and Result are required, the
// others may be empty. None may hold content, an address, a name or an INS.
type Leaf struct {
	// Actor is the keyed pseudonym of the real person or machine.
	Actor string
	// Role is the role in which it acted, such as "professional" or "peer".
	Role string
	// Act is what was done, such as "letter-delivered".
	Act string
	// Object is what it was done to: a kind and an id or pseudonym, "letter:01k…".
	Object string
	// Purpose is why, where the law asks for it, such as "care" or "emergency".
	Purpose string
	// Result is Done, Refused or Failed.
	Result string
	// Reason is the reason id of a refusal or failure (see package fault).
	Reason string
	// Peer is from where: see Network. Never a whole address.
	Peer string
	// Details are at most MaxDetails bytes that may be erased later. They must not
	// be readable: the caller seals them.
	Details []byte
}

// fields lists the leaf's strings in the order of their JSON keys, except that
// "commit" comes between "actor" and "object".
func (l *Leaf) fields() [8]field {
	return [...]field{
		{"act", l.Act, word, true},
		{"actor", l.Actor, mark, false},
		{"object", l.Object, mark, false},
		{"peer", l.Peer, mark, false},
		{"purpose", l.Purpose, word, false},
		{"reason", l.Reason, word, false},
		{"result", l.Result, word, true},
		{"role", l.Role, word, false},
	}
}

type field struct {
	key, value string
	valid      func(string) bool
	required   bool
}

// check returns fault.Internal "audit-leaf-malformed" with the name of the first
// bad field, never its value: it may be just what must not be written down.
func (l *Leaf) check() error {
	for _, f := range l.fields() {
		if f.value == "" && !f.required {
			continue
		}
		if !f.valid(f.value) || looksLikeINS(f.value) {
			return fault.Newf(fault.Internal, "audit-leaf-malformed", "field %q", f.key)
		}
	}
	if l.Result != Done && l.Result != Refused && l.Result != Failed {
		return fault.Newf(fault.Internal, "audit-leaf-malformed", "field %q", "result")
	}
	if len(l.Details) > MaxDetails {
		return fault.Newf(fault.Internal, "audit-leaf-malformed", "field %q", "details")
	}
	return nil
}

// encode returns the leaf's canonical JSON. The values were checked: none needs an
// escape. commitment is hex, or empty.
func (l *Leaf) encode(ts time.Time, commitment string) []byte {
	b := make([]byte, 0, 256)
	b = append(b, '{')
	for _, f := range l.fields() {
		if f.value != "" {
			b = appendString(b, f.key, f.value)
		}
		if f.key == "actor" && commitment != "" {
			b = appendString(b, "commit", commitment)
		}
	}
	b = append(b, `"ts":`...)
	b = strconv.AppendInt(b, store.Micros(ts), 10)
	b = append(b, `,"v":`...)
	b = strconv.AppendInt(b, version, 10)
	return append(b, '}')
}

func appendString(b []byte, key, value string) []byte {
	b = append(b, '"')
	b = append(b, key...)
	b = append(b, '"', ':', '"')
	b = append(b, value...)
	return append(b, '"', ',')
}

// leafJSON is the reading side of encode.
type leafJSON struct {
	Act     string `json:"act"`
	Actor   string `json:"actor"`
	Commit  string `json:"commit"`
	Object  string `json:"object"`
	Peer    string `json:"peer"`
	Purpose string `json:"purpose"`
	Reason  string `json:"reason"`
	Result  string `json:"result"`
	Role    string `json:"role"`
	TS      int64  `json:"ts"`
	V       int    `json:"v"`
}

// parseLeaf reads the canonical form and nothing else: what it accepts, encode
// gives back byte for byte.
func parseLeaf(b []byte) (l Leaf, ts time.Time, commitment string, err error) {
	var j leafJSON
	bad := func(cause error) error { return fault.Wrap(fault.Invalid, "audit-leaf-malformed", cause) }
	if err := json.Unmarshal(b, &j); err != nil {
		return Leaf{}, time.Time{}, "", bad(err)
	}
	l = Leaf{
		Actor: j.Actor, Role: j.Role, Act: j.Act, Object: j.Object,
		Purpose: j.Purpose, Result: j.Result, Reason: j.Reason, Peer: j.Peer,
	}
	ts = store.Time(j.TS)
	if err := l.check(); err != nil {
		return Leaf{}, time.Time{}, "", bad(err)
	}
	if j.V != version || j.Commit != "" && !isCommitment(j.Commit) || string(l.encode(ts, j.Commit)) != string(b) {
		return Leaf{}, time.Time{}, "", bad(nil)
	}
	return l, ts, j.Commit, nil
}

func word(s string) bool {
	if s == "" || len(s) > maxWord {
		return false
	}
	for i := range len(s) {
		if strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789-.", s[i]) < 0 {
			return false
		}
	}
	return true
}

func mark(s string) bool {
	if s == "" || len(s) > maxMark {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && strings.IndexByte("-_.:/", c) < 0 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// looksLikeINS reports whether a piece of s between punctuation has the shape of an
// INS matricule: 13 digits, or 15 with the key, the seventh possibly A or B for
// Corsica (spec mssante 7.1).
func looksLikeINS(s string) bool {
	for piece := range strings.FieldsFuncSeq(s, func(r rune) bool { return r > 0x7f || !alphanumeric(byte(r)) }) {
		if matricule(piece) {
			return true
		}
	}
	return false
}

func matricule(s string) bool {
	if len(s) != 13 && len(s) != 15 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || i == 6 && strings.IndexByte("ABab", c) >= 0 {
			continue
		}
		return false
	}
	return true
}
