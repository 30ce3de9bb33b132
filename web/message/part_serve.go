package message

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// part serves GET /messages/{letter}/parts/{part}: an attachment, a document of a
// package, a file in a document. What is PDF, JPEG, PNG or text by its own octets is
// shown, unless ?keep= asks for keeping; everything else is for keeping.
func (m *room) part(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	id, err := parsePart(r.PathValue("part"))
	if err != nil {
		return nil, err
	}
	l, err := m.Reading.Letter(r.Context(), v.Reader, mailbox.MessageID(r.PathValue("letter")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // what is served is held by itself
	p, err := l.Part(id.path)
	if err != nil {
		return nil, err
	}
	held, err := leaf.Hold(l.Open(p), maxFile)
	if err != nil {
		return nil, err
	}
	name := ""
	if id.document < 0 && id.embedded < 0 {
		name = nameOf(p, leaf.Sniff(held), v.Words)
		if text := readable(l, p, held); text != nil {
			_ = held.Close() // the text stands for it
			held = text
		}
	}
	if id.document >= 0 {
		if held, name, err = document(held, id.document); err != nil {
			return nil, err
		}
	}
	if id.embedded >= 0 {
		if held, name, err = embedded(held, id.embedded, name); err != nil {
			return nil, err
		}
	}
	return leaf.Serve(held, name, r.FormValue("keep") == ""), nil
}

// readable decodes a text part of another charset, for showing: nil for everything
// else, and for texts too long to hold.
func readable(l *reading.Letter, p *reading.Part, held *leaf.Held) *leaf.Held {
	if p.Type != "text/plain" || leaf.Sniff(held) != leaf.Other {
		return nil
	}
	text, whole, err := l.Text(p, maxText)
	if err != nil || !whole || strings.ContainsRune(text, 0) {
		return nil
	}
	return &leaf.Held{ReaderAt: bytes.NewReader([]byte(text)), Size: int64(len(text))}
}

// document takes a document out of a package; the package is let go of.
func document(held *leaf.Held, n int) (*leaf.Held, string, error) {
	defer func() { _ = held.Close() }() // it was read only
	pack, err := xdm.Open(held, held.Size, xdm.Limits{})
	if err != nil {
		return nil, "", errNoDocument()
	}
	all := pack.Documents()
	if n >= len(all) {
		return nil, "", errNoDocument()
	}
	out, err := holdEntry(pack, all[n])
	if err != nil {
		return nil, "", err
	}
	name := all[n].Title
	if name == "" {
		name = "document"
	}
	if kind := leaf.Sniff(out); !kind.Shown() || kind == leaf.Text {
		return out, name + ".xml", nil
	}
	return out, withEnding(name, leaf.Sniff(out)), nil
}

// embedded takes a file out of a clinical document; the document is let go of.
func embedded(held *leaf.Held, n int, name string) (*leaf.Held, string, error) {
	defer func() { _ = held.Close() }() // it was read only
	d, err := cda.Read(held, held.Size, cda.Limits{})
	if err != nil {
		return nil, "", errNoDocument()
	}
	files := d.Embedded(held)
	if n >= len(files) {
		return nil, "", errNoDocument()
	}
	out, err := leaf.HoldEmbedded(files[n])
	if err != nil {
		return nil, "", err
	}
	if d.Title != "" {
		name = d.Title
	}
	return out, withEnding(strings.TrimSuffix(name, ".xml"), leaf.Sniff(out)), nil
}
