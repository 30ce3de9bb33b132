package leaf

import (
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Document is a document as a page shows it.
type Document struct {
	// Title is never empty.
	Title string
	// Type is what kind of document it says it is.
	Type string
	// Patient and Born are whom it is about, Authors who wrote it, where.
	Patient, Born string
	Authors       []string
	// Date is when it was written, zero for unknown.
	Date time.Time
	// Originals are the files in it that can be shown, PDF first.
	Originals []Original
	// Narrative is the text, from a closed list of elements.
	Narrative template.HTML
	// Reasons are the reason ids of what is odd in it; Warnings the word keys of those
	// that mean something to a reader. Unread is one that says why there is no
	// narrative, empty if there is.
	Reasons, Warnings []string
	Unread            string
	// Save is where the whole document is fetched for keeping; empty for nowhere.
	Save string
}

// Original is a file that a page shows in a frame or as a picture.
type Original struct {
	Kind Kind
	Name string
	Size int64
	// URL shows it, Save hands it out for keeping.
	URL, Save string
}

// Place is where the pieces of a document are fetched.
type Place struct {
	// Base is the path of the document's own octets: "/messages/x/parts/2.d0".
	Base string
	// Embedded returns the path of a file in it by its number; nil is Base, a dot and
	// "e" with the number.
	Embedded func(n int) string
	// Level is that of the first headings of the narrative, 2 to 6; 0 is 2.
	Level int
	// Prefix begins the ids of the narrative: several documents on one page differ in it.
	Prefix string
}

// File returns the path of an embedded file.
func (p Place) File(n int) string {
	if p.Embedded != nil {
		return p.Embedded(n)
	}
	return p.Base + ".e" + strconv.Itoa(n)
}

// Keep marks the address of a file as one for keeping.
func Keep(url string) string { return url + "?keep=1" }

// maxNarrative bounds the text that a page shows, in octets of HTML. Our choice: the
// longest of the official samples has a tenth of it.
const maxNarrative = 4 << 20

// ReadCDA shows a clinical document. One that cannot be read is shown as a sentence;
// the error, a fault of package cda or of r, is for callers that must tell these
// apart.
func ReadCDA(r io.ReaderAt, size int64, w *ui.Words, at Place) (Document, error) {
	d, err := cda.Read(r, size, cda.Limits{Zone: w.Zone})
	if err != nil {
		return Document{Title: w.T("leaf.untitled"), Unread: "leaf.unread.damaged", Save: Keep(at.Base)}, err
	}
	out := Document{
		Title: first(d.Title, d.Type.Display, w.T("leaf.untitled")), Type: d.Type.Display,
		Patient: patient(d.Patient), Born: birth(w, d.Patient.BirthDate), Authors: authors(d),
		Date: d.Effective.Time, Reasons: d.Warnings, Warnings: Warnings(w, d.Warnings), Save: Keep(at.Base),
	}
	files := d.Embedded(r)
	for n, f := range files {
		out.Originals = append(out.Originals, original(w, f, n, len(files), at)...)
	}
	moveFirst(out.Originals)
	var text limited
	err = d.Render(&text, cda.Render{
		Level: at.Level, Prefix: at.Prefix, Words: narrator(w),
		Media: func(id string) string { return media(files, id, at) },
	})
	switch {
	case err != nil:
		out.Unread = "leaf.unread.damaged"
	case d.NonXML != nil && len(out.Originals) == 0 && strings.TrimSpace(text.b.String()) == "":
		out.Unread = "leaf.unread.format"
	default:
		out.Narrative = template.HTML(text.b.String()) //nolint:gosec // package cda writes a closed list of elements and escapes every text
	}
	return out, nil
}

// narrator returns the words that package cda adds, in the visitor's language.
func narrator(w *ui.Words) cda.Words {
	if w.Lang == ui.English {
		return cda.English()
	}
	return cda.French()
}

// original shows an embedded file, if it is of a kind that is shown.
func original(w *ui.Words, f cda.Embedded, n, of int, at Place) []Original {
	kind := KindOf(f.MediaType)
	if shown := kind == PDF || f.Body && kind.Image(); !shown {
		return nil // pictures within the narrative stand there; text is rendered
	}
	name := w.T("leaf.kind." + string(kind))
	if of > 1 {
		name = w.T("leaf.embedded", "Number", strconv.Itoa(n+1))
	}
	return []Original{{Kind: kind, Name: name, Size: f.Size, URL: at.File(n), Save: Keep(at.File(n))}}
}

// media is where a file that the narrative points to is fetched; empty for one that is
// of no kind that is shown.
func media(files []cda.Embedded, id string, at Place) string {
	for n, f := range files {
		if id != "" && f.ID == id && KindOf(f.MediaType).Shown() {
			return at.File(n)
		}
	}
	return ""
}

// KindOf returns the kind of a media type that package cda found by its octets.
func KindOf(mediaType string) Kind {
	switch mediaType {
	case "application/pdf":
		return PDF
	case "image/jpeg":
		return JPEG
	case "image/png":
		return PNG
	case "text/plain":
		return Text
	}
	return Other
}

// moveFirst puts a PDF before everything else (spec mssante 7.12: what people know).
func moveFirst(list []Original) {
	for i, o := range list {
		if o.Kind == PDF {
			copy(list[1:i+1], list[:i])
			list[0] = o
			return
		}
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}

func patient(p cda.Patient) string {
	family := first(p.UsedName, p.BirthName)
	return strings.TrimSpace(first(p.UsedGiven, p.BirthGiven) + " " + family)
}

// birth writes a date of YYYY-MM-DD; anything else is left out.
func birth(w *ui.Words, date string) string {
	t, err := time.ParseInLocation(time.DateOnly, date, w.Zone)
	if err != nil {
		return ""
	}
	return w.Date(t)
}

// authors names who wrote a document and where, at most four.
func authors(d *cda.Document) []string {
	var out []string
	for _, a := range d.Authors {
		text := a.Person
		if place := a.Institution.Name; place != "" && place != text {
			text = strings.TrimPrefix(text+", "+place, ", ")
		}
		if text != "" && len(out) < 4 {
			out = append(out, text)
		}
	}
	return out
}

// Warnings chooses the words for reason ids: those that mean something to a reader,
// each once.
func Warnings(w *ui.Words, reasons []string) []string {
	var keys []string
	for _, reason := range reasons {
		key := "leaf.warning." + reason
		if w.Has(key) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// limited keeps what a page can show and fails beyond it.
type limited struct{ b strings.Builder }

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > maxNarrative {
		return 0, io.ErrShortBuffer
	}
	return l.b.Write(p)
}
