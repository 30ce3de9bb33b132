package cda_test

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
)

// TestHostileVectors reads all XML vectors: those that must not be filed are refused
// with their reason, the others are read and shown harmless. Time is at most 2 s and
// memory 64 MiB each; here even all that is allocated on the way.
func TestHostileVectors(t *testing.T) {
	refused := map[string]string{
		"billion-laughs": "xml-dtd", "param-laughs": "xml-dtd", "quadratic": "xml-dtd",
		"big-attr-1mb": "xml-tag-too-long", "big-charref-flood": "cda-too-large", "big-depth-45k": "xml-too-deep",
		"big-name-1mb": "xml-name-too-long", "big-ns-20k": "xml-too-many-attributes", "big-pi-100k": "xml-too-large",
		"big-rows-50k":   "cda-too-large",
		"enc-double-bom": "xml-encoding", "enc-ebcdic": "xml-encoding", "enc-latin1-bytes": "xml-encoding",
		"enc-nul": "xml-encoding", "enc-surrogate": "xml-encoding", "enc-utf16-nobom": "xml-encoding",
		"enc-utf16le-bom": "xml-encoding", "enc-utf7": "xml-encoding", "enc-ws-before": "xml-malformed",
		"enc-xml11": "xml-encoding", "sem-attr-dup": "xml-malformed", "sem-default-ns-missing": "cda-not-cda",
		"sem-ins-split": "cda-ins-split", "sem-prefix-colon": "xml-malformed", "sem-truncated": "xml-malformed",
		"sem-two-recordtarget": "cda-two-patients", "sem-two-roots": "xml-malformed",
	}
	// What a person must still read in those that are shown.
	shown := map[string]string{
		"control-cda": "ok", "nar-cdata-html": "<img src=x onerror=MARK()>", "nar-dose-bidi": "Posologie : 001 mg",
		"nar-linkhtml-data": "x", "nar-linkhtml-js-enc": "x", "nar-script-ns": "MARK()", "nar-stylecode": "x",
		"nar-table-on": "x", "pi-xslt-http": "ok", "pi-xslt-js": "ok", "pi-xslt-file": "ok", "pi-css-http": "ok",
	}
	eachSample(t, "hostile/xml", func(t *testing.T, name string, data []byte) {
		base := strings.TrimSuffix(name, ".xml")
		want := refused[base]
		if strings.HasPrefix(base, "dtd-") {
			want = "xml-dtd"
		}
		delete(refused, base)
		before, began := allocated(), time.Now()
		d, err := read(data)
		if err == nil {
			checkHarmless(t, base, d, data, shown[base])
			delete(shown, base)
		}
		if grew := allocated() - before; grew > 64<<20 {
			t.Errorf("%s: %d MiB allocated", base, grew>>20)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: %v", base, took)
		}
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v, want it read", base, err)
		case want != "" && (fault.Reason(err) != want || !fault.Is(err, fault.Invalid)):
			t.Errorf("%s: %v, want %s", base, err, want)
		}
	})
	if len(refused)+len(shown) > 0 {
		t.Errorf("vectors not seen: %v %v", refused, shown)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// checkHarmless renders a vector, looks for what must not be there and for the text
// that must, and opens what it embeds.
func checkHarmless(t *testing.T, name string, d *cda.Document, data []byte, shown string) {
	t.Helper()
	html := rendered(t, d, cda.Render{Media: func(id string) string { return "/media/" + id }})
	checkHTML(t, name, html)
	if !strings.Contains(text(t, html), shown) {
		t.Errorf("%s: %q does not show %q", name, html, shown)
	}
	for _, bad := range []string{"javascript:", "data:", "canary", "passwd", "<script", "<svg", "<iframe", "onload=", "\u202E"} {
		if strings.Contains(html, bad) {
			t.Errorf("%s: %q in %q", name, bad, html)
		}
	}
	if strings.HasSuffix(name, "bidi") != slices.Contains(d.Warnings, "bidi-override") {
		t.Errorf("%s: %v", name, d.Warnings)
	}
	for _, em := range d.Embedded(bytes.NewReader(data)) {
		if em.MediaType != cda.Unknown {
			t.Errorf("%s: its file is taken for %s", name, em.MediaType)
		}
		f, err := em.Open()
		if name == "nonxml-zipped" {
			if fault.Reason(err) != "cda-body-compressed" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, f); name == "nonxml-b64-bad" && fault.Reason(err) != "cda-body-malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
