package leaf

import (
	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// MaxEmbedded bounds a file in a document, in octets (spec security 2.3: one entry).
const MaxEmbedded = 50 << 20

// HoldEmbedded decodes a file in a clinical document. The caller closes it.
func HoldEmbedded(f cda.Embedded) (*Held, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // read to its end or failed
	return Hold(r, MaxEmbedded)
}

// pdfPolicy is the policy of a PDF. It has no sandbox: a browser's own viewer does not
// start in a document without an origin. A PDF runs nothing in the page that frames it,
// and loads nothing under this policy.
const pdfPolicy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

// Serve hands out a file; the answer closes it. It is shown in the browser only when
// show says so and its own octets are of a kind that is shown; else it is kept, as
// octets of no type.
func Serve(h *Held, name string, show bool) ui.File {
	kind := Sniff(h)
	f := ui.File{Name: name, Type: kind.MIME(), Size: h.Size, Inline: show && kind.Shown(), Content: h, Close: h.Close}
	if kind == PDF && f.Inline {
		f.Policy = pdfPolicy
	}
	return f
}
