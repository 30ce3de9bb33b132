package xdm

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// ascii writes a text without accents, "?" for what has no plain letter: README.TXT
// is 7-bit ASCII.
func ascii(s string) string {
	var b strings.Builder
	for _, c := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, c):
		case c >= ' ' && c < 0x7f:
			b.WriteRune(c)
		case unicode.IsSpace(c):
			b.WriteByte(' ')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// readme is README.TXT. It names no patient and no title: whoever finds the file
// reads it first.
func readme(lot Lot) []byte {
	lines := []string{
		"This is an IHE XDM package: health documents of one person.",
		"Open INDEX.HTM with a browser to see what it holds.",
		"",
		"Written by: " + ascii(lot.Software),
		"Contact:    " + ascii(lot.Contact),
		"",
		"README.TXT                      this text",
		"INDEX.HTM                       list of the documents",
		"IHE_XDM/SUBSET01/METADATA.XML   their description, for programs",
		fmt.Sprintf("IHE_XDM/SUBSET01/DOC0001...     the documents (%d)", len(lot.Documents)),
		"",
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// index is INDEX.HTM, XHTML Basic.
func index(lot Lot, entries []*Entry) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr">
<head><title>Documents</title></head>
<body>
<h1>Documents</h1>
<ul>
`)
	for _, e := range entries {
		title := e.Title
		if title == "" {
			title = e.URI
		}
		fmt.Fprintf(&b, "<li><a href=\"IHE_XDM/SUBSET01/%s\">%s</a></li>\n", e.URI, escape(title))
	}
	fmt.Fprintf(&b, "</ul>\n<p>%s</p>\n<p><a href=\"README.TXT\">README.TXT</a></p>\n</body>\n</html>\n", escape(lot.Contact))
	return b.Bytes()
}

// escape makes a text fit for XML. A character that XML cannot hold becomes U+FFFD.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

// markupWriter writes elements one in the other, indented.
type markupWriter struct {
	b    bytes.Buffer
	open []string
}

// attributes are names and values in turn; an empty value is left out.
func (w *markupWriter) tag(name, end string, attributes []string) {
	w.b.WriteString(strings.Repeat(" ", len(w.open)) + "<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			fmt.Fprintf(&w.b, ` %s="%s"`, attributes[i], escape(attributes[i+1]))
		}
	}
	w.b.WriteString(end)
}

func (w *markupWriter) start(name string, attributes ...string) {
	w.tag(name, ">\n", attributes)
	w.open = append(w.open, name)
}

func (w *markupWriter) empty(name string, attributes ...string) { w.tag(name, "/>\n", attributes) }

func (w *markupWriter) text(name, value string) {
	w.tag(name, ">"+escape(value)+"</"+name+">\n", nil)
}

func (w *markupWriter) end() {
	name := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	w.b.WriteString(strings.Repeat(" ", len(w.open)) + "</" + name + ">\n")
}
