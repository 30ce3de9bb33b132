package message

import (
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"
)

// maxText is how much of a text part a page shows, in octets. Our choice: 100 pages.
const maxText = 512 << 10

// Paragraphs are a plain text as people wrote it: paragraphs of lines.
type Paragraphs [][]string

// paragraphs splits a text at its empty lines. In a flowed text (RFC 3676 4) a line
// that ends with a space goes on in the next one.
func paragraphs(text string, flowed bool) Paragraphs {
	var all Paragraphs
	var now []string
	open := false
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if flowed {
			line = strings.TrimPrefix(line, " ") // space-stuffing, RFC 3676 4.4
		}
		line = tame(line)
		switch {
		case strings.TrimSpace(line) == "" && line != "-- ":
			if len(now) > 0 {
				all, now = append(all, now), nil
			}
			open = false
			continue
		case open:
			now[len(now)-1] += line
		default:
			now = append(now, line)
		}
		open = flowed && strings.HasSuffix(line, " ") && line != "-- "
	}
	if len(now) > 0 {
		all = append(all, now)
	}
	return all
}

// String is the text again, for the facts of a letter as JSON.
func (p Paragraphs) String() string {
	blocks := make([]string, len(p))
	for i, lines := range p {
		blocks[i] = strings.Join(lines, "\n")
	}
	return strings.Join(blocks, "\n\n")
}

// words returns the text of sanitised HTML, for those who do not see its layout.
func words(clean string) string {
	blocks := []string{"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "blockquote", "pre", "address", "hr"}
	lines := []string{"br", "li", "tr", "dt", "dd", "caption"}
	var b strings.Builder
	z := nethtml.NewTokenizer(strings.NewReader(clean))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return tidy(b.String())
		case nethtml.TextToken:
			b.WriteString(strings.Join(strings.FieldsFunc(string(z.Text()), func(r rune) bool { return r == '\n' || r == '\r' }), " "))
		case nethtml.StartTagToken, nethtml.EndTagToken, nethtml.SelfClosingTagToken:
			switch name, _ := z.TagName(); {
			case slices.Contains(blocks, string(name)):
				b.WriteString("\n\n")
			case slices.Contains(lines, string(name)):
				b.WriteString("\n")
			case string(name) == "td" || string(name) == "th":
				b.WriteString(" ")
			}
		case nethtml.CommentToken, nethtml.DoctypeToken:
		}
	}
}

// tidy leaves at most one empty line, and no white space around lines.
func tidy(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
