package seal

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/vaguemestre/vaguemestre/fault"
)

// inBuffer is how much sealed data is read at once, in bytes.
const inBuffer = 32 << 10

// BodyReader reads the plaintext of a sealed body at any offset. It holds one
// decrypted segment, and hands out no byte of a segment before the whole segment is
// authenticated and its name (body, index, last flag) and size are right.
//
// Unlike other implementations of io.ReaderAt it is not safe for concurrent use.
type BodyReader struct {
	redacted
	src    io.ReaderAt
	key    SessionKey
	bodyID string
	plain  int64
	sealed int64
	full   int64 // sealed size of a full segment

	buf  []byte // plaintext of segment have
	have int64  // -1 when buf holds none
	in   *bufio.Reader
}

// NewBodyReader returns a reader of the body that a BodyWriter sealed under the
// same key and id. It reads nothing yet; sizes that do not belong together are
// fault.Internal "body-broken" (a body cut or lengthened between segments).
func NewBodyReader(r io.ReaderAt, sealedSize, plainSize int64, k SessionKey, bodyID string) (*BodyReader, error) {
	if err := checkBodyID(bodyID); err != nil {
		return nil, err
	}
	if _, err := k.use(); err != nil {
		return nil, err
	}
	if plainSize < 0 || sealedSize != BodySize(plainSize) {
		return nil, fault.Newf(fault.Internal, "body-broken", "%d sealed bytes cannot hold %d", sealedSize, plainSize)
	}
	return &BodyReader{
		src: r, key: k, bodyID: bodyID,
		plain: plainSize, sealed: sealedSize, full: segmentSize(SegmentSize),
		have: -1,
	}, nil
}

// Size returns the size of the plaintext in bytes.
func (b *BodyReader) Size() int64 { return b.plain }

// ReadAt reads plaintext at an offset and decrypts only the segments it needs. A
// damaged, moved or foreign segment is fault.Internal "body-broken"; an error of the
// underlying reader comes back wrapped.
func (b *BodyReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fault.New(fault.Invalid, "body-offset-negative")
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= b.plain {
			// An empty body has a segment too: it is checked before it is believed.
			if b.plain == 0 {
				if err := b.load(0); err != nil {
					return 0, err
				}
			}
			return n, io.EOF
		}
		if err := b.load(at / SegmentSize); err != nil {
			return n, err
		}
		n += copy(p[n:], b.buf[at%SegmentSize:])
	}
	return n, nil
}

// Close wipes the decrypted segment. It leaves the source open.
func (b *BodyReader) Close() error {
	clear(b.buf[:cap(b.buf)])
	b.buf, b.in, b.have = nil, nil, -1
	return nil
}

// load decrypts and checks one segment into the buffer.
func (b *BodyReader) load(index int64) error {
	if b.have == index {
		return nil
	}
	key, err := b.key.use()
	if err != nil {
		return err
	}
	last := index == segments(b.plain)-1
	start, size, plain := index*b.full, b.full, int64(SegmentSize)
	if last {
		size, plain = b.sealed-start, b.plain-index*SegmentSize
	}
	src := &source{r: io.NewSectionReader(b.src, start, size)}
	if b.in == nil {
		b.in = bufio.NewReaderSize(src, int(min(b.sealed, inBuffer)))
	} else {
		b.in.Reset(src)
	}
	if int64(cap(b.buf)) < plain {
		b.buf = make([]byte, min(b.plain, SegmentSize))
	}
	b.buf, b.have = b.buf[:plain], -1
	if err := openSegment(b.in, key, segmentName(b.bodyID, index, last), b.buf); err != nil {
		clear(b.buf)
		if src.err != nil {
			return fmt.Errorf("read segment %d: %w", index, src.err)
		}
		return fault.Newf(fault.Internal, "body-broken", "segment %d: %w", index, err)
	}
	b.have = index
	return nil
}

// openSegment decrypts one segment into plain, which it must fill exactly.
func openSegment(src *bufio.Reader, key []byte, name string, plain []byte) error {
	in := &exact{r: src}
	contents, err := openPacket(in, key)
	if err != nil {
		return err
	}
	inner, err := packet.Read(contents)
	if err != nil {
		return err
	}
	literal, ok := inner.(*packet.LiteralData)
	if !ok || !literal.IsBinary || literal.Time != 0 {
		return errors.New("no literal packet of ours")
	}
	if literal.FileName != name {
		return errors.New("segment is of another body or place")
	}
	if _, err := io.ReadFull(literal.Body, plain); err != nil {
		return fmt.Errorf("segment is short: %w", err)
	}
	if err := atEnd(literal.Body); err != nil {
		return fmt.Errorf("literal goes on: %w", err)
	}
	if err := atEnd(contents); err != nil {
		return fmt.Errorf("second packet: %w", err)
	}
	// RFC 9580 5.13.2: only the last tag proves that no chunk is missing.
	if err := contents.Close(); err != nil {
		return err
	}
	if in.ended {
		return errors.New("packet is longer than its segment")
	}
	if err := atEnd(in); err != nil {
		return fmt.Errorf("bytes after the packet: %w", err)
	}
	return nil
}

// openPacket starts the decryption of a SEIPDv2 packet with exactly the parameters
// that BodyWriter uses: nothing in a damaged header chooses how much is allocated.
func openPacket(in *exact, key []byte) (io.ReadCloser, error) {
	first, err := in.r.Peek(1)
	if err != nil {
		return nil, err
	}
	if first[0] != tagSEIPD {
		return nil, errors.New("no encrypted packet")
	}
	p, err := packet.Read(in)
	if err != nil {
		return nil, err
	}
	sealed, ok := p.(*packet.SymmetricallyEncrypted)
	if !ok || sealed.Version != 2 || sealed.Cipher != packet.CipherAES256 || sealed.Mode != packet.AEADModeGCM ||
		sealed.ChunkSizeByte != cipherConfig().AEADConfig.ChunkSizeByte() {
		return nil, errors.New("not encrypted the way we do")
	}
	return sealed.Decrypt(packet.CipherAES256, key)
}

// atEnd returns nil if r has nothing more to give.
func atEnd(r io.Reader) error {
	var one [1]byte
	n, err := r.Read(one[:])
	if n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = errors.New("not at the end")
	}
	return err
}

// exact remembers whether its end was met: the library takes a packet whose length
// is larger than what there is, when the last tag happens to be in place.
type exact struct {
	r     *bufio.Reader
	ended bool
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.ended = e.ended || errors.Is(err, io.EOF)
	return n, err
}

// source remembers a failure of the storage, which is not a damaged body.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
