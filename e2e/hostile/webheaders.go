package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// headers plays what is true of answers, and of how requests are read.
func headers() []play {
	return []play{
		on(`any HTML page`, everyPage),
		on(`message body frame`, frames),
		on(`^all$`, everyAnswer),
		on(`API JSON`, facts),
		on(`^Host: `, hosts),
		on(`X-Forwarded`, forwarded),
		on(`Content-Disposition`, dispositions),
		on(`CL\+TE|TE\.TE`, smuggling),
		on(`^Range:`, ranges),
		on(`gzip`, compressed),
	}
}

// public are the places that a stranger sees.
func public() []string {
	return []string{"/", "/login", "/help", "/accessibility", "/privacy", "/status", "/messages", "/no-such-page"}
}

// everyPage looks at all pages: those of a patient, of a stranger, and of errors.
func everyPage(s *stage, _ attempt) (string, error) {
	look := func(w *wiretest.Web, path string) error {
		p, err := s.send(w, http.MethodGet, path, nil, func(r *http.Request) { r.Header.Set("Accept", "text/html") })
		if err != nil {
			return err
		}
		if !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			return nil // a file
		}
		csp := p.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "base-uri 'none'", "form-action ", "frame-ancestors "} {
			if !strings.Contains(csp, part) {
				return fmt.Errorf("%s has the policy %q", kindOf(path), csp)
			}
		}
		framed := strings.HasSuffix(path, "/html")
		if !framed && !strings.Contains(csp, "frame-ancestors 'none'") || !framed && !strings.Contains(csp, "form-action 'self'") {
			return fmt.Errorf("%s has the policy %q", kindOf(path), csp)
		}
		if err := inert(p); err != nil {
			return fmt.Errorf("%s: %w", kindOf(path), err)
		}
		return nil
	}
	for _, path := range append(s.actors[0].reads(), "/messages/"+nobodys(s.actors[0].letter), "/settings/nothing") {
		if err := look(s.actors[0].Web, path); err != nil {
			return "", err
		}
	}
	for _, path := range public() {
		if err := look(s.stranger(), path); err != nil {
			return "", err
		}
	}
	return "", nil
}

// frames looks at the frame of a letter's layout.
func frames(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	p, err := s.get(me, "/messages/"+me.letter, "text/html")
	if err != nil {
		return "", err
	}
	root, err := html.Parse(bytes.NewReader(p.Body))
	if err != nil {
		return "", err
	}
	found := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "iframe" {
			continue
		}
		found++
		box := strings.Fields(attribute(n, "sandbox"))
		boxed := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "sandbox" })
		if !boxed || slices.Contains(box, "allow-scripts") || slices.Contains(box, "allow-same-origin") {
			return "", fmt.Errorf("the frame's sandbox is %q", attribute(n, "sandbox"))
		}
	}
	if found == 0 {
		return "", errors.New("a letter with a layout has no frame")
	}
	if p, err = s.get(me, "/messages/"+me.letter+"/html", "text/html"); err != nil {
		return "", err
	}
	csp := p.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "sandbox") || strings.Contains(csp, "allow-scripts") || strings.Contains(csp, "allow-same-origin") || strings.Contains(csp, "script-src") {
		return "", fmt.Errorf("the layout has the policy %q", csp)
	}
	if bytes.Contains(p.Body, []byte("MARK")) || bytes.Contains(p.Body, []byte("canary")) {
		return "", errors.New("the layout keeps what acts or fetches")
	}
	return "", inert(p)
}

// common wants the headers that every answer has.
func common(p wiretest.Page) error {
	h := p.Header
	age := regexp.MustCompile(`max-age=(\d+)`).FindStringSubmatch(h.Get("Strict-Transport-Security"))
	switch {
	case age == nil || !strings.Contains(h.Get("Strict-Transport-Security"), "includeSubDomains"):
		return fmt.Errorf("Strict-Transport-Security is %q", h.Get("Strict-Transport-Security"))
	case h.Get("Referrer-Policy") != "no-referrer", h.Get("Cross-Origin-Opener-Policy") != "same-origin",
		h.Get("Cross-Origin-Resource-Policy") != "same-origin", h.Get("Permissions-Policy") == "", h.Get("X-Content-Type-Options") != "nosniff":
		return fmt.Errorf("a header is missing: %v", h)
	}
	if seconds, err := strconv.Atoi(age[1]); err != nil || seconds < 365*24*3600 {
		return fmt.Errorf("Strict-Transport-Security is %q", h.Get("Strict-Transport-Security"))
	}
	return nil
}

func everyAnswer(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	for _, accept := range []string{"text/html", "application/json", "image/webp"} {
		for _, path := range append(me.reads(), public()...) {
			for _, w := range []*wiretest.Web{me.Web, s.stranger()} {
				p, err := s.send(w, http.MethodGet, path, nil, func(r *http.Request) { r.Header.Set("Accept", accept) })
				if err == nil {
					err = common(p)
				}
				if err != nil {
					return "", fmt.Errorf("GET %s: %w", kindOf(path), err)
				}
			}
		}
	}
	for _, one := range []struct{ method, path string }{{"DELETE", "/messages"}, {"POST", "/nothing"}, {"TRACE", "/"}, {"GET", "/healthz"}, {"OPTIONS", "/"}, {"POST", "/login"}} {
		p, err := s.send(s.stranger(), one.method, one.path, nil, nil)
		if err == nil {
			err = common(p)
		}
		if err != nil {
			return "", fmt.Errorf("%s %s: %w", one.method, one.path, err)
		}
	}
	home, err := s.get(me, "/", "text/html")
	if err != nil {
		return "", err
	}
	for _, path := range regexp.MustCompile(`/static/[A-Za-z0-9._-]+`).FindAllString(string(home.Body), -1) {
		p, err := s.get(me, path, "")
		if err == nil {
			err = errors.Join(want(p, path, http.StatusOK), common(p))
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

func facts(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	for _, path := range append(me.reads(), "/messages/"+nobodys(me.letter)) {
		p, err := s.get(me, path, "application/json")
		if err != nil {
			return "", err
		}
		if p.Header.Get("Content-Disposition") != "" {
			continue // a file has its own type
		}
		if kind := p.Header.Get("Content-Type"); kind != "application/json; charset=utf-8" && p.Code != http.StatusNotAcceptable || p.Header.Get("X-Content-Type-Options") != "nosniff" {
			return "", fmt.Errorf("%s is served as %q", path, kind)
		}
		if !strings.Contains(p.Header.Get("Cache-Control"), "no-store") {
			return "", fmt.Errorf("%s may be stored", kindOf(path))
		}
	}
	return "", nil
}

func hosts(s *stage, a attempt) (string, error) {
	foreign := strings.TrimSpace(strings.TrimPrefix(a.Do, "Host:"))
	for _, w := range []*wiretest.Web{s.actors[0].Web, s.stranger()} {
		for _, path := range []string{"/", "/messages", "/login", "/no-such-page"} {
			p, err := s.send(w, http.MethodGet, path, nil, func(r *http.Request) { r.Host = foreign })
			if err == nil {
				err = want(p, "Host: "+foreign, http.StatusMisdirectedRequest, http.StatusBadRequest)
			}
			if err != nil {
				return "", err
			}
			if bytes.Contains(p.Body, []byte(foreign)) || strings.Contains(p.Header.Get("Location"), foreign) {
				return "", errors.New("the foreign host is in the answer")
			}
		}
	}
	return "", nil
}

func forwarded(s *stage, _ attempt) (string, error) {
	const evil = "evil.example"
	for _, path := range []string{"/", "/messages", "/login", "/settings"} {
		own, err := s.get(s.actors[0], path, "text/html")
		if err != nil {
			return "", err
		}
		p, err := s.send(s.actors[0].Web, http.MethodGet, path, nil, func(r *http.Request) {
			r.Header.Set("Accept", "text/html")
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Host"} {
				r.Header.Set(name, evil)
			}
			r.Header.Set("X-Forwarded-Proto", "http")
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			r.Header.Set("Forwarded", "for=203.0.113.9;host="+evil+";proto=http")
			r.Header.Set("X-Original-Url", "/settings")
			r.Header.Set("X-Rewrite-Url", "/settings")
		})
		if err != nil {
			return "", err
		}
		if p.Code != own.Code || bytes.Contains(p.Body, []byte(evil)) || p.Header.Get("Location") != own.Header.Get("Location") || title(p.Body) != title(own.Body) {
			return "", fmt.Errorf("%s answers otherwise", kindOf(path))
		}
	}
	return "", nil
}

// title is a page's own.
func title(page []byte) string {
	m := regexp.MustCompile(`<title>([^<]*)`).FindSubmatch(page)
	if m == nil {
		return ""
	}
	return string(m[1])
}

func dispositions(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	for _, query := range []string{"", "?keep=1"} {
		answer, err := s.raw("GET /messages/" + me.letter + "/parts/" + me.part + query + " HTTP/1.1\r\nHost: " + s.host() + "\r\nCookie: " + s.cookie(me) + "\r\nConnection: close\r\n\r\n")
		if err != nil {
			return "", err
		}
		head, _, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
		line := regexp.MustCompile(`(?mi)^Content-Disposition: ([^\r\n]*)`).FindAllSubmatch(head, -1)
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) || len(line) != 1 {
			return "", fmt.Errorf("answered %q", clip(string(head)))
		}
		how := string(line[0][1])
		if regexp.MustCompile(`(?mi)^X-Injected`).Match(head) || bytes.Contains(head, []byte("\r\nc=d")) {
			return "", errors.New("a file name splits the header")
		}
		quoted := regexp.MustCompile(`filename="([^"]*)"`).FindStringSubmatch(how)
		if quoted == nil || !regexp.MustCompile(`filename\*=UTF-8''[A-Za-z0-9.%_~!$&+^|`+"`"+`-]+$`).MatchString(how) || strings.Contains(how, "%0D") || strings.Contains(how, "%0A") {
			return "", fmt.Errorf("the header is %q", how)
		}
		name, err := url.PathUnescape(how[strings.Index(how, "''")+2:])
		if err != nil || strings.ContainsFunc(name, bidi) {
			return "", fmt.Errorf("the name is %q", name)
		}
	}
	return "", nil
}

// smuggling sends requests that two readers may end at different places, with a second
// one in what follows.
func smuggling(s *stage, _ attempt) (string, error) {
	host := "Host: " + s.host() + "\r\n"
	form := "Content-Type: application/x-www-form-urlencoded\r\n"
	second := "GET /status HTTP/1.1\r\n" + host + "\r\n"
	var notes []string
	for _, one := range []struct{ name, text string }{
		{"CL+TE", "POST /language HTTP/1.1\r\n" + host + form + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second},
		{"TE+CL", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + second},
		{"CL.CL", "POST /language HTTP/1.1\r\n" + host + form + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + second},
		{"TE.TE", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + second},
		{"TE obfuscated", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + second},
		{"TE with tab", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + second},
		{"TE before the colon", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + second},
		{"long chunk extension", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding: chunked\r\n\r\n5;" + strings.Repeat("a", 1<<16) + "\r\nhello\r\n0\r\n\r\n" + second},
		{"bare LF in a chunk", "POST /language HTTP/1.1\r\n" + host + form + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n" + second},
		{"negative length", "POST /language HTTP/1.1\r\n" + host + form + "Content-Length: -1\r\n\r\n" + second},
		{"bare LF in the head", "GET /status HTTP/1.1\n" + strings.ReplaceAll(host, "\r", "") + "Content-Length: 0\n\n"},
		{"folded header", "GET /status HTTP/1.1\r\n" + host + "X: a\r\n b\r\nTransfer-Encoding:\r\n chunked\r\n\r\n" + second},
	} {
		got, err := s.raw(one.text)
		if err != nil {
			return "", err
		}
		if n := answers(got); n > 1 {
			return "", fmt.Errorf("%s: %d answers to one request: %q", one.name, n, clip(string(got)))
		}
		if status := regexp.MustCompile(`^HTTP/1.1 (\d+)`).FindSubmatch(got); status == nil || string(status[1]) != "400" {
			line, _, _ := bytes.Cut(got, []byte("\r\n"))
			notes = append(notes, fmt.Sprintf("%s: %q, once", one.name, line))
		}
	}
	return strings.Join(notes, ", "), nil
}

func ranges(s *stage, a attempt) (string, error) {
	me := s.actors[0]
	whole, err := s.get(me, "/documents/"+me.document+"/original", "")
	if err != nil {
		return "", err
	}
	for _, value := range []string{
		"bytes=" + strings.TrimSuffix(strings.Repeat("0-,", 1000), ","), "bytes=" + strings.TrimSuffix(strings.Repeat("0-1,", 1000), ","),
		"bytes=-1", "bytes=0-", "bytes=999999999999-", "bytes=5-2", "bytes=-99999999999999999999", "bytes=x",
	} {
		for _, path := range []string{"/documents/" + me.document + "/original", "/messages/" + me.letter + "/parts/" + me.part, "/messages"} {
			p, err := s.send(me.Web, http.MethodGet, path, nil, func(r *http.Request) { r.Header.Set("Range", value) })
			if err == nil {
				err = want(p, "Range: "+clip(value), http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable)
			}
			if err != nil {
				return "", err
			}
			if strings.HasSuffix(path, "original") && len(p.Body) > len(whole.Body)+1000 {
				return "", fmt.Errorf("%d octets of a file of %d", len(p.Body), len(whole.Body))
			}
		}
	}
	return "", nil
}

func compressed(s *stage, _ attempt) (string, error) {
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd"} {
		for _, path := range []string{"/login", "/messages/" + s.actors[0].letter + "/reply"} {
			p, err := s.send(s.actors[0].Web, http.MethodPost, path, url.Values{}, func(r *http.Request) {
				body := bomb()
				r.Body, r.ContentLength = bodyOf(body), int64(len(body))
				r.Header.Set("Content-Encoding", encoding)
			})
			if err == nil {
				err = want(p, "POST "+kindOf(path)+" of "+encoding, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge)
			}
			if err != nil {
				return "", err
			}
		}
	}
	return "", nil
}
