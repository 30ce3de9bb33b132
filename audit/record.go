package audit

import (
	"bytes"
	"strconv"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Record is a numbered leaf: what the tree hashes.
type Record struct {
	// Seq is the number, from 0.
	Seq int64
	// At is when the leaf was numbered; it never falls from one to the next.
	At time.Time
	// Time is when the act's transaction began.
	Time time.Time
	// Leaf is the act; its Details are not filled in.
	Leaf Leaf
	// Commitment names the details, in hex; empty if there were none.
	Commitment string
}

// formatRecord puts the number around a leaf: canonical JSON again.
func formatRecord(seq, at int64, leaf []byte) []byte {
	b := make([]byte, 0, len(leaf)+64)
	b = append(b, `{"at":`...)
	b = strconv.AppendInt(b, at, 10)
	b = append(b, `,"leaf":`...)
	b = append(b, leaf...)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, seq, 10)
	return append(b, '}')
}

// ParseRecord reads a record in its canonical form, byte for byte; anything else is
// fault.Invalid "audit-record-malformed".
func ParseRecord(b []byte) (Record, error) {
	bad := fault.New(fault.Invalid, "audit-record-malformed")
	rest, ok := bytes.CutPrefix(b, []byte(`{"at":`))
	if !ok {
		return Record{}, bad
	}
	atText, rest, ok := bytes.Cut(rest, []byte(`,"leaf":`))
	if !ok {
		return Record{}, bad
	}
	cut := bytes.LastIndex(rest, []byte(`,"seq":`))
	if cut < 0 || !bytes.HasSuffix(rest, []byte(`}`)) {
		return Record{}, bad
	}
	at, err1 := strconv.ParseInt(string(atText), 10, 64)
	seq, err2 := strconv.ParseInt(string(rest[cut+len(`,"seq":`):len(rest)-1]), 10, 64)
	if err1 != nil || err2 != nil || seq < 0 || !bytes.Equal(formatRecord(seq, at, rest[:cut]), b) {
		return Record{}, bad
	}
	l, ts, commitment, err := parseLeaf(rest[:cut])
	if err != nil {
		return Record{}, fault.Wrap(fault.Invalid, "audit-record-malformed", err)
	}
	return Record{Seq: seq, At: store.Time(at), Time: ts, Leaf: l, Commitment: commitment}, nil
}
