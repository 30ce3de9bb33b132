package filing

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/letter"
)

// Kind is what an attachment is, by its octets and its declared type.
type Kind string

// The kinds. A package, a document and a PDF may be filed; an invitation goes into
// the agenda; the others stay what they are.
const (
	Package    Kind = "xdm"
	CDA        Kind = "cda"
	PDF        Kind = "pdf"
	Invitation Kind = "calendar"
	Other      Kind = "other"
)

// Attachment is one part of a letter that was looked at, or a lone file.
type Attachment struct {
	// Part is the part's number as IMAP counts ("2.1"), empty for a lone file.
	Part string
	// Name is the file name that the letter gives it, Declared its media type.
	Name, Declared string
	// Kind is what it is, and Size the number of octets after decoding; -1 when it
	// was not decoded.
	Kind Kind
	Size int64
	// Reason says why it is not filed, empty if it is or was never to be.
	Reason string
	// Lot and Invitation are places in Findings.Lots and Findings.Invitations, -1 for
	// none.
	Lot, Invitation int

	part *letter.Part // nil for a lone file
}

// parts lists the leaves of a letter that may be a document or an invitation, in
// order. Letters inside the letter are not looked into: who sent them is not who sent
// this one.
func parts(s *letter.Structure) (found []Attachment) {
	var walk func(p *letter.Part, number string)
	walk = func(p *letter.Part, number string) {
		if p.Multipart() {
			for i := range p.Children {
				walk(&p.Children[i], strings.TrimPrefix(number+"."+strconv.Itoa(i+1), "."))
			}
			return
		}
		if number == "" {
			number = "1" // RFC 3501 6.4.5: a letter that is no multipart is its own part 1
		}
		if candidate(p) {
			found = append(found, Attachment{
				Part: number, Name: p.FileName(), Declared: p.Type + "/" + p.Subtype, Kind: Other, Size: -1, Lot: -1, Invitation: -1, part: p,
			})
		}
	}
	walk(&s.Root, "")
	return found
}

// candidate reports whether a leaf may be a document or an invitation. The texts of
// a letter, pictures, sounds and signatures are not looked at unless their name says
// otherwise.
func candidate(p *letter.Part) bool {
	switch p.Type {
	case "message", "audio", "video", "font", "model":
		return false
	case "text":
		return p.Subtype != "plain" && p.Subtype != "html" || namedAs(p.FileName(), ".zip", ".xml", ".pdf")
	case "image":
		return namedAs(p.FileName(), ".zip", ".xml", ".pdf")
	case "application":
		return p.Subtype != "pkcs7-signature" && p.Subtype != "pgp-signature"
	}
	return true
}

// namedAs reports whether a file name has one of the extensions.
func namedAs(name string, extensions ...string) bool {
	name = strings.ToLower(strings.TrimRight(name, " ."))
	for _, x := range extensions {
		if strings.HasSuffix(name, x) {
			return true
		}
	}
	return false
}

// open reads the content of an attachment, given the letter's octets.
func (a *Attachment) open(octets io.ReaderAt, size int64) io.Reader {
	if a.part == nil {
		return io.NewSectionReader(octets, 0, size)
	}
	return a.part.Decoder(io.NewSectionReader(octets, a.part.Body.Start, a.part.Body.Size()))
}

// sniffed is how many octets of an attachment tell what it is.
const sniffed = 4 << 10

// kindOf tells what an attachment is from its first octets, its declared type and
// its name. Declared beats octets for an archive alone: what says that it is a
// package is held to that.
func kindOf(declared, name string, first []byte) Kind {
	switch {
	case declared == "text/calendar", declared == "" && namedAs(name, ".ics"):
		return Invitation
	case zipDeclared(declared, name):
		return Package
	case bytes.HasPrefix(first, []byte("PK\x03\x04")), bytes.HasPrefix(first, []byte("PK\x05\x06")):
		if officeFile(declared, name) {
			return Other
		}
		return Package
	case bytes.HasPrefix(first, []byte("%PDF-")):
		return PDF
	case xmlDeclared(declared, name), looksLikeCDA(first):
		return CDA
	case declared == "" && bytes.HasPrefix(bytes.ToUpper(first), []byte("BEGIN:VCALENDAR")):
		return Invitation
	}
	return Other
}

// zipDeclared reports whether a part says that it is an archive.
func zipDeclared(declared, name string) bool {
	switch declared {
	case "application/zip", "application/x-zip", "application/x-zip-compressed", "multipart/x-zip":
		return true
	}
	return packageName(name)
}

// packageName reports whether a file has the name of a package: "IHE_XDM.ZIP" in any
// case and with any separator (spec mssante 6.3, dmp 4.5).
func packageName(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".zip") && strings.Contains(strings.NewReplacer("-", "_", " ", "_").Replace(name), "ihe_xdm")
}

// officeFile reports whether an archive says that it is something else: the file of
// an office program.
func officeFile(declared, name string) bool {
	return strings.HasPrefix(declared, "application/vnd.") || declared == "application/java-archive" || declared == "application/epub+zip" ||
		namedAs(name, ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".jar", ".epub")
}

// xmlDeclared reports whether a part says that it is XML, but no drawing or page.
func xmlDeclared(declared, name string) bool {
	switch declared {
	case "text/xml", "application/xml", "application/x-hl7-cda-level-one+xml", "application/cda+xml", "application/hl7-cda+xml":
		return true
	}
	return namedAs(name, ".xml", ".cda")
}

// looksLikeCDA reports whether octets that nobody declares as XML begin like a CDA,
// in whatever encoding.
func looksLikeCDA(first []byte) bool {
	text := bytes.ReplaceAll(first, []byte{0}, nil)
	return bytes.Contains(text, []byte("ClinicalDocument")) && bytes.IndexByte(text, '<') >= 0
}
