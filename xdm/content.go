package xdm

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"hash/crc32"
	"io"

	"github.com/vaguemestre/vaguemestre/fault"
)

// octets reads one entry: inflated, counted against the directory, its CRC checked at
// the end. It never returns an octet more than the directory promised.
type octets struct {
	m      *member
	packed *bufio.Reader
	source *io.SectionReader
	plain  io.ReadCloser
	head   []byte // the first octets, by which an archive in the archive is known
	crc    uint32
	n      int64
	err    error
}

// open starts reading an entry.
func (a *archive) open(m *member) *octets {
	o := &octets{m: m, source: io.NewSectionReader(a.src, m.body, m.packed)}
	o.packed = bufio.NewReaderSize(o.source, 16<<10)
	if m.method == methodStored {
		o.plain = io.NopCloser(o.packed)
	} else {
		// flate takes no octet too many from a reader of single octets.
		o.plain = flate.NewReader(o.packed)
	}
	return o
}

func (o *octets) Read(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	// One octet more than promised is asked for, to see a lie.
	if room := o.m.plain - o.n + 1; int64(len(p)) > room {
		p = p[:room]
	}
	n, err := o.plain.Read(p)
	if o.n+int64(n) > o.m.plain {
		o.err = invalid("zip-malformed", "an entry inflates to more than it says")
		return 0, o.err
	}
	o.crc = crc32.Update(o.crc, crc32.IEEETable, p[:n])
	o.n += int64(n)
	if len(o.head) < headSize {
		o.head = append(o.head, p[:min(n, headSize-len(o.head))]...)
		if isArchive(o.head) {
			o.err = invalid("zip-nested", "an archive in the archive")
			return 0, o.err
		}
	}
	if err != nil {
		o.err = o.end(err)
	}
	return n, o.err
}

// end turns the end of the data into io.EOF, or into what is wrong with it.
func (o *octets) end(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Wrap(fault.Invalid, "zip-malformed", err)
	case !errors.Is(err, io.EOF):
		return err
	case o.n != o.m.plain:
		return invalid("zip-malformed", "an entry inflates to less than it says")
	case o.left() != 0:
		return invalid("zip-ambiguous", "octets after the end of the deflated data")
	case o.crc != o.m.crc:
		return invalid("zip-crc", "a wrong CRC")
	}
	return io.EOF
}

// left returns how many packed octets nobody asked for.
func (o *octets) left() int64 {
	at, err := o.source.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return o.m.packed - at + int64(o.packed.Buffered())
}

// Close ends the reading. Nothing is held that has to be given back.
func (o *octets) Close() error { return o.plain.Close() }

// headSize is how many octets isArchive wants to see.
const headSize = 6

// isArchive reports whether octets begin a file that holds other files. What hides in
// one would pass every check of this package.
func isArchive(head []byte) bool {
	for _, magic := range []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "Rar!", "7z\xbc\xaf", "\x1f\x8b\x08", "BZh9", "\xfd7zXZ"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// verify reads an entry to its end and throws its octets away.
func (a *archive) verify(m *member) error {
	if m.dir && m.packed == 0 {
		return nil
	}
	_, err := io.Copy(io.Discard, a.open(m))
	return err
}
