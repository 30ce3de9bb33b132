package web_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Hostile vectors csrf: what another site's page can make a browser do.
func TestAnotherSiteDoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.signedIn("jeanne")
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i+1 < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	own := w.https.URL
	for _, row := range []struct {
		name, method, path string
		change             func(*http.Request)
		status             int
	}{
		{"S0 foreign origin", "POST", "/logout", header("Origin", "https://evil.example"), 403},
		{"S0 a neighbour's origin", "POST", "/logout", header("Sec-Fetch-Site", "same-site"), 403},
		{"S1 text that is JSON", "POST", "/language", header("Content-Type", "text/plain"), 415},
		{"S1 JSON", "POST", "/language", header("Content-Type", "application/json"), 415},
		{"S2 GET that changes", "GET", "/logout", nil, 405},
		{"S2 GET that changes", "GET", "/settings/devices/end", nil, 405},
		{"S3 override", "GET", "/settings", header("X-Http-Method-Override", "POST"), 200},
		{"S5 origin null", "POST", "/logout", header("Origin", "null"), 403},
		{"S5 origin null at sign-in", "POST", "/login", header("Origin", "null"), 403},
		{"S6 top-level GET from elsewhere", "GET", "/", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), 200},
		{"a picture from elsewhere", "GET", "/", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"), 403},
		{"S7 a stream for a foreign page", "GET", "/live", header("Origin", "https://evil.example"), 403},
		{"S7 a stream for a neighbour", "GET", "/live", header("Sec-Fetch-Site", "same-site"), 403},
		{"own origin", "POST", "/language", header("Origin", own), 303},
		{"own page", "POST", "/language", header("Sec-Fetch-Site", "same-origin"), 303},
		{"a program", "POST", "/language", nil, 303},
	} {
		a := b.do(row.method, row.path, "language=fr", row.change)
		if a.StatusCode != row.status {
			t.Errorf("%s: %s %s answers %d, want %d: %s", row.name, row.method, row.path, a.StatusCode, row.status, brief(a.text))
		}
	}
	b.get("/more").want(t, http.StatusOK) // still signed in
}

// Hostile vectors response-headers-S4, S5.
func TestOnlyOurNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	port := w.https.URL[strings.LastIndex(w.https.URL, ":")+1:]
	for host, status := range map[string]int{
		"mes.essai.example": 200, "MES.essai.example:443": 200, "mes.essai.example:" + port: 200, "127.0.0.1:" + port: 200,
		"localhost:" + port: 200, "[::1]:" + port: 200, "autre.example:8443": 200,
		"evil.example": 421, "mes.essai.example.evil.example": 421, "mes.essai.example:80": 421, "autre.example": 421,
		"127.0.0.1:1": 421, "10.0.0.1:" + port: 421,
	} {
		a := b.do(http.MethodGet, "/", "", func(r *http.Request) {
			r.Host = host
			r.Header.Set("X-Forwarded-Host", "mes.essai.example")
			r.Header.Set("X-Forwarded-Proto", "http")
		})
		if a.StatusCode != status {
			t.Errorf("%s: %d, want %d", host, a.StatusCode, status)
		}
		if strings.Contains(a.text, "evil") {
			t.Errorf("%s: the page says so", host)
		}
	}
	b.do(http.MethodGet, "/healthz", "", func(r *http.Request) { r.Host = "10.0.0.1" }).want(t, http.StatusOK, `{"state":"ok"}`)
}

// Hostile vectors response-headers-S0 to S3, session-S6, S7.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.signedIn("jeanne")
	for _, a := range []answered{
		b.get("/"), b.get("/settings"), b.get("/nothing"), b.json("/settings"), b.json("/nothing"), b.get("/logout"),
		w.browser().get("/"), w.browser().get("/settings"), b.post("/language", "language", "fr"), w.browser().get("/healthz"),
	} {
		h := a.Header
		for name, want := range map[string]string{
			"Strict-Transport-Security": "max-age=31536000; includeSubDomains", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control": "no-store, private", "Vary": "Accept, Accept-Language, Cookie",
		} {
			if h.Get(name) != want {
				t.Errorf("%s %d: %s: %q, want %q", a.Request.URL.Path, a.StatusCode, name, h.Get(name), want)
			}
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || h.Get("Permissions-Policy") == "" {
			t.Errorf("%s: %q", a.Request.URL.Path, policy)
		}
		if strings.HasPrefix(a.text, "{") && h.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %q", a.Request.URL.Path, h.Get("Content-Type"))
		}
		if a.StatusCode == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without a challenge (RFC 9110 11.6.1)", a.Request.URL.Path)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.signedIn("jeanne")
	b.get("/nothing").want(t, http.StatusNotFound, "Cette page n’existe pas")
	b.json("/nothing").want(t, http.StatusNotFound, `"reason":"not-found"`)
	b.json("/help").want(t, http.StatusNotAcceptable)
	if a := b.get("/logout").want(t, http.StatusMethodNotAllowed); a.Header.Get("Allow") != "POST" {
		t.Errorf("Allow: %q", a.Header.Get("Allow"))
	}
	for _, at := range []string{"//evil.example", "/a/../more", "/./more", "/more/", "/%2e%2e/more", "/static/", "/static/../more", "/%5cevil.example"} {
		if a := b.get(at); a.StatusCode != http.StatusNotFound || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", at, a.StatusCode, a.Header.Get("Location"))
		}
	}
	// Hostile vectors open-redirect: no parameter says where to go.
	for _, next := range []string{"//evil.example", `/\evil.example`, "https://evil.example"} {
		for _, name := range []string{"next", "to", "url", "return", "redirect"} {
			a := b.do(http.MethodPost, "/language?"+form(name, next), form("language", "fr", name, next), nil)
			if got := a.Header.Get("Location"); got != "/settings" {
				t.Errorf("%s=%s leads to %q", name, next, got)
			}
		}
	}
}

// Hostile vectors response-headers-S9, session-S5, upload-S0.
func TestBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.post("/login", "web_login", strings.Repeat("x", 70<<10)).want(t, http.StatusRequestEntityTooLarge)
	b.do(http.MethodPost, "/login", "", func(r *http.Request) { // no length is told
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("web_login="+strings.Repeat("x", 1<<20))), -1
	}).want(t, http.StatusRequestEntityTooLarge)
	b.do(http.MethodPost, "/login", "web_login=x", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }).want(t, http.StatusUnsupportedMediaType)
	b.do(http.MethodPost, "/login", "a=%zz", nil).want(t, http.StatusBadRequest)
	b.do(http.MethodPost, "/login", "x", func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }).want(t, http.StatusUnsupportedMediaType)
	if a := b.do(http.MethodGet, "/", "", func(r *http.Request) { r.Header.Set("Cookie", strings.Repeat("a=b; ", 100<<10)) }); a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("512 kB of cookies: %d", a.StatusCode)
	}
}

// Hostile vector response-headers-S7: what could be read as two requests ends the
// connection.
func TestTwoLengths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := strings.TrimPrefix(w.https.URL, "https://")
	conf := w.https.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	conf.NextProtos = []string{"http/1.1"}
	for name, request := range map[string]string{
		"two lengths":      "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
		"an odd coding":    "POST /login HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"a bad chunk":      "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n",
		"no host":          "GET / HTTP/1.1\r\n\r\n",
		"two hosts":        "GET / HTTP/1.1\r\nHost: %s\r\nHost: evil.example\r\n\r\n",
		"a space in names": "GET / HTTP/1.1\r\nHost : %s\r\n\r\n",
	} {
		conn, err := tls.Dial("tcp", address, conf) //nolint:noctx // a test with a deadline
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if strings.Contains(request, "%s") {
			request = fmt.Sprintf(request, address)
		}
		_, _ = io.WriteString(conn, request)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && (answer.StatusCode < 400 || answer.StatusCode == http.StatusUnauthorized) {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
		if err == nil {
			answer.Body.Close()
		}
		conn.Close()
	}
}

// RFC 9112 6.1: after two lengths in one request nothing more is read from the
// connection, whichever of them was right.
func TestAChunkedRequestIsTheLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := strings.TrimPrefix(w.https.URL, "https://")
	conf := w.https.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	conf.NextProtos = []string{"http/1.1"}
	for _, length := range []string{"", "Content-Length: 5\r\n"} {
		conn, err := tls.Dial("tcp", address, conf) //nolint:noctx // a test with a deadline
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprintf(conn, "POST /language HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n%sTransfer-Encoding: chunked\r\n\r\n"+
			"b\r\nlanguage=fr\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", address, length, address)
		got, err := io.ReadAll(conn)
		if n := strings.Count(string(got), "HTTP/1.1 "); n != 1 || err != nil {
			t.Errorf("%q: %d answers, %v", length, n, err)
		}
		conn.Close()
	}
}
