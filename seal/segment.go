package seal

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// SegmentSize is the plaintext of every segment but the last, in bytes: what a
	// random read decrypts at most before its first byte.
	SegmentSize = 256 << 10
	// chunkSize is the AEAD chunk of a segment, in bytes (RFC 9580 5.13.2). The
	// library allocates one chunk per packet: its default of 256 KiB costs more than
	// sealing a letter of 2 KiB does.
	chunkSize = 4 << 10
	// pieceSize is how much plaintext is handed to the library at once, in bytes: it
	// buffers what it is given.
	pieceSize = 4 << 10
	// tagSize is the size of an AES-GCM tag, in bytes.
	tagSize = 16
	// maxBodyID is the longest body id, in bytes.
	maxBodyID = 64
	// nameSize is the size of every literal name, in bytes.
	nameSize = 8 + 1 + maxBodyID
	// tagSEIPD is the first byte of a sealed segment (RFC 9580 5.13).
	tagSEIPD = 0xC0 | 18
)

// segmentName is the authenticated name of a segment: index in hex, '+' or '.' for
// the last one, the body's id, then '/' up to the fixed size, so that all full
// segments have one sealed size.
func segmentName(bodyID string, index int64, last bool) string {
	flag := byte('+')
	if last {
		flag = '.'
	}
	return fmt.Sprintf("%08x%c%s%s", index, flag, bodyID, strings.Repeat("/", maxBodyID-len(bodyID)))
}

// checkBodyID refuses ids that a segment's name cannot hold without ambiguity.
func checkBodyID(id string) error {
	if id == "" || len(id) > maxBodyID || strings.ContainsFunc(id, notIDRune) {
		return fault.New(fault.Invalid, "body-id-malformed")
	}
	return nil
}

func notIDRune(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}

// segments returns the number of segments of a body; an empty body has one.
func segments(plain int64) int64 {
	return max(1, (plain+SegmentSize-1)/SegmentSize)
}

// BodySize returns the sealed size of a body of that many bytes. Every full segment
// takes the same room, so that a segment's place is its index times that size.
func BodySize(plain int64) int64 {
	before := segments(plain) - 1
	size := segmentSize(plain - before*SegmentSize)
	if before > 0 {
		size += before * segmentSize(SegmentSize)
	}
	return size
}

// segmentSize returns the sealed size of a segment of n bytes, by going through the
// writes that sealing makes. The writer compares it with what was really written.
func segmentSize(n int64) int64 {
	var literal framing
	literal.write(2) // format, length of the name
	literal.write(nameSize)
	literal.write(4) // time
	for left := n; left > 0; left -= pieceSize {
		literal.write(min(left, pieceSize))
	}
	inner := literal.close()

	var sealed framing
	sealed.write(4)  // version, cipher, mode, chunk size
	sealed.write(32) // salt
	for left := inner; left > 0; left -= chunkSize {
		sealed.write(min(left, chunkSize) + tagSize)
	}
	sealed.write(tagSize)
	return sealed.close()
}

// framing counts the bytes of a packet of unknown length: partial body lengths (RFC
// 9580 4.2.1.4), as the library chooses them. Before each write it sends the largest
// power of two that it holds, if it holds more than 512 bytes.
type framing struct{ held, sent int64 }

func (f *framing) write(n int64) {
	if f.held > 512 {
		part := int64(1) << (bits.Len64(uint64(f.held)) - 1)
		f.sent += 1 + part
		f.held -= part
	}
	f.held += n
}

// close returns the packet's size: type byte, parts, last length, rest.
func (f *framing) close() int64 {
	length := int64(5)
	switch {
	case f.held < 192:
		length = 1
	case f.held < 8384:
		length = 2
	}
	return 1 + f.sent + length + f.held
}
