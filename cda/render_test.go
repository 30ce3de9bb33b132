package cda_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vaguemestre/vaguemestre/cda"
)

// TestNarrativeBecomesHTML holds the HTML of each narrative element, and of those that
// stand where they should not.
func TestNarrativeBecomesHTML(t *testing.T) {
	t.Parallel()
	const frame = `<div class="cda-table" role="group" aria-label="NAME" tabindex="0"><table><caption class="cda-auto">NAME</caption>`
	section := func(name string) string { return strings.ReplaceAll(frame, "NAME", name) }
	for _, row := range []struct{ in, want string }{
		{"a &lt;b&gt; &amp; \"c\" 'd'", "<p>a &lt;b&gt; &amp; &#34;c&#34; &#39;d&#39;</p>"},
		{"a<br/>b<br/> ", "<p>a<br>b<br> </p>"},
		{" <br/> ", ""},
		{"<paragraph>a</paragraph> b <paragraph/>", "<p>a</p><p> b </p>"},
		{"<paragraph styleCode='Bold Underline xRed' align='center'><caption>T</caption>a</paragraph>", `<p class="cda-bold cda-underline cda-center"><strong>T</strong> a</p>`},
		{"<paragraph>a<list><item>b</item></list></paragraph>", `<div><p>a</p><ul><li>b</li></ul></div>`},
		{"<content styleCode='Bold'>a</content><content styleCode='italics Emphasis'>b</content><content>c</content>", "<p><strong>a</strong><em><em>b</em></em>c</p>"},
		{"<content styleCode='BoldItalics Underline' revised='delete'>a</content>", `<p><span class="cda-underline"><del><strong><em>a</em></strong></del></span></p>`},
		{"<content revised='insert'>a</content>b<sub>2</sub><sup>3</sup>", "<p><ins>a</ins>b<sub>2</sub><sup>3</sup></p>"},
		{"<content styleCode='x&quot; onclick=&quot;M()'>a</content>", "<p>a</p>"},
		{"<list listType='ordered' styleCode='Arabic'><caption>T</caption><item><caption>C</caption>a</item><item/></list>", `<p class="cda-caption">T</p><ol class="cda-arabic"><li><strong>C</strong> a</li></ol>`},
		{"<list>a<item>b<list><item>c</item></list></item></list>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"},
		{"<item>a</item>", "<ul><li>a</li></ul>"},
		{
			"<table border='1' onmouseover='M()' style='x'><caption>T</caption><thead><tr><th>a</th><th/></tr></thead><tbody><tr><th>b</th><td align='right' colspan='2'>c</td></tr></tbody></table>",
			strings.Replace(section("T"), ` class="cda-auto"`, "", 1) + `<thead><tr><th scope="col">a</th><td></td></tr></thead><tbody><tr><th scope="row">b</th><td class="cda-right" colspan="2">c</td></tr></tbody></table></div>`,
		},
		{"<table><tr><th>a</th><th scope='row'>b</th></tr><tr><td>c</td></tr></table>", section("Section") + `<tbody><tr><th scope="col">a</th><th scope="row">b</th></tr><tr><td>c</td></tr></tbody></table></div>`},
		{"<table><thead><tr><td colspan='99999' rowspan='0'>Only</td></tr></thead></table>", section("Only") + `<thead><tr><th scope="col" colspan="1000">Only</th></tr></thead></table></div>`},
		{
			"<table>x<tfoot><tr><td>f</td></tr></tfoot><td>a</td><tbody>y<td>b</td><td>c</td><tr>z<td>d</td></tr></tbody><thead><tr><td>late</td></tr></thead></table>",
			"<p>x</p><p>y</p>" + section("Section") + "<tbody><tr><td>a</td></tr><tr><td>b</td><td>c</td></tr><tr><td>z</td><td>d</td></tr><tr><td>late</td></tr></tbody><tfoot><tr><td>f</td></tr></tfoot></table></div>",
		},
		{"<table><caption>T</caption></table>", "<p><strong>T</strong> </p>"},
		{"<td>a</td><tr><td>b</td></tr>", "<p>a</p><p>b</p>"},
		{"<linkHtml href='https://a.example/x?y=1&amp;z'>see</linkHtml>", `<p>see<span class="cda-address"> (https://a.example/x?y=1&amp;z)</span></p>`},
		{"<linkHtml href='http://a.example'>http://a.example</linkHtml>", `<p>http://a.example</p>`},
		{"<linkHtml href='javascript:M()'>x</linkHtml><linkHtml href=' jaVa&#9;script:M()'>y</linkHtml><linkHtml href='data:text/html,z'>z</linkHtml>", "<p>xyz</p>"},
		{"<linkHtml href='#n1'>see</linkHtml> <content ID='n1'>note</content><content ID='n1'>again</content>", `<p><a href="#cda-1">see</a> <span id="cda-1">note</span>again</p>`},
		{"<linkHtml href='#n9'>see</linkHtml>", "<p>see</p>"},
		{"<linkHtml href='#n'>a<linkHtml href='#n'>b</linkHtml></linkHtml><paragraph ID='n'>c</paragraph>", `<p><a href="#cda-1">ab</a></p><p id="cda-1">c</p>`},
		{"a<footnoteRef IDREF='f'/><footnote ID='f'>note</footnote><footnoteRef IDREF='javascript:M()'/>", `<p>a<a href="#cda-1">[*]</a><span id="cda-1" class="cda-note"> [note] </span></p>`},
		{"<renderMultiMedia referencedObject='MM1'/>", `<p><span class="cda-unshown">[Contenu joint non affichable]</span> </p>`},
		{"<script xmlns='http://www.w3.org/1999/xhtml'>M()</script>", "<p> M() </p>"},
		{"<svg xmlns='http://www.w3.org/2000/svg' onload='M()'/>", ""},
		{"<x:table xmlns:x='u'><x:td>a</x:td><x:td>b</x:td></x:table>", "<p>  a  b  </p>"},
		{"<![CDATA[<img src=x onerror=M()>]]>", "<p>&lt;img src=x onerror=M()&gt;</p>"},
		{"\u202E001\u202C mg\u0085\u200F", "<p>001 mg \u200F</p>"},
	} {
		want := `<section class="cda-section"><h2>Section</h2>` + row.want + "</section>\n"
		want = strings.ReplaceAll(want, `id="cda-1" class="cda-note"`, `class="cda-note" id="cda-1"`)
		doc := narrated(t, row.in)
		got := rendered(t, mustRead(t, doc), cda.Render{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", row.in, diff)
		}
		checkHTML(t, row.in, got)
	}
}

func TestHeadingsFollowOneAnother(t *testing.T) {
	t.Parallel()
	section := func(title, inside string) string {
		if title != "" {
			title = "<title>" + title + "</title>"
		}
		return "<component><section>" + title + inside + "</section></component>"
	}
	doc := body(t, "<structuredBody>"+
		section("A", section("B", section("", section("C", section("D", section("E", section("F", "")))))))+
		section("", "<text><table><tr><td>x</td></tr></table></text>")+"</structuredBody>")
	got := rendered(t, mustRead(t, doc), cda.Render{Level: 3, Words: cda.English()})
	checkHTML(t, "headings", got)
	var levels []string
	for part := range strings.SplitSeq(got, "<h") {
		levels = append(levels, part[:min(3, len(part))])
	}
	if diff := cmp.Diff([]string{"<se", "3>A", "4>B", "5>C", "6>D", "6>E", "6>F"}, levels); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(got, `<caption class="cda-auto">Table 1</caption>`) {
		t.Errorf("%s: no caption", got)
	}
}

// observed returns an entry with an observation that points to an ID.
func observed(code, ref string) string {
	return "<entry><organizer><component><observation><code><originalText><reference value='" + ref + "'/></originalText></code>" +
		"<interpretationCode code='" + code + "'/><referenceRange><observationRange><interpretationCode code='HH'/></observationRange></referenceRange>" +
		"</observation></component></organizer></entry>"
}

func TestWhatIsNotNormalIsSaidInWords(t *testing.T) {
	t.Parallel()
	text := "<table><tbody><tr ID='r'><td><content ID='a'>TSH</content></td><td ID='b'>9</td></tr><tr><td ID='c'>x</td></tr></tbody></table>"
	entries := observed("H", "#a") + observed("LL", "b") + observed("N", "#c") + observed("A", "#r") + observed("A", "#r") +
		"<entry><observation><text><reference value='#a'/></text><interpretationCode code='AA'/></observation></entry>"
	doc := fixture(t, "<text>ok</text>", "<text>"+text+"</text>"+entries)
	got := rendered(t, mustRead(t, doc), cda.Render{})
	checkHTML(t, "flags", got)
	_, rows, _ := strings.Cut(got, "<tbody>")
	rows, _, _ = strings.Cut(rows, "</tbody>")
	want := `<tr><td>TSH <span class="cda-flag cda-high">(élevé)</span> <span class="cda-flag cda-very-abnormal">(très anormal)</span> ` +
		`<span class="cda-flag cda-abnormal">(anormal)</span></td><td>9 <span class="cda-flag cda-very-low">(très bas)</span></td></tr><tr><td>x</td></tr>`
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	english := rendered(t, mustRead(t, doc), cda.Render{Words: cda.English()})
	if !strings.Contains(english, "(very low)") || strings.Contains(english, "élevé") {
		t.Error(english)
	}
}

func TestPicturesAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	media := func(id, octets string) string {
		return "<entry><observationMedia ID='" + id + "'><value mediaType='image/png' representation='B64'>" + b64(octets) + "</value></observationMedia></entry>"
	}
	doc := fixture(t, "<text>ok</text>",
		"<text><renderMultiMedia referencedObject='png pdf odd none'><caption>Radio</caption></renderMultiMedia></text>"+
			media("png", "\x89PNG\r\n\x1A\n")+media("pdf", "%PDF-1.7")+media("odd", "<svg/>"))
	d := mustRead(t, doc)
	got := rendered(t, d, cda.Render{Prefix: "x", Media: func(id string) string { return "/media/" + id + `"<` }})
	unshown := `<span class="cda-unshown">[Contenu joint non affichable]</span> `
	want := `<section class="cda-section"><h2>Section</h2><p>` +
		`<img src="/media/png&#34;&lt;" alt="Radio" class="cda-picture" loading="lazy"> ` +
		`<a href="/media/pdf&#34;&lt;" class="cda-attachment">Fichier joint</a> ` + unshown + unshown +
		"<strong>Radio</strong> </p></section>\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSelfPresentableDocument(t *testing.T) {
	t.Parallel()
	_, inside, _ := strings.Cut(string(narrated(t, "ok")), "?>")
	wrap := func(s string) []byte {
		return []byte(`<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" xmlns:d="urn:asip-sante:ci-sis"><d:Contenu>` + s +
			`</d:Contenu><x:template match="/"><script>M()</script></x:template></x:stylesheet>`)
	}
	d := mustRead(t, wrap(inside))
	if d.UniqueID() != "1.2.250.1.999.1^doc-1" || len(d.Sections) != 1 || len(d.Warnings) != 1 {
		t.Errorf("%s, %d sections, %v", d.UniqueID(), len(d.Sections), d.Warnings)
	}
	for _, bad := range []string{inside + inside, "", "<x:if>" + inside + "</x:if>"} {
		if _, err := read(wrap(bad)); err == nil {
			t.Errorf("%d octets read", len(bad))
		}
	}
}

// TestAShortDocumentStaysShort renders what is written twice or in place of something
// shorter, many times over.
func TestAShortDocumentStaysShort(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("<table><tr><td/></tr></table>", 20_000) + "<renderMultiMedia referencedObject='" + strings.Repeat("a ", 30_000) + "'/>"
	doc := fixture(t, "<title>Section</title><text>ok", "<title>"+strings.Repeat("&quot;", 2000)+"</title><text>"+text)
	got := rendered(t, mustRead(t, doc), cda.Render{})
	if len(got) > 40*len(doc) {
		t.Errorf("%d octets of %d", len(got), len(doc))
	}
}

// full is a writer that takes only so many octets.
type full struct{ left int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	t.Parallel()
	d := mustRead(t, narrated(t, strings.Repeat("long ", 5000)))
	if err := d.Render(&full{left: 10_000}, cda.Render{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
