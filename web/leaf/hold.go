package leaf

import (
	"bytes"
	"io"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

// small is how much of a decoded file stays in memory, in octets; more goes to a
// sealed temporary file. Our choice: most attachments of a letter.
const small = 256 << 10

// Held is a decoded file that can be read at any offset until Close.
type Held struct {
	io.ReaderAt
	Size int64

	spool *seal.Spool
}

// Hold reads all of r, at most limit octets, in memory while it is small and else in
// a sealed, unlinked temporary file. It fails with fault.Invalid "file-too-large" or
// as r fails. The caller closes it.
func Hold(r io.Reader, limit int64) (*Held, error) {
	r = io.LimitReader(r, limit+1)
	var head bytes.Buffer
	n, err := io.CopyN(&head, r, small+1)
	switch {
	case n > limit:
		return nil, fault.New(fault.Invalid, "file-too-large")
	case err == io.EOF: //nolint:errorlint // CopyN returns io.EOF itself
		return &Held{ReaderAt: bytes.NewReader(head.Bytes()), Size: n}, nil
	case err != nil:
		return nil, err
	}
	spool, err := seal.NewSpool("")
	if err != nil {
		return nil, err
	}
	h := &Held{ReaderAt: spool, spool: spool}
	if _, err = io.Copy(spool, io.MultiReader(&head, r)); err == nil && spool.Size() > limit {
		err = fault.New(fault.Invalid, "file-too-large")
	}
	if err != nil {
		_ = h.Close() // the first error tells
		return nil, err
	}
	h.Size = spool.Size()
	return h, nil
}

// Close lets go of the file; nothing is left of it.
func (h *Held) Close() error {
	if h.spool == nil {
		return nil
	}
	return h.spool.Close()
}

// Octets returns all of a file that is small enough, nil else.
func (h *Held) Octets(limit int64) ([]byte, error) {
	if h.Size > limit {
		return nil, nil
	}
	b := make([]byte, h.Size)
	_, err := io.ReadFull(io.NewSectionReader(h, 0, h.Size), b)
	return b, err
}
