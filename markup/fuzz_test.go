package markup_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/markup"
)

// FuzzReader holds the invariants: refusals are Invalid with a reason of ours, what
// is read is well nested, spans follow one another, and a small text limit changes
// nothing but the texts over it, which can be read again from their place.
func FuzzReader(f *testing.F) {
	for _, doc := range []string{
		"<a/>", "<a b='1' xmlns:p='u'><p:c>t&amp;u</p:c><!-- x --><![CDATA[<]]]></a>",
		"\xEF\xBB\xBF<?xml version='1.0'?>\r\n<?p q?><a>\r\n" + strings.Repeat("longer text ", 9) + "</a>\n",
		"<a>" + strings.Repeat("&#65;", 40) + "<![CDATA[" + strings.Repeat("]", 60) + "]]></a>",
		"<!DOCTYPE a><a/>", "<a><b></a>", "<a>]]></a>",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		whole, wholeErr := walk(t, string(doc), markup.Limits{})
		cut, cutErr := walk(t, string(doc), markup.Limits{Text: 40})
		if fault.Reason(wholeErr) != fault.Reason(cutErr) {
			t.Fatalf("%q: %v, but with long texts kept back %v", doc, wholeErr, cutErr)
		}
		if errors.Is(wholeErr, io.EOF) && whole != cut {
			t.Fatalf("%q: read %q, but with long texts kept back %q", doc, whole, cut)
		}
		if errors.Is(wholeErr, io.EOF) {
			if err := xml.Unmarshal(doc, new(struct{})); err != nil && !strings.Contains(string(doc), "<?") {
				t.Errorf("%q: read, but encoding/xml says %v", doc, err)
			}
		}
	})
}

// walk reads a document and returns a flat rendering of it.
func walk(t *testing.T, doc string, l markup.Limits) (string, error) {
	t.Helper()
	var out strings.Builder
	var open []xml.Name
	last := int64(0)
	r := markup.NewReader(strings.NewReader(doc), l)
	for {
		tok, err := r.Token()
		if err != nil {
			checkEnd(t, doc, err, len(open))
			return out.String(), err
		}
		start, end := r.Span()
		if start != last || end < start || end > int64(len(doc)) {
			t.Fatalf("%q: a span from %d to %d after %d", doc, start, end, last)
		}
		last = end
		switch tok := tok.(type) {
		case xml.StartElement:
			open = append(open, tok.Name)
			out.WriteString("<" + tok.Name.Space + " " + tok.Name.Local + ">")
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != tok.Name {
				t.Fatalf("%q: %v ends, open are %v", doc, tok.Name, open)
			}
			open = open[:len(open)-1]
			out.WriteString("</>")
		case xml.CharData:
			out.Write(tok)
		case markup.Long:
			text, err := io.ReadAll(markup.NewText(strings.NewReader(doc[tok.Start:tok.End])))
			if err != nil {
				t.Fatalf("%q: a long text cannot be read again: %v", doc, err)
			}
			out.Write(text)
		}
	}
}

func checkEnd(t *testing.T, doc string, err error, open int) {
	t.Helper()
	if errors.Is(err, io.EOF) {
		if open != 0 {
			t.Fatalf("%q: ends with %d open", doc, open)
		}
		return
	}
	if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(fault.Reason(err), "xml-") {
		t.Fatalf("%q: %v", doc, err)
	}
}
