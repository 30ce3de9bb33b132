package seal

import (
	"bufio"
	"crypto/sha256"
	"hash"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// firstBuffer is the first size of a writer's plaintext buffer, in bytes: most
	// letters fit. It grows by growth up to a segment.
	firstBuffer = 4 << 10
	growth      = 4
	// outBuffer is the most sealed bytes that are gathered before a write, in bytes.
	outBuffer = 32 << 10
)

// BodyWriter seals a body as it is written, segment by segment. It holds one
// segment of plaintext, and less for a small body. It is not safe for concurrent use.
type BodyWriter struct {
	redacted
	key    SessionKey
	bodyID string
	dst    counter
	out    *bufio.Writer
	buf    []byte // plaintext of the segment under way
	index  int64
	plain  int64
	closed bool
	err    error
}

// NewBodyWriter returns a writer that seals a body to w under its session key,
// which must stay alive until Close. The id is 1 to 64 letters, digits, '-' and '_';
// another one is fault.Invalid "body-id-malformed" at the first Write or Close. The
// caller ends with Close, or with Abort.
func NewBodyWriter(w io.Writer, k SessionKey, bodyID string) *BodyWriter {
	return &BodyWriter{
		key: k, bodyID: bodyID,
		dst: counter{w: w, digest: sha256.New()},
		err: checkBodyID(bodyID),
	}
}

// Write takes plaintext. A segment leaves for the destination when one more byte
// shows that it is not the last.
func (w *BodyWriter) Write(p []byte) (int, error) {
	if w.err == nil && w.closed {
		w.err = fault.New(fault.Internal, "body-writer-closed")
	}
	written := 0
	for len(p) > 0 && w.err == nil {
		if len(w.buf) == SegmentSize {
			if w.err = w.seal(false); w.err != nil {
				break
			}
		}
		w.grow(len(p))
		n := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		written += n
		w.plain += int64(n)
	}
	return written, w.err
}

// grow makes room for more plaintext, up to one segment.
func (w *BodyWriter) grow(more int) {
	if cap(w.buf)-len(w.buf) >= min(more, SegmentSize-len(w.buf)) {
		return
	}
	size := max(cap(w.buf), firstBuffer)
	for size < min(len(w.buf)+more, SegmentSize) {
		size *= growth
	}
	bigger := make([]byte, len(w.buf), min(size, SegmentSize))
	copy(bigger, w.buf)
	w.wipe()
	w.buf = bigger
}

// Close seals the last segment. It does not close the destination. A second Close
// returns what the first did.
func (w *BodyWriter) Close() error {
	if w.closed {
		return w.err
	}
	if w.err == nil {
		w.err = w.seal(true)
	}
	w.Abort()
	return w.err
}

// Abort wipes the plaintext and ends the writer without sealing the rest. After
// Close it does nothing.
func (w *BodyWriter) Abort() {
	w.closed = true
	w.wipe()
	w.buf, w.out = nil, nil
}

func (w *BodyWriter) wipe() { clear(w.buf[:cap(w.buf)]) }

// Plain returns the number of plaintext bytes taken.
func (w *BodyWriter) Plain() int64 { return w.plain }

// Sealed returns the number of bytes written to the destination: after Close,
// BodySize(Plain()).
func (w *BodyWriter) Sealed() int64 { return w.dst.n }

// Digest returns the SHA-256 of the bytes written to the destination, for the audit
// leaf that binds the body's identity to its ciphertext.
func (w *BodyWriter) Digest() [sha256.Size]byte {
	return [sha256.Size]byte(w.dst.digest.Sum(nil))
}

// seal sends the buffered plaintext as one segment.
func (w *BodyWriter) seal(last bool) error {
	key, err := w.key.use()
	if err != nil {
		return err
	}
	want, before := segmentSize(int64(len(w.buf))), w.dst.n
	if w.out == nil {
		w.out = bufio.NewWriterSize(&w.dst, int(min(want, outBuffer)))
	}
	if err := sealSegment(w.out, key, segmentName(w.bodyID, w.index, last), w.buf); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	if got := w.dst.n - before; got != want {
		return fault.Newf(fault.Internal, "segment-size", "sealed segment takes %d bytes, not %d", got, want)
	}
	w.index++
	clear(w.buf)
	w.buf = w.buf[:0]
	return nil
}

// sealSegment writes one SEIPDv2 packet that holds one literal packet.
func sealSegment(out io.Writer, key []byte, name string, plain []byte) error {
	suite := packet.CipherSuite{Cipher: packet.CipherAES256, Mode: packet.AEADModeGCM}
	sealed, err := packet.SerializeSymmetricallyEncrypted(out, packet.CipherAES256, true, suite, key, cipherConfig())
	if err != nil {
		return err
	}
	literal, err := packet.SerializeLiteral(sealed, true, name, 0)
	if err != nil {
		return err
	}
	for len(plain) > 0 {
		n := min(len(plain), pieceSize)
		if _, err := literal.Write(plain[:n]); err != nil {
			return err
		}
		plain = plain[n:]
	}
	return literal.Close() // closes the sealed packet too
}

// counter counts and digests what passes to w.
type counter struct {
	w      io.Writer
	n      int64
	digest hash.Hash
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.digest.Write(p[:n])
	return n, err
}
