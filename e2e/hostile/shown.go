package main

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// shown opens everything that is new as a browser would: the letter, its layout and
// its files, the documents with their originals and pictures, the events.
func (c *court) shown(t *trial) error {
	at := "/messages/" + t.message
	if _, err := c.page(t, at); err != nil {
		return err
	}
	if t.facts.HTML != "" {
		if _, err := c.page(t, t.facts.HTML); err != nil {
			return err
		}
	}
	kept := false
	for _, a := range t.facts.Attachments {
		part := at + "/parts/" + url.PathEscape(a.Part)
		if _, err := c.file(t, part); err != nil {
			return err
		}
		p, err := c.file(t, part+"?keep=1")
		if err != nil {
			return err
		}
		if how := p.Header.Get("Content-Disposition"); !strings.HasPrefix(how, "attachment") {
			return fmt.Errorf("no-exec: a file for keeping is served as %q", how)
		}
		kept = kept || same(p.Body, t.data)
	}
	if !kept && t.v.kind() != "ics" { // an invitation is no file of the page
		return fmt.Errorf("bytes: none of the letter's %d files is what was sent", len(t.facts.Attachments))
	}
	for _, d := range t.fresh {
		if err := c.filedPage(t, d); err != nil {
			return err
		}
	}
	for _, i := range t.facts.Invitations {
		if i.ID == "" {
			continue
		}
		if _, err := c.page(t, "/agenda/"+i.ID); err != nil {
			return err
		}
		p, err := c.file(t, "/agenda/"+i.ID+"/ics")
		if err != nil {
			return err
		}
		if found := regexp.MustCompile(`(?m)^(ORGANIZER|ATTENDEE|ATTACH|IMAGE|CONFERENCE|BEGIN:VALARM)`).Find(p.Body); found != nil {
			return fmt.Errorf("no-outside: the event for another agenda has a %s", found)
		}
	}
	for _, path := range []string{"/", "/messages", "/documents", "/history"} {
		if _, err := c.page(t, path); err != nil {
			return err
		}
	}
	return nil
}

// filedPage opens a document that was filed, and what is in it.
func (c *court) filedPage(t *trial, d document) error {
	at := "/documents/" + d.ID
	p, err := c.page(t, at)
	if err != nil {
		return err
	}
	var facts struct{ Embedded []struct{ URL string } }
	if err := t.space.JSON(at, &facts); err != nil {
		return err
	}
	if _, err := c.file(t, at+"/original"); err != nil {
		return err
	}
	for _, e := range facts.Embedded {
		if _, err := c.file(t, e.URL); err != nil {
			return err
		}
	}
	return c.original(t, d, words(p.Body))
}

// page opens a page and holds that nothing on it acts or fetches.
func (c *court) page(t *trial, path string) (wiretest.Page, error) {
	p, err := c.timed(t, path, "text/html")
	if err == nil {
		err = inert(p)
	}
	if err != nil {
		return p, fmt.Errorf("%w (the page %s)", err, kindOf(path))
	}
	return p, nil
}

// file opens a file and holds that a browser does nothing with it but show it.
func (c *court) file(t *trial, path string) (wiretest.Page, error) {
	p, err := c.timed(t, path, "")
	if err == nil {
		err = passive(p)
	}
	if err != nil {
		return p, fmt.Errorf("%w (a file of %s)", err, kindOf(path))
	}
	return p, nil
}

// timed opens what has to be there, in time, and without a file of this machine in it.
func (c *court) timed(t *trial, path, accept string) (wiretest.Page, error) {
	p, took, err := t.space.ask(path, accept, c.limit(t.v))
	switch {
	case err != nil:
		return p, fmt.Errorf("alive: %w", err)
	case p.Code != http.StatusOK:
		return p, fmt.Errorf("alive: answered %d", p.Code)
	case took > c.limit(t.v):
		return p, fmt.Errorf("alive: took %v", took.Round(time.Millisecond))
	}
	for _, secret := range t.secrets {
		if bytes.Contains(p.Body, []byte(secret)) {
			return p, fmt.Errorf("no-fetch: a file of this machine is shown")
		}
	}
	return p, nil
}

// kindOf names a page without the id in it.
func kindOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + first
}

// bidi reports whether a character turns the direction of writing over others.
func bidi(r rune) bool { return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 }

// inert holds a page of ours: its policy, and nothing that acts or fetches.
func inert(p wiretest.Page) error {
	kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil || kind != "text/html" || p.Header.Get("X-Content-Type-Options") != "nosniff" {
		return fmt.Errorf("no-exec: a page is served as %q", p.Header.Get("Content-Type"))
	}
	if csp := p.Header.Get("Content-Security-Policy"); !strict(csp) {
		return fmt.Errorf("no-exec: the policy is %q", csp)
	}
	if i := bytes.IndexFunc(p.Body, func(r rune) bool { return r == 0x202D || r == 0x202E }); i >= 0 {
		return fmt.Errorf("no-spoof: a character that turns the writing round stands in the page")
	}
	root, err := html.Parse(bytes.NewReader(p.Body))
	if err != nil {
		return err
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if err := harmless(n); err != nil {
			return err
		}
	}
	return nil
}

// strict reports whether a policy lets nothing in from elsewhere and runs nothing that
// stands in the page.
func strict(csp string) bool {
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http") {
		return false
	}
	return strings.Contains(csp, "base-uri 'none'") && strings.Contains(csp, "form-action ") && strings.Contains(csp, "frame-ancestors ")
}

// addresses are the attributes that name something to fetch or to go to.
func addresses(key string) bool {
	switch key {
	case "src", "href", "action", "formaction", "data", "poster", "background", "cite", "ping", "longdesc", "manifest", "codebase", "archive", "srcset", "imagesrcset", "xlink:href", "profile", "dynsrc", "lowsrc":
		return true
	}
	return false
}

// harmless looks at one element.
func harmless(n *html.Node) error {
	bad := func(what string) error { return fmt.Errorf("no-exec: <%s> %s", n.Data, what) }
	switch n.Data {
	case "object", "embed", "applet", "base", "frame", "frameset", "foreignobject", "foreignObject", "math", "animate", "set", "portal", "marquee":
		return bad("has no place here")
	case "script":
		if n.FirstChild != nil || !strings.HasPrefix(attribute(n, "src"), "/static/") {
			return bad("is not one of ours")
		}
	case "meta":
		if attribute(n, "http-equiv") != "" {
			return bad("gives orders")
		}
	case "iframe":
		box := strings.Fields(attribute(n, "sandbox"))
		if attribute(n, "srcdoc") != "" || slices.Contains(box, "allow-scripts") || slices.Contains(box, "allow-same-origin") {
			return bad("is open")
		}
	}
	for _, a := range n.Attr {
		key := strings.ToLower(a.Key)
		switch {
		case strings.HasPrefix(key, "on"):
			return bad("has " + key)
		case key == "style", key == "srcdoc":
			return bad("has a " + key)
		case addresses(key) && !ownAddress(n.Data, key, a.Val):
			return bad(fmt.Sprintf("has %s=%q", key, clip(a.Val)))
		}
	}
	return nil
}

// ownAddress reports whether an address stays here. A link may lead to a web page or
// a telephone, which only a person's click follows; a picture may be in the page.
func ownAddress(element, key, value string) bool {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, value)
	switch {
	case strings.ContainsAny(clean, "\\"), strings.HasPrefix(clean, "//"):
		return false
	case clean == "", strings.HasPrefix(clean, "/"), strings.HasPrefix(clean, "#"), strings.HasPrefix(clean, "?"):
		return true
	case element == "a" && key == "href":
		return strings.HasPrefix(clean, "https://") || strings.HasPrefix(clean, "http://") || strings.HasPrefix(clean, "tel:") || strings.HasPrefix(clean, "sms:")
	case element == "img" && key == "src":
		return strings.HasPrefix(clean, "data:image/png;base64,") || strings.HasPrefix(clean, "data:image/jpeg;base64,")
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// passive holds a file that somebody sent: never a type that a browser runs or renders
// as a page of ours.
func passive(p wiretest.Page) error {
	kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("no-exec: a file without a type")
	}
	switch kind {
	case "application/pdf", "image/jpeg", "image/png", "text/plain", "application/octet-stream", "text/calendar", "application/zip":
	default:
		return fmt.Errorf("no-exec: a file is served as %s", kind)
	}
	if p.Header.Get("X-Content-Type-Options") != "nosniff" {
		return fmt.Errorf("no-exec: a file is served without nosniff")
	}
	csp := p.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || kind != "application/pdf" && !strings.Contains(csp, "sandbox") || strings.Contains(csp, "allow-scripts") {
		return fmt.Errorf("no-exec: a file is served with the policy %q", csp)
	}
	for _, one := range p.Header.Values("Content-Disposition") {
		if strings.ContainsAny(one, "\r\n") || len(p.Header.Values("Content-Disposition")) > 1 {
			return fmt.Errorf("hdr-safe: %q", clip(one))
		}
	}
	return nil
}

// words is what a person reads on a page.
func words(page []byte) string {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return ""
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(strings.Map(func(r rune) rune {
				if bidi(r) {
					return -1
				}
				return r
			}, n.Data))
			b.WriteByte(' ')
		}
	}
	return b.String()
}
