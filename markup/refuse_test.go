package markup_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/markup"
)

func TestWhatNoDocumentNeedsIsRefused(t *testing.T) {
	t.Parallel()
	attributes := func(n int, form string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(form, "#", strconv.Itoa(i)))
		}
		return b.String()
	}
	for _, row := range []struct{ doc, reason string }{
		{"", "xml-malformed"},
		{"   ", "xml-malformed"},
		{"a", "xml-encoding"},
		{"<!DOCTYPE a><a/>", "xml-dtd"},
		{"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "xml-dtd"},
		{"<a><!ENTITY b 'c'></a>", "xml-dtd"},
		{"<a>&e;</a>", "xml-malformed"},
		{"<a>&#0;</a>", "xml-malformed"},
		{"<a b='&e;'/>", "xml-malformed"},
		{"<?xml version=\"1.1\"?><a/>", "xml-encoding"},
		{"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", "xml-encoding"},
		{"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", "xml-encoding"},
		{"<?xml version=\"1.0\" encoding=\"us-ascii\"?><a>é</a>", "xml-encoding"},
		{"<?xml encoding=\"UTF-8\"?><a/>", "xml-malformed"},
		{"<?xml version=\"1.0\"", "xml-malformed"},
		{" <?xml version=\"1.0\"?><a/>", "xml-malformed"},
		{"\xEF\xBB\xBF\xEF\xBB\xBF<a/>", "xml-encoding"},
		{"\xFF\xFE<\x00a\x00/\x00>\x00", "xml-encoding"},
		{"<\x00a\x00/\x00>\x00", "xml-encoding"},
		{"\x00<\x00a\x00/\x00>", "xml-encoding"},
		{"\x4C\x6F\xA7\x94", "xml-encoding"},
		{"<a>\x00</a>", "xml-encoding"},
		{"<a>\xED\xA0\x80</a>", "xml-encoding"},
		{"<a b='\xC0\x80'/>", "xml-encoding"},
		{"<a><!-- \xFF --></a>", "xml-encoding"},
		{"<a>\x01</a>", "xml-malformed"},
		{"<a>\uFFFE</a>", "xml-malformed"},
		{"<a><b></a>", "xml-malformed"},
		{"<a></a></a>", "xml-malformed"},
		{"<a", "xml-malformed"},
		{"<a>", "xml-malformed"},
		{"<a>text", "xml-malformed"},
		{"<a/><b/>", "xml-malformed"},
		{"<a/>text", "xml-malformed"},
		{"text<a/>", "xml-encoding"},
		{" text<a/>", "xml-malformed"},
		{"<a b='1' b='2'/>", "xml-malformed"},
		{"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "xml-malformed"},
		{"<a xmlns='u' xmlns='v'/>", "xml-malformed"},
		{"<a b='1'c='2'/>", "xml-malformed"},
		{"<a b=1/>", "xml-malformed"},
		{"<a b/>", "xml-malformed"},
		{"<a b='<'/>", "xml-malformed"},
		{"<p:a/>", "xml-malformed"},
		{"<a p:b='1'/>", "xml-malformed"},
		{"<a><b xmlns:p='u'/><p:c/></a>", "xml-malformed"},
		{"<a xmlns:p=''/>", "xml-malformed"},
		{"<a xmlns:xml='u'/>", "xml-malformed"},
		{"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "xml-malformed"},
		{"<a xmlns='http://www.w3.org/2000/xmlns/'/>", "xml-malformed"},
		{"<a xmlns:p='u'><p:b></q:b></a>", "xml-malformed"},
		{"<a xmlns:p='u' xmlns:q='u'><p:b></q:b></a>", "xml-malformed"},
		{"<::a/>", "xml-malformed"},
		{"<a:/>", "xml-malformed"},
		{"<1/>", "xml-malformed"},
		{"<a>]]></a>", "xml-malformed"},
		{"<a><!-- -- --></a>", "xml-malformed"},
		{"<a><!-- ---></a>", "xml-malformed"},
		{"<a><? b?></a>", "xml-malformed"},
		{"<a><?b </a>", "xml-malformed"},
		{"<a><![CDATA[b</a>", "xml-malformed"},
		{strings.Repeat("<a>", 201), "xml-too-deep"},
		{"<" + strings.Repeat("a", 257) + "/>", "xml-name-too-long"},
		{"<a " + strings.Repeat("b", 257) + "='1'/>", "xml-name-too-long"},
		{"<a b='" + strings.Repeat("b", 64<<10) + "'/>", "xml-tag-too-long"},
		{"<a" + strings.Repeat(" ", 64<<10) + "/>", "xml-tag-too-long"},
		{"<a" + attributes(101, " a#='1'") + "/>", "xml-too-many-attributes"},
		{"<a" + attributes(60, " xmlns:a#='1'") + "><a" + attributes(60, " xmlns:b#='1'") + "/></a>", "xml-too-many-attributes"},
		{"<a>" + strings.Repeat("<?b?>", 1001) + "</a>", "xml-too-large"},
		{"<a>" + strings.Repeat("<b/>", 500_000) + "</a>", "xml-too-large"},
	} {
		_, err := tokens(markup.NewReader(strings.NewReader(row.doc), markup.Limits{}))
		if fault.Reason(err) != row.reason || !fault.Is(err, fault.Invalid) {
			t.Errorf("%.80q: %v, want %s", row.doc, err, row.reason)
		}
	}
}

func TestKeptBackTextIsCheckedToo(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 200)
	for _, row := range []struct{ doc, reason string }{
		{"<a>" + long + "\x00</a>", "xml-encoding"},
		{"<a>" + long + "\x01</a>", "xml-malformed"},
		{"<a>" + long + "&e;</a>", "xml-malformed"},
		{"<a>" + long + "\uFFFF</a>", "xml-malformed"},
		{"<a>" + long + "]]></a>", "xml-malformed"},
		{"<a>" + long + "\xE9</a>", "xml-encoding"},
		{"<a><![CDATA[" + long + "\xE9]]></a>", "xml-encoding"},
		{"<a><![CDATA[" + long + "</a>", "xml-malformed"},
		{"<a>" + long, "xml-malformed"},
	} {
		_, err := tokens(markup.NewReader(strings.NewReader(row.doc), markup.Limits{Text: 10}))
		if fault.Reason(err) != row.reason {
			t.Errorf("%.40q: %v, want %s", row.doc, err, row.reason)
		}
	}
}

func TestWhatXMLAllowsIsRead(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		"<a/>",
		"\n<!-- x --><?y z?>\n<a ></a >\n<!-- x -->",
		"<?xml version='1.0' encoding='Utf-8' standalone='yes' ?><a b = '1' c=\"'\"\n/>",
		"<a xmlns='u'><b xmlns=''/></a>",
		"<a xml:lang='fr' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
		"<a b='>'>]] ]&gt; ></a>",
		"<é à='ü'>€ 😀</é>",
		"<a><!----><![CDATA[]]><![CDATA[]]]]><![CDATA[>]]></a>",
		"<a>" + strings.Repeat("é", 70_000) + "</a>",
		"<a>" + strings.Repeat("&#233;", 70_000) + "</a>",
	} {
		if _, err := tokens(markup.NewReader(strings.NewReader(doc), markup.Limits{})); !errors.Is(err, io.EOF) {
			t.Errorf("%.60q: %v", doc, err)
		}
	}
}
