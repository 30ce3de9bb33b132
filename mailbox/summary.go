package mailbox

import (
	"encoding/binary"
	"fmt"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Summary is what lists and FETCH need of a letter without its body: the head,
// written once at delivery for this recipient; the offset map of the body; a
// preview. The row keeps it sealed with the letter's session key.
type Summary struct {
	// Head is what stands before the body: trace fields, and for a patient the
	// fields whose addresses are replaced. CRLF line ends, no empty line.
	Head []byte
	// Structure is the body's offset map: offsets count from the body's first octet.
	// Ambiguities are in it.
	Structure *letter.Structure
	// Preview is the beginning of the first text part.
	Preview string
}

// summaryVersion is the first octet of an encoded summary.
const summaryVersion = 1

// SealSummary seals a summary for the row of the letter id: version, then head
// and preview with their lengths (uvarint), then the structure.
func SealSummary(k seal.SessionKey, id MessageID, s Summary) ([]byte, error) {
	if s.Structure == nil {
		return nil, fault.New(fault.Internal, "summary-without-structure")
	}
	structure := s.Structure.Marshal()
	plain := make([]byte, 0, 1+2*binary.MaxVarintLen64+len(s.Head)+len(s.Preview)+len(structure))
	plain = append(plain, summaryVersion)
	plain = append(binary.AppendUvarint(plain, uint64(len(s.Head))), s.Head...)
	plain = append(binary.AppendUvarint(plain, uint64(len(s.Preview))), s.Preview...)
	plain = append(plain, structure...)
	sealed, err := k.SealRecord("summary", string(id), plain)
	if err != nil {
		return nil, fmt.Errorf("seal the summary of letter %s: %w", id, err)
	}
	return sealed, nil
}

// OpenSummary opens what SealSummary made for the same letter. A record that is
// of another letter, or changed, is fault.Internal "summary-broken".
func OpenSummary(k seal.SessionKey, id MessageID, sealed []byte) (Summary, error) {
	plain, err := k.OpenRecord("summary", string(id), sealed)
	if err != nil {
		return Summary{}, fault.Wrap(fault.Internal, "summary-broken", err)
	}
	if len(plain) == 0 || plain[0] != summaryVersion {
		return Summary{}, fault.New(fault.Internal, "summary-broken")
	}
	head, rest, ok := counted(plain[1:])
	if !ok {
		return Summary{}, fault.New(fault.Internal, "summary-broken")
	}
	preview, rest, ok := counted(rest)
	if !ok {
		return Summary{}, fault.New(fault.Internal, "summary-broken")
	}
	structure, err := letter.Unmarshal(rest)
	if err != nil {
		return Summary{}, fault.Wrap(fault.Internal, "summary-broken", err)
	}
	return Summary{Head: head, Structure: structure, Preview: string(preview)}, nil
}

// counted splits a length and that many octets from b.
func counted(b []byte) (head, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	b = b[used:]
	return b[:n:n], b[n:], true
}
