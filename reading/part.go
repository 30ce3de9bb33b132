package reading

import (
	"io"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Part is a body part of an opened letter.
type Part struct {
	// Path is the part's number as IMAP counts (RFC 3501 6.4.5), "1.2"; empty for the
	// letter itself when it is a multipart.
	Path string
	// Type is the media type as declared, "application/pdf" in lower case. It says
	// nothing of what the octets are.
	Type string
	// Name is the file name for showing, empty if there is none (RFC 2231, RFC 2047;
	// without controls, path and characters that turn the reading direction).
	Name string
	// Size is about how many octets the decoded part has.
	Size int64
	// Charset and Method are parameters of Content-Type, in lower and upper case.
	Charset, Method string
	// ContentID is without angle brackets.
	ContentID string
	// Inline says that the sender wants it shown in its place.
	Inline   bool
	Children []*Part

	part *letter.Part
}

// Role is what a part is for its reader.
type Role uint8

// The roles.
const (
	// Container is a multipart.
	Container Role = iota
	// Plain and HTML are the letter's own text.
	Plain
	HTML
	// Calendar is an invitation or an answer to one (text/calendar).
	Calendar
	// Embedded is an image that the HTML refers to by its Content-ID.
	Embedded
	// Attachment is everything else, enclosed letters included.
	Attachment
)

// Role returns what a part is for. A text with a file name, or sent as an
// attachment, is one.
func (p *Part) Role() Role {
	attached := p.part.Disposition == "attachment" || p.Name != ""
	switch {
	case p.part.Multipart():
		return Container
	case p.Type == "text/calendar":
		return Calendar
	case p.Type == "text/plain" && !attached:
		return Plain
	case p.Type == "text/html" && !attached:
		return HTML
	case p.ContentID != "" && p.part.Disposition != "attachment" && strings.HasPrefix(p.Type, "image/"):
		return Embedded
	}
	return Attachment
}

// partTree makes the tree that a reader sees: enclosed letters are leaves.
func partTree(p *letter.Part, path string) *Part {
	out := &Part{
		Path: path, Type: p.Type + "/" + p.Subtype, Name: p.FileName(), Size: decodedSize(p),
		ContentID: strings.Trim(strings.TrimSpace(p.ID), "<>"), Inline: p.Disposition == "inline", part: p,
	}
	charset, _ := p.Params.Text("charset")
	method, _ := p.Params.Text("method")
	out.Charset, out.Method = strings.ToLower(charset), strings.ToUpper(strings.TrimSpace(method))
	if !p.Multipart() {
		if path == "" {
			out.Path = "1" // the letter itself, when it is one part
		}
		return out
	}
	for i := range p.Children {
		number := strconv.Itoa(i + 1)
		if path != "" {
			number = path + "." + number
		}
		out.Children = append(out.Children, partTree(&p.Children[i], number))
	}
	return out
}

// decodedSize tells about how much a part decodes to: exactly for what is not
// encoded, within two octets for base64 as everybody writes it.
func decodedSize(p *letter.Part) int64 {
	if p.Encoding == "base64" {
		return max(0, (p.Size()-2*p.Lines)/4*3)
	}
	return p.Size()
}

// each calls fn with every part of the tree that is no container, in order.
func (p *Part) each(fn func(*Part)) {
	if p.Role() != Container {
		fn(p)
	}
	for _, c := range p.Children {
		c.each(fn)
	}
}

// With returns the letter's parts of a role, in order.
func (l *Letter) With(role Role) []*Part {
	var out []*Part
	l.Root.each(func(p *Part) {
		if p.Role() == role {
			out = append(out, p)
		}
	})
	return out
}

// Part finds a part that is no container by its path. It fails with fault.NotFound
// "part-unknown".
func (l *Letter) Part(path string) (*Part, error) {
	var found *Part
	l.Root.each(func(p *Part) {
		if p.Path == path {
			found = p
		}
	})
	if found == nil {
		return nil, fault.New(fault.NotFound, "part-unknown")
	}
	return found, nil
}

// Open reads a part, decoded from its transfer encoding. One reader of a letter is
// used at a time.
func (l *Letter) Open(p *Part) io.Reader {
	return p.part.Decoder(l.Body.Reader(l.Body.Part(p.part)))
}

// Text returns the first limit octets of a text part in UTF-8, and whether that is
// all of it.
func (l *Letter) Text(p *Part, limit int) (text string, whole bool, err error) {
	text, err = p.part.Text(l.Body.Reader(l.Body.Part(p.part)), limit+1)
	if len(text) <= limit {
		return text, true, err
	}
	return strings.ToValidUTF8(text[:limit], ""), false, err
}

// File decodes a part into a spool, for reading at any offset: encrypted, unlinked,
// and gone with Close. It costs the whole part once.
func (l *Letter) File(p *Part) (*seal.Spool, error) {
	s, err := seal.NewSpool(l.room.SpoolDir)
	if err != nil {
		return nil, fault.Wrap(fault.Transient, "spool-unavailable", err)
	}
	if _, err := io.Copy(s, l.Open(p)); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}
