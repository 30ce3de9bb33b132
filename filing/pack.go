package filing

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// pack reads a package: one lot, filed as a whole or not at all.
func (x *examiner) pack(i int, content octets) error {
	a := &x.out.Attachments[i]
	if x.packages++; x.packages > x.Limits.Packages {
		x.out.Lots = append(x.out.Lots, Lot{Kind: Package, Attachment: i, Reason: reasonTooMany})
		return nil
	}
	p, err := xdm.Open(content, content.size, x.Limits.Package)
	reason, ours := verdict(err)
	switch {
	case ours != nil:
		return ours
	case reason == reasonNotPackage && !packageName(a.Name):
		a.Kind, a.Reason = Other, reason // an archive of something else
		return nil
	}
	l := Lot{Kind: Package, Attachment: i, Reason: reason}
	if p != nil {
		l.Warnings = p.Warnings
		if err := x.unpack(&l, p); err != nil {
			return err
		}
	}
	x.out.Lots = append(x.out.Lots, l)
	return nil
}

// unpack reads the documents of a package. The first one that cannot be filed keeps
// the lot out.
func (x *examiner) unpack(l *Lot, p *xdm.Package) error {
	names := map[string]string{} // entryUUID or symbol -> uniqueId
	for _, e := range p.Documents() {
		names[e.EntryUUID] = e.UniqueID
	}
	for s := range p.Sets {
		for _, e := range p.Sets[s].Documents {
			if err := x.ctx.Err(); err != nil {
				return err
			}
			d, err := x.entry(p, &p.Sets[s], e)
			reason, ours := verdict(err)
			if ours != nil {
				return ours
			}
			if reason != "" && l.Reason == "" {
				l.Reason = reason
			}
			if d == nil {
				continue
			}
			for _, name := range e.Replaces {
				d.Replaces = append(d.Replaces, firstOf(names[name], name))
			}
			l.Documents = append(l.Documents, *d)
		}
	}
	if len(l.Documents) == 0 && l.Reason == "" {
		l.Reason = reasonPackageEmpty
	}
	l.Identity = identityOf(l.Documents)
	return nil
}

// entry reads one document of a package: its octets to their end, since only then is
// it known to be sound.
func (x *examiner) entry(p *xdm.Package, s *xdm.Set, e *xdm.Entry) (*Document, error) {
	open := func() (io.ReadCloser, error) { return p.Document(e) }
	r, err := open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := x.spool(r, min(x.Limits.One, x.left))
	if err != nil {
		return nil, err
	}
	x.left -= content.size
	d := &Document{Document: fromEntry(e), claims: claimsOfEntry(s, e), open: open}
	reason, err := x.describe(d, content)
	if err == nil && reason != "" {
		err = fault.New(fault.Invalid, reason)
	}
	if dropped := x.drop(); err == nil {
		err = dropped
	}
	return d, err
}

// describe completes the metadata of a package's document by what its octets say, and
// returns why it cannot be filed.
func (x *examiner) describe(d *Document, content octets) (string, error) {
	first := make([]byte, sniffed)
	n, err := content.ReadAt(first, 0)
	if n == 0 && err != nil && content.size > 0 {
		return "", err
	}
	first = first[:n]
	if xmlDeclared(d.MIME, "") || looksLikeCDA(first) {
		doc, err := cda.Read(content, content.size, x.Limits.Document)
		reason, ours := verdict(err)
		switch {
		case ours != nil:
			return "", ours
		case reason == "":
			return x.merge(d, doc), nil
		case reason == reasonNotCDA:
			return reasonTypeUnknown, nil
		}
		return reason, nil
	}
	if reason := contradicts(d.MIME, first); reason != "" {
		return reason, nil
	}
	if d.UniqueID == "" {
		return reasonDocumentID, nil
	}
	if d.Format.Code == "" {
		d.Format, _ = dmp.FormatOf(nil, d.MIME)
	}
	finish(&d.Document, "")
	return "", nil
}

// contradicts says why octets are not what the metadata call them (spec security 2.3:
// by magic octets), empty if they are. Types that no reader of ours shows are not
// taken into the vault.
func contradicts(media string, first []byte) string {
	var is bool
	switch media {
	case "application/pdf":
		is = bytes.HasPrefix(first, []byte("%PDF-"))
	case "image/jpeg":
		is = bytes.HasPrefix(first, []byte("\xff\xd8\xff"))
	case "image/png":
		is = bytes.HasPrefix(first, []byte("\x89PNG\r\n\x1a\n"))
	case "image/tiff":
		is = bytes.HasPrefix(first, []byte("II*\x00")) || bytes.HasPrefix(first, []byte("MM\x00*"))
	case "text/rtf", "application/rtf":
		is = bytes.HasPrefix(first, []byte(`{\rt`))
	case "text/plain":
		is = plainText(first)
	default:
		return reasonTypeUnknown
	}
	if !is {
		return reasonTypeMismatch
	}
	return ""
}

// plainText reports whether octets are text in UTF-8, or at least no binary.
func plainText(first []byte) bool {
	for len(first) > 0 && !utf8.RuneStart(first[len(first)-1]) { // a character that was cut
		first = first[:len(first)-1]
	}
	return bytes.IndexByte(first, 0) < 0
}
