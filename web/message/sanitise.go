package message

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	nethtml "golang.org/x/net/html"
)

// Bounds of what a frame shows. Our choice: above what people write, below what
// makes a phone stop.
const (
	// maxHTML is how much of an HTML part is read, in octets.
	maxHTML = 2 << 20
	// maxImages bounds the images shown inside a letter, all together, in octets.
	maxImages = 3 << 20
	// maxImage bounds one of them.
	maxImage = 1 << 20
)

// elements is the closed list of what the frame may hold: words, lists, tables.
// Nothing that fetches, runs, styles, submits or opens another parser (security
// spec 2.4). Images are added by [images] alone.
func elements() []string {
	return []string{
		"p", "br", "hr", "div", "span", "blockquote", "pre", "code", "center", "address",
		"h1", "h2", "h3", "h4", "h5", "h6",
		"b", "strong", "i", "em", "u", "s", "small", "sub", "sup", "abbr", "q",
		"ul", "ol", "li", "dl", "dt", "dd",
		"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
	}
}

// unread are elements that go with all they hold; of any other unknown element the
// words stay. The library adds frames, script, style, object, noscript and title.
func unread() []string {
	return []string{"svg", "math", "template", "textarea", "select", "xmp", "plaintext", "video", "audio", "applet"}
}

// policy makes the closed policy. One policy serves all letters; it is safe for
// concurrent use once made.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(elements()...)
	small := regexp.MustCompile(`^[1-9][0-9]{0,2}$`)
	p.AllowAttrs("colspan", "rowspan").Matching(small).OnElements("td", "th")
	p.AllowAttrs("scope").Matching(regexp.MustCompile(`^(?:row|col|rowgroup|colgroup)$`)).OnElements("th")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(?:left|center|right)$`)).OnElements("p", "div", "td", "th", "tr", "h1", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(small).OnElements("ol")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(?:ltr|rtl|auto)$`)).OnElements("p", "div", "span", "td", "th", "blockquote")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$`)).OnElements("p", "div", "span", "q", "blockquote")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowURLSchemes("https", "cid")
	p.SkipElementsContent(unread()...)
	return p
}

// clean returns the words and the layout of a letter's HTML that may be shown: the
// first wall. The second is the frame: sandboxed, on its own route, with a policy
// that lets nothing in (security spec 2.4).
//
// Addresses of links stay and are written out behind the link, so that no text can
// say another place than where it leads. Images are shown only when the letter
// itself carries them: image returns one by its Content-ID as PNG or JPEG, nil for
// none. Every other image gives way to its alternative text.
func (s *sanitiser) clean(raw string, image func(id string) (mime string, octets []byte)) string {
	tokens := nethtml.NewTokenizer(strings.NewReader(s.policy.Sanitize(raw)))
	var out bytes.Buffer
	links := linkStack{}
	left := maxImages
	for {
		switch tokens.Next() {
		case nethtml.ErrorToken: // the end: a string reader fails with nothing else
			links.closeAll(&out)
			return out.String()
		case nethtml.TextToken:
			text := string(tokens.Raw())
			links.add(text)
			out.WriteString(text)
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			switch t := tokens.Token(); t.Data {
			case "a":
				links.closeAll(&out) // links do not nest
				links.open(&out, attribute(t, "href"))
			case "img":
				left -= writeImage(&out, t, left, image)
			default:
				if slices.Contains(s.elements, t.Data) {
					out.WriteString(t.String())
				}
			}
		case nethtml.EndTagToken:
			switch t := tokens.Token(); {
			case t.Data == "a":
				links.closeAll(&out)
			case slices.Contains(s.elements, t.Data):
				out.WriteString(t.String())
			}
		}
	}
}

// sanitiser holds what one policy is made of.
type sanitiser struct {
	policy   *bluemonday.Policy
	elements []string
}

func newSanitiser() *sanitiser {
	return &sanitiser{policy: policy(), elements: elements()}
}

// linkStack is the one link that may be open, with the words in it.
type linkStack struct {
	host string
	text strings.Builder
	on   bool
}

func (l *linkStack) open(w io.Writer, href string) {
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" {
		return // the words stay, the link goes
	}
	l.on, l.host = true, strings.ToLower(u.Host)
	l.text.Reset()
	fmt.Fprintf(w, `<a href="%s" target="_blank" rel="noopener noreferrer nofollow">`, html.EscapeString(u.String()))
}

func (l *linkStack) add(text string) {
	if l.on {
		l.text.WriteString(text)
	}
}

// closeAll ends the open link, if there is one, and says where it leads unless its
// own words are that address.
func (l *linkStack) closeAll(w io.Writer) {
	if !l.on {
		return
	}
	l.on = false
	_, _ = io.WriteString(w, "</a>") // a buffer does not fail
	said := strings.TrimSpace(html.UnescapeString(l.text.String()))
	if u, err := url.Parse(said); err == nil && u.Scheme == "https" && u.User == nil && strings.EqualFold(u.Host, l.host) {
		return
	}
	fmt.Fprintf(w, " <small>(%s)</small>", html.EscapeString(l.host))
}

// writeImage writes an image that the letter carries as a data: URL, or the text that
// stands for it. A part's own address would not do: a sandboxed frame has no origin,
// so the browser sends it no cookie. It returns the octets that were used of left.
func writeImage(w io.Writer, t nethtml.Token, left int, image func(string) (string, []byte)) int {
	alt := attribute(t, "alt")
	if id, ok := strings.CutPrefix(strings.TrimSpace(attribute(t, "src")), "cid:"); ok && image != nil {
		if plain, err := url.PathUnescape(id); err == nil { // RFC 2392 2
			id = plain
		}
		mime, octets := image(id)
		if len(octets) > 0 && len(octets) <= min(left, maxImage) && (mime == "image/png" || mime == "image/jpeg") {
			fmt.Fprintf(w, `<img src="data:%s;base64,%s" alt="%s">`, mime, base64.StdEncoding.EncodeToString(octets), html.EscapeString(alt))
			return len(octets)
		}
	}
	if alt != "" {
		fmt.Fprintf(w, "<i>[%s]</i>", html.EscapeString(alt))
	}
	return 0
}

func attribute(t nethtml.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
