package markup_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/markup"
)

// tokens renders what a reader returns, one line a token, and its last error.
func tokens(r *markup.Reader) ([]string, error) {
	var out []string
	for {
		tok, err := r.Token()
		if err != nil {
			return out, err
		}
		start, end := r.Span()
		switch tok := tok.(type) {
		case xml.StartElement:
			line := fmt.Sprintf("%d-%d <%s %s", start, end, tok.Name.Space, tok.Name.Local)
			for _, a := range tok.Attr {
				line += fmt.Sprintf(" {%s}%s=%q", a.Name.Space, a.Name.Local, a.Value)
			}
			out = append(out, line)
		case xml.EndElement:
			out = append(out, fmt.Sprintf("%d-%d >%s %s", start, end, tok.Name.Space, tok.Name.Local))
		case xml.CharData:
			out = append(out, fmt.Sprintf("%d-%d %q", start, end, string(tok)))
		case markup.Long:
			out = append(out, fmt.Sprintf("%d-%d long %d-%d", start, end, tok.Start, tok.End))
		default:
			out = append(out, fmt.Sprintf("unexpected %T", tok))
		}
	}
}

func TestTokensCarryNamespaceAndPlace(t *testing.T) {
	t.Parallel()
	const doc = "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\r\n<!-- c -->\n" +
		`<a xmlns="urn:x" xmlns:p="urn:y"><?pi x?><p:b p:c="1" c="&lt;2"/>` +
		"t\r\nu<!-- gone -->&amp;<![CDATA[<&]]></a>\n<?end?>\n"
	got, err := tokens(markup.NewReader(iotest.OneByteReader(strings.NewReader(doc)), markup.Limits{}))
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	want := []string{
		`0-87 <urn:x a`,
		`87-119 <urn:y b {urn:y}c="1" {}c="<2"`,
		`119-119 >urn:y b`,
		`119-123 "t\nu"`,
		`123-141 "&"`,
		`141-155 "<&"`,
		`155-159 >urn:x a`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLongTextIsOnlyAPlace(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("QUJD&#13;\n", 9000)
	for _, row := range []struct{ name, inside, text string }{
		{"plain", long, strings.Repeat("QUJD\r\n", 9000)},
		{"section", "<![CDATA[" + long + "]]>", long},
	} {
		doc := "<a>short<b>" + row.inside + "</b>after<c/>last</a>"
		got, err := tokens(markup.NewReader(strings.NewReader(doc), markup.Limits{Text: 100}))
		if !errors.Is(err, io.EOF) {
			t.Fatal(row.name, err)
		}
		start, end := 11, 11+len(row.inside)
		want := []string{
			"0-3 < a", `3-8 "short"`, "8-11 < b",
			fmt.Sprintf("%d-%d long %d-%d", start, end, start, end),
			fmt.Sprintf("%d-%d > b", end, end+4),
			fmt.Sprintf("%d-%d \"after\"", end+4, end+9),
			fmt.Sprintf("%d-%d < c", end+9, end+13),
			fmt.Sprintf("%d-%d > c", end+13, end+13),
			fmt.Sprintf("%d-%d \"last\"", end+13, end+17),
			fmt.Sprintf("%d-%d > a", end+17, end+21),
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(row.name, d)
		}
		text, err := io.ReadAll(markup.NewText(strings.NewReader(doc[start:end])))
		if err != nil || string(text) != row.text {
			t.Errorf("%s: read again: %d octets, want %d; %v", row.name, len(text), len(row.text), err)
		}
	}
}

func TestTextIsReadAsXMLReadsIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ in, want, reason string }{
		{in: "a\r\nb\rc\nd", want: "a\nb\nc\nd"},
		{in: "&#65;&#x42;&amp;&#13;\n", want: "AB&\r\n"},
		{in: "a<!-- b -->c<?d e?>f<![CDATA[<&amp;]]]>g", want: "acf<&amp;]g"},
		{in: "a<b/>", reason: "xml-malformed"},
		{in: "a&nbsp;", reason: "xml-malformed"},
		{in: "a&#1;", reason: "xml-malformed"},
		{in: "<![CDATA[a", reason: "xml-malformed"},
		{in: "a\xE9", reason: "xml-encoding"},
	} {
		got, err := io.ReadAll(markup.NewText(iotest.HalfReader(strings.NewReader(row.in))))
		if row.reason != "" {
			if fault.Reason(err) != row.reason {
				t.Errorf("%q: %v, want %s", row.in, err, row.reason)
			}
			continue
		}
		if err != nil || string(got) != row.want {
			t.Errorf("%q: %q, %v, want %q", row.in, got, err, row.want)
		}
	}
}

func TestSkipEndsWithItsElement(t *testing.T) {
	t.Parallel()
	r := markup.NewReader(strings.NewReader("<a><b><c>x</c><c/></b><d/></a>"), markup.Limits{})
	for range 2 {
		if _, err := r.Token(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Skip(); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Offset(), int64(22); got != want {
		t.Errorf("offset %d, want %d", got, want)
	}
	if tok, err := r.Token(); err != nil || tok.(xml.StartElement).Name.Local != "d" {
		t.Errorf("got %v, %v, want <d>", tok, err)
	}
}

func TestErrorsOfTheSourceAreNotTheDocuments(t *testing.T) {
	t.Parallel()
	doc := `<a x="1"><!-- c --><b>text &amp; <![CDATA[more]]></b></a>`
	away := fault.New(fault.Transient, "blob-away")
	for cut := range doc {
		source := io.MultiReader(strings.NewReader(doc[:cut]), iotest.ErrReader(away), strings.NewReader(doc[cut:]))
		r := markup.NewReader(source, markup.Limits{})
		if _, err := tokens(r); !errors.Is(err, away) {
			t.Fatalf("after %q: %v, want the source's error", doc[:cut], err)
		}
		if _, err := r.Token(); !errors.Is(err, away) {
			t.Errorf("after %q: the error did not stay: %v", doc[:cut], err)
		}
	}
}
