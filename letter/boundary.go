package letter

import (
	"bytes"
	"strings"
)

// maxBoundary is the longest boundary in octets that is searched for. RFC 2046
// 5.1.1 allows 70.
const maxBoundary = 512

// delimiter finds the multipart that a line divides; rest is the line without its
// two hyphens and its end. It returns the index of the multipart's frame, -1 if
// the line divides none, and whether it is the closing boundary.
//
// The whole line must match, white space after it aside, and the innermost
// multipart wins. RFC 2046 5.1.1 lets a reader compare the beginning only; then a
// boundary that begins another one breaks its parts, so we do as most readers do,
// and note the lines that the other reading would take.
func (w *Walker) delimiter(rest []byte) (int, bool) {
	prefix, late := false, false
	for i := len(w.stack) - 1; i >= 0; i-- {
		f := &w.stack[i]
		n := len(f.boundary)
		if n == 0 || len(rest) < n || string(rest[:n]) != f.boundary {
			continue
		}
		tail, last := bytes.CutPrefix(rest[n:], []byte("--"))
		last = last && white(tail)
		switch {
		case !last && !white(rest[n:]):
			prefix = true
		case f.state == inEpilogue:
			late = true // one reader stops at the close, another does not
		default:
			return i, last
		}
	}
	if prefix {
		w.doubts.add(doubtBoundaryPrefix)
	}
	if late {
		w.doubts.add(doubtEpilogue)
	}
	return -1, false
}

// boundary returns the delimiter of a multipart; empty if it has none that can be
// used.
func (w *Walker) boundary(v *mimeValue) string {
	b, found := v.params.Get("boundary")
	if !found {
		if b, found = v.params.Get("boundary*"); found {
			b = extended(b)
			w.doubts.add(doubtBoundaryContinued)
		}
	}
	for _, name := range v.continued {
		if name == "boundary" {
			w.doubts.add(doubtBoundaryContinued)
		}
	}
	trimmed := strings.TrimRight(b, " \t")
	switch {
	case !found:
		w.doubts.add(doubtBoundaryMissing)
	case trimmed == "":
		w.doubts.add(doubtBoundaryEmpty)
	case len(b) > 70:
		w.doubts.add(doubtBoundaryLong)
	}
	if trimmed != b || !boundaryOctets(b) {
		w.doubts.add(doubtBoundaryOctets)
	}
	if len(trimmed) > maxBoundary {
		return ""
	}
	return trimmed
}

// boundaryOctets reports whether b consists of the octets of RFC 2046 5.1.1.
func boundaryOctets(b string) bool {
	for i := range len(b) {
		c := b[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("'()+_,-./:=? ", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// bound begins the parts of a multipart that has a boundary.
func (w *Walker) bound(f *frame) {
	b := f.boundary
	for i := range len(w.stack) - 1 {
		if other := w.stack[i].boundary; other != "" && (other == b || other == b+"--" || other+"--" == b) {
			w.doubts.add(doubtBoundaryClash)
		}
	}
	f.state = inPreamble
	w.bounded++
}

// white reports whether b holds nothing but spaces and tabs.
func white(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' {
			return false
		}
	}
	return true
}

// mimeLine reports whether a line outside of the parts looks like a part's header.
func mimeLine(text []byte) bool {
	const prefix = "content-"
	return len(text) > len(prefix) && strings.EqualFold(string(text[:len(prefix)]), prefix) &&
		bytes.IndexByte(text, ':') > 0
}
