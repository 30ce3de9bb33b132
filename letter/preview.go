package letter

import (
	"bytes"
	"html"
	"strings"
	"unicode"
)

// The bounds of a preview: RFC 8970 3.2 asks for at most 200 characters, which
// take at most 2,400 octets encoded; an HTML text may begin with a long head.
const (
	previewRunes = 200
	plainOctets  = 2400
	htmlOctets   = 8 << 10
)

// sample keeps the beginning of the first text part.
type sample struct {
	taken bool // a part was chosen
	open  bool // its body is passing by
	part  Part
	raw   []byte
}

// offer begins the body of a part: the first text that is no attachment is taken.
func (s *sample) offer(p *Part) {
	s.open = false
	if s.taken || p.Type != "text" || p.Disposition == "attachment" {
		return
	}
	if p.Subtype != "plain" && p.Subtype != "html" {
		return
	}
	s.taken, s.open, s.part = true, true, *p
	s.raw = make([]byte, 0, plainOctets)
	if p.Subtype == "html" {
		s.raw = make([]byte, 0, htmlOctets)
	}
}

// octets takes octets of the innermost body.
func (s *sample) octets(p []byte) {
	if n := min(cap(s.raw)-len(s.raw), len(p)); s.open && n > 0 {
		s.raw = append(s.raw, p[:n]...)
	}
}

// preview returns the sample as one line of text.
func (s *sample) preview() string {
	if !s.taken {
		return ""
	}
	text, err := s.part.Text(bytes.NewReader(s.raw), len(s.raw))
	if err != nil {
		return "" // not reached: octets in memory can be read
	}
	if s.part.Subtype == "html" {
		text = htmlText(text)
	}
	return oneLine(text, previewRunes)
}

// oneLine returns the first n characters of s with each run of white space and
// controls made one space.
func oneLine(s string, n int) string {
	var b strings.Builder
	count, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			space = true
			continue
		}
		if unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			continue
		}
		if space && count > 0 {
			if count++; count >= n {
				break
			}
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
		if count++; count >= n {
			break
		}
	}
	return b.String()
}

// htmlText returns the text of an HTML fragment, good enough for a preview and
// for search: tags are dropped, with what stands in style, script and title.
func htmlText(s string) string {
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(s, "<")
		b.WriteString(text)
		if !found {
			break
		}
		b.WriteByte(' ')
		s = afterTag(rest)
	}
	return html.UnescapeString(b.String())
}

// afterTag returns what follows the tag whose "<" was just read; hidden elements
// and comments are passed over whole.
func afterTag(s string) string {
	if rest, found := strings.CutPrefix(s, "!--"); found {
		_, rest, _ = strings.Cut(rest, "-->")
		return rest
	}
	for _, name := range []string{"style", "script", "title"} {
		if len(s) > len(name) && strings.EqualFold(s[:len(name)], name) {
			i := indexFold(s, "</"+name)
			if i < 0 {
				return ""
			}
			s = s[i:]
			break
		}
	}
	_, rest, _ := strings.Cut(s, ">")
	return rest
}

// indexFold returns the index of an ASCII word in s without regard to case, -1 if
// it is not there.
func indexFold(s, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}
