package message

import (
	"errors"
	"io"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// Bounds of what a page opens by itself. Our choice: a discharge has one or two
// documents; what is beyond stays an attachment.
const (
	maxFile   = 50 << 20 // octets of one decoded part (spec security 2.3)
	maxLeaves = 6        // documents shown on one page
	maxLooked = 40       // attachments that are looked into
)

// desk is where the attachments of a letter are laid out: what can be shown is shown,
// everything else can be kept.
type desk struct {
	v      *ui.Visit
	letter *reading.Letter
	base   string // path of the letter
	leaves []leaf.Document
	files  []attached
}

// attached is one attachment as listed.
type attached struct {
	part string
	name string
	kind string // word of leaf.kind
	size int64
	show bool
}

func newDesk(v *ui.Visit, l *reading.Letter, base string) *desk {
	return &desk{v: v, letter: l, base: base}
}

// url is where a piece is fetched.
func (d *desk) url(part string) string { return d.base + "/parts/" + url.PathEscape(part) }

// lay looks at every attachment once.
func (d *desk) lay() error {
	parts := d.letter.With(reading.Attachment)
	for i, p := range parts {
		if err := d.look(p, i < maxLooked); err != nil {
			return err
		}
	}
	for _, p := range d.letter.With(reading.Calendar) {
		d.files = append(d.files, attached{part: p.Path, name: nameOf(p, leaf.Other, d.v.Words), kind: "calendar", size: p.Size})
	}
	// Embedded pictures without a layout to stand in are attachments.
	if len(d.letter.With(reading.HTML)) == 0 {
		for _, p := range d.letter.With(reading.Embedded) {
			if err := d.look(p, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// look shows what an attachment holds.
func (d *desk) look(p *reading.Part, into bool) error {
	head := make([]byte, 1024)
	n, err := io.ReadFull(d.letter.Open(p), head)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return err
	}
	head = head[:n]
	kind := leaf.SniffOctets(head, whole)
	file := attached{part: p.Path, name: nameOf(p, kind, d.v.Words), kind: string(kind), size: p.Size, show: kind.Shown()}
	switch {
	case p.Type == "message/rfc822":
		file.kind, file.show = "letter", false
	case p.Type == "application/ics":
		file.kind, file.show = "calendar", false
	case into && len(d.leaves) < maxLeaves && strings.HasPrefix(string(head), "PK\x03\x04"):
		if d.unpack(p) {
			file.kind = "xdm"
		}
	case into && len(d.leaves) < maxLeaves && clinical(head):
		if d.read(p) {
			file.kind, file.show = "cda", false
		}
	}
	d.files = append(d.files, file)
	return nil
}

// clinical reports whether a file may be a clinical document: XML, which package cda
// then reads or refuses.
func clinical(head []byte) bool {
	text := strings.TrimPrefix(string(head), "\ufeff")
	return strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "<")
}

// hold decodes a part.
func (d *desk) hold(p *reading.Part) (*leaf.Held, error) {
	return leaf.Hold(d.letter.Open(p), maxFile)
}

// read shows a clinical document that is attached as it is; false if it is none.
func (d *desk) read(p *reading.Part) bool {
	held, err := d.hold(p)
	if err != nil {
		return false
	}
	defer func() { _ = held.Close() }() // it was read only
	doc, err := leaf.ReadCDA(held, held.Size, d.v.Words, d.place(p.Path))
	if err == nil {
		d.leaves = append(d.leaves, doc)
	}
	return err == nil
}

// unpack shows the documents of a package; false if it is none, or not a sound one.
// Then it is an attachment like another: filing has told the reader why.
func (d *desk) unpack(p *reading.Part) bool {
	held, err := d.hold(p)
	if err != nil {
		return false
	}
	defer func() { _ = held.Close() }() // it was read only
	pack, err := xdm.Open(held, held.Size, xdm.Limits{})
	if err != nil {
		return false
	}
	for n, entry := range pack.Documents() {
		if len(d.leaves) == maxLeaves {
			break
		}
		d.leaves = append(d.leaves, d.entry(pack, entry, p.Path+".d"+strconv.Itoa(n)))
	}
	return true
}

// entry shows one document of a package.
func (d *desk) entry(pack *xdm.Package, e *xdm.Entry, part string) leaf.Document {
	title := e.Title
	if title == "" {
		title = d.v.T("leaf.untitled")
	}
	out := leaf.Document{Title: title, Type: e.Type.Display, Date: e.Created.At, Save: leaf.Keep(d.url(part))}
	held, err := holdEntry(pack, e)
	if err != nil {
		out.Unread = "leaf.unread.damaged"
		return out
	}
	defer func() { _ = held.Close() }() // it was read only
	if kind := leaf.Sniff(held); kind == leaf.PDF || kind.Image() {
		name := title + kind.Extension()
		out.Originals = []leaf.Original{{Kind: kind, Name: name, Size: held.Size, URL: d.url(part), Save: leaf.Keep(d.url(part))}}
		return out
	}
	doc, err := leaf.ReadCDA(held, held.Size, d.v.Words, d.place(part))
	if err != nil {
		out.Unread = "leaf.unread.format"
		if strings.Contains(e.MIME, "xml") {
			out.Unread = "leaf.unread.damaged"
		}
		return out
	}
	return doc
}

// place says where the pieces of a document are fetched. Headings begin below that of
// the letter.
func (d *desk) place(part string) leaf.Place {
	return leaf.Place{Base: d.url(part), Level: 3, Prefix: "d" + strconv.Itoa(len(d.leaves))}
}

// holdEntry reads a document of a package to its end, where its digest is checked.
func holdEntry(pack *xdm.Package, e *xdm.Entry) (*leaf.Held, error) {
	r, err := pack.Document(e)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // read to its end or failed
	return leaf.Hold(r, maxFile)
}

// attachments are the files as the page lists them. An invitation that the page shows
// is not listed again.
func (d *desk) attachments(invited bool) []leaf.Attachment {
	var out []leaf.Attachment
	for _, f := range d.files {
		if invited && f.kind == "calendar" {
			continue
		}
		a := leaf.Attachment{
			Icon: icon(f.kind), Tint: "k-gris", Name: f.name, Keep: leaf.Keep(d.url(f.part)),
			Info: d.v.T("leaf.kind."+f.kind) + ", " + d.v.Words.Size(f.size),
		}
		if f.show {
			a.Open = d.url(f.part)
		}
		out = append(out, a)
	}
	return out
}

// original is the PDF that goes with the documents (ECO.2.1.1: IHE_XDM and a PDF), when
// none of them has one in itself; nil for none.
func (d *desk) original() *leaf.Original {
	if len(d.leaves) == 0 {
		return nil
	}
	for _, l := range d.leaves {
		if len(l.Originals) > 0 {
			return nil
		}
	}
	for _, f := range d.files {
		if f.show && f.kind == string(leaf.PDF) {
			return &leaf.Original{Kind: leaf.PDF, Name: f.name, Size: f.size, URL: d.url(f.part), Save: leaf.Keep(d.url(f.part))}
		}
	}
	return nil
}

func (d *desk) facts() []fileFacts {
	out := make([]fileFacts, len(d.files))
	for i, f := range d.files {
		out[i] = fileFacts{Part: f.part, Name: f.name, Size: f.size, Kind: f.kind}
	}
	return out
}

func icon(kind string) string {
	switch kind {
	case "xdm", "cda":
		return "report"
	case "calendar":
		return "calendar"
	case "letter":
		return "letter"
	}
	return "file"
}

// nameOf is the name of a part for showing and keeping: the sender's, with the ending
// of what it is where that differs, so that a text named as a page is kept as a text.
func nameOf(p *reading.Part, kind leaf.Kind, w *ui.Words) string {
	name := strings.TrimSpace(tame(p.Name))
	if name == "" {
		name = w.T("leaf.file", "Number", p.Path)
	}
	return withEnding(name, kind)
}

func withEnding(name string, kind leaf.Kind) string {
	end := strings.ToLower(path.Ext(name))
	switch {
	case !kind.Shown(), end == kind.Extension(), kind == leaf.JPEG && end == ".jpeg":
		return name
	case kind == leaf.Text && (end == ".csv" || end == ".md" || end == ".log" || end == ".asc" || end == ".ics" || end == ".vcf"):
		return name
	}
	return name + kind.Extension()
}

// errNoDocument is what a part without such a document answers.
func errNoDocument() error { return fault.New(fault.NotFound, "part-unknown") }
