package seal

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"

	"filippo.io/age"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Spool is a temporary file for plaintext that is too large for memory: encrypted
// with age under a key that exists in memory only, and unlinked as soon as it is
// open, so that nothing is left of it after Close or a crash. It is written first,
// then read at any offset; the first read ends the writing. It is safe for
// concurrent use.
type Spool struct {
	redacted

	// mu guards what follows.
	mu     sync.Mutex
	file   *os.File
	id     *age.X25519Identity
	out    *bufio.Writer
	enc    io.WriteCloser // nil once the writing ended
	plain  io.ReaderAt
	size   int64
	err    error
	closed bool
}

// NewSpool makes a spool in a folder; "" is the system's.
func NewSpool(dir string) (*Spool, error) {
	f, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s := &Spool{file: f, out: bufio.NewWriterSize(f, outBuffer)}
	if s.id, err = age.GenerateX25519Identity(); err == nil {
		s.enc, err = age.Encrypt(s.out, s.id.Recipient())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// Write appends plaintext; after the first read it is fault.Conflict "spool-read".
func (s *Spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, os.ErrClosed
	case s.err != nil:
		return 0, s.err
	case s.enc == nil:
		return 0, fault.New(fault.Conflict, "spool-read")
	}
	n, err := s.enc.Write(p)
	s.size += int64(n)
	s.err = err
	return n, err
}

// ReadAt reads plaintext at an offset.
func (s *Spool) ReadAt(p []byte, off int64) (int, error) {
	plain, err := s.finish()
	if err != nil {
		return 0, err
	}
	return plain.ReadAt(p, off)
}

// finish ends the writing, once.
func (s *Spool) finish() (io.ReaderAt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, os.ErrClosed
	}
	if s.enc == nil || s.err != nil {
		return s.plain, s.err
	}
	s.err = errors.Join(s.enc.Close(), s.out.Flush())
	s.enc, s.out = nil, nil
	if s.err != nil {
		return nil, s.err
	}
	info, err := s.file.Stat()
	if err == nil {
		s.plain, _, err = age.DecryptReaderAt(s.file, info.Size(), s.id)
	}
	s.id, s.err = nil, err
	return s.plain, s.err
}

// Size returns the number of plaintext bytes written.
func (s *Spool) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Close gives the disk space back. A second Close does nothing.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.id, s.enc, s.out, s.plain = nil, nil, nil, nil
	return s.file.Close()
}
