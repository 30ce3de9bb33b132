package xdm

import (
	"crypto/sha1" // the hash that XDS metadata have (IHE ITI TF-3 4.2.3.2.10)
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/vaguemestre/vaguemestre/fault"
)

// document reads a listed document and checks it against its metadata at the end.
type document struct {
	octets *octets
	entry  *Entry
	sum    hash.Hash
	err    error
}

// Document opens a document of the package. The reader returns io.EOF only after the
// CRC, the size and the SHA-1 were right; what was read before is not to be trusted
// until then. It fails with fault.Invalid "xdm-size-mismatch" (at once),
// "xdm-hash-mismatch" (at the end) or a zip reason; an entry of another package is
// fault.NotFound "xdm-document-missing".
func (p *Package) Document(e *Entry) (io.ReadCloser, error) {
	if e.member == nil || p.archive.byKey[e.member.key] != e.member {
		return nil, fault.New(fault.NotFound, "xdm-document-missing")
	}
	if e.Size >= 0 && e.Size != e.member.plain {
		return nil, invalid("xdm-size-mismatch", "%d octets, the metadata say %d", e.member.plain, e.Size)
	}
	return &document{octets: p.archive.open(e.member), entry: e, sum: sha1.New()}, nil
}

func (d *document) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.octets.Read(p)
	d.sum.Write(p[:n])
	if err != nil {
		if errors.Is(err, io.EOF) && d.entry.Hash != "" && hex.EncodeToString(d.sum.Sum(nil)) != d.entry.Hash {
			err = fault.New(fault.Invalid, "xdm-hash-mismatch")
		}
		d.err = err
	}
	return n, d.err
}

func (d *document) Close() error { return d.octets.Close() }
