package filing

import (
	"crypto/sha256"
	"io"

	"github.com/vaguemestre/vaguemestre/dmp"
)

// pdf makes a document of a PDF that comes alone: filed for the owner of the box that
// the sender wrote to, since nothing in it says whom it is about. What it is about is
// never guessed from the subject (spec dmp 4.5).
func (x *examiner) pdf(l *Lot, content octets) error {
	a := x.out.Attachments[l.Attachment]
	id, err := x.derivedID(content)
	if err != nil {
		return err
	}
	d := dmp.Document{
		UniqueID: id, Title: firstOf(titleOf(a.Name), "PDF"), MIME: "application/pdf", Category: dmp.Other,
		Warnings: []string{warningNotInDocument},
	}
	if f, ok := dmp.FormatOf(nil, d.MIME); ok {
		d.Format = f
	}
	if x.Author != "" {
		d.Authors = []dmp.Author{{Person: firstOf(x.AuthorName, x.Author), PersonID: x.Author}}
	}
	l.Documents = []Document{{Document: d, open: content.open}}
	return nil
}

// derivedID is the identifier of octets that bring none.
func (x *examiner) derivedID(content octets) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, guarded{x.ctx, content.reader()}); err != nil {
		return "", err
	}
	return dmp.DerivedID([sha256.Size]byte(h.Sum(nil))), nil
}

// open reads an attachment as a document.
func (o octets) open() (io.ReadCloser, error) { return io.NopCloser(o.reader()), nil }
