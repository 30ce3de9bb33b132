package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// host is the web door's own name.
func (s *stage) host() string { return s.c.f.patients.HTTPS }

// cookie is the Cookie header of a patient's browser.
func (s *stage) cookie(a *actor) string {
	u, err := url.Parse(a.Base)
	if err != nil {
		return ""
	}
	var all []string
	for _, c := range a.Client.Jar.Cookies(u) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// dial opens a connection that speaks HTTP/1.1.
func (s *stage) dial() (net.Conn, error) {
	conf, err := clientTLS(s.c.f.ready.Authority.CAFile, "", "")
	if err != nil {
		return nil, err
	}
	conf.NextProtos = []string{"http/1.1"}
	return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", s.host(), conf)
}

// raw sends octets and reads what comes, until the connection ends, nothing comes for
// two seconds, or nothing more for a quarter of one.
func (s *stage) raw(text string) ([]byte, error) {
	conn, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	go func() { _, _ = io.WriteString(conn, text) }() // the answer may come before its end
	var out []byte
	for buf := make([]byte, 64<<10); len(out) < 1<<20; {
		n, err := conn.Read(buf)
		out = append(out, buf[:n]...)
		if err != nil {
			break
		}
		conn.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
	}
	return out, nil
}

// answers counts the answers in what came over a connection.
func answers(b []byte) int { return bytes.Count(b, []byte("HTTP/1.1 ")) }

// bodyOf is a request's body.
func bodyOf(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

// listOf lists names.
func listOf(names map[string]bool) string {
	var all []string
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, " ")
}

// gone wants that there is no such place: 404, or 405 where another method is.
func (s *stage) gone(a *actor, method string, paths ...string) error {
	for _, path := range paths {
		p, err := s.send(a.Web, method, path, nil, func(r *http.Request) { r.Header.Set("Accept", "application/json") })
		if err != nil {
			return err
		}
		if err := want(p, method+" "+kindOf(path), http.StatusNotFound, http.StatusMethodNotAllowed); err != nil {
			return err
		}
	}
	return nil
}
