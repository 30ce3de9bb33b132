package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"html"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// fetching plays addresses that the server must not follow: there is no proxy that
// could be asked, and nothing that a letter, an invitation or a certificate names is
// fetched. The tap listens where the addresses lead to on this machine.
func fetching() []play { return []play{on("", fetches)} }

func fetches(s *stage, a attempt) (string, error) {
	var notes []string
	for _, addr := range listeners(a.URL) {
		if err := s.c.tap.trap(addr); err != nil {
			notes = append(notes, fmt.Sprintf("cannot listen on %s, so a refused connection would not be seen", addr))
		}
	}
	me := s.actors[0]
	quoted := url.QueryEscape(a.URL)
	for _, path := range []string{"/image", "/img", "/proxy", "/fetch", "/avatar", "/favicon", "/preview", "/calendar/subscribe", "/agenda/subscribe", "/oidc/callback", "/api/proxy", "/static/"} {
		if err := s.gone(me, http.MethodGet, path+"?url="+quoted+"&src="+quoted+"&iss="+quoted); err != nil {
			return "", err
		}
	}
	if err := s.gone(me, http.MethodPost, "/agenda?url="+quoted, "/documents?url="+quoted); err != nil {
		return "", err
	}
	if err := s.letterNaming(me, a); err != nil {
		return "", err
	}
	if err := s.certificateNaming(a.URL); err != nil {
		return "", err
	}
	time.Sleep(20 * time.Millisecond)
	if err := s.c.tap.quiet(); err != nil {
		return "", err
	}
	if short(a.ID) == "S0" {
		notes = append(notes, "no proxy, subscription or discovery exists (404): the address in a letter, an invitation and a client certificate instead")
	}
	return strings.Join(notes, ", "), nil
}

// listeners are the places on this machine to which an address may lead.
func listeners(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "ftp": "21", "gopher": "70", "dict": "2628"}[u.Scheme]
	}
	if port == "" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		if !ip.IsLoopback() {
			return nil
		}
		return []string{net.JoinHostPort(host, port)}
	}
	return []string{net.JoinHostPort("127.0.0.1", port)}
}

// letterNaming lets a letter name the address wherever a reader may fetch it, and opens
// the letter.
func (s *stage) letterNaming(me *actor, a attempt) error {
	subject := "stage " + a.ID
	to, from := me.person.Address, s.c.f.hospital.Boxes[0].Address
	named := html.EscapeString(a.URL)
	event := strings.Replace(string(invitation(from, to)), "SUMMARY:", "URL:"+a.URL+"\r\nATTACH:"+a.URL+"\r\nIMAGE;VALUE=URI:"+a.URL+"\r\nSUMMARY:", 1)
	text := strings.ReplaceAll("From: "+from+"\nTo: "+to+"\nSubject: "+subject+"\nDate: Mon, 02 Nov 2026 10:00:00 +0100\nMessage-ID: <"+
		fmt.Sprint(time.Now().UnixNano())+"@hostile.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"+
		"--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<p>x<img src=\""+named+"\"><link rel=stylesheet href=\""+named+
		"\"><video poster=\""+named+"\"></video><p style=\"background:url("+named+")\">x</p>\n--b\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n", "\n", "\r\n") +
		event + "--b--\r\n"
	reply, err := s.c.bringOctets(s.c.f.hospital, from, to, []byte(text))
	if err != nil {
		return err
	}
	if reply.Code != 250 {
		return fmt.Errorf("the letter that names the address was answered %s", clip(reply.String()))
	}
	id, err := me.find(subject, 20*time.Second)
	if err == nil && id == "" {
		err = errors.New("the letter that names the address did not arrive")
	}
	if err != nil {
		return err
	}
	for _, path := range []string{"/messages/" + id, "/messages/" + id + "/html"} {
		p, err := s.get(me, path, "text/html")
		if err != nil {
			return err
		}
		if err := inert(p); err != nil {
			return err
		}
	}
	return nil
}

// certificateNaming shows a certificate that names the address for its issuer, its
// status and its revocations. Nobody knows its authority: nothing of it may be asked.
func (s *stage) certificateNaming(address string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hostile"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ascii(address) {
		form.OCSPServer, form.IssuingCertificateURL, form.CRLDistributionPoints = []string{address}, []string{address}, []string{address}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return err
	}
	conf, err := clientTLS(s.c.f.ready.Authority.CAFile, "", "")
	if err != nil {
		return err
	}
	conf.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	// It may be refused in the handshake or after it.
	if m, err := wiretest.DialSMTP(s.c.f.patients.MX, conf); err == nil {
		m.Close()
	}
	if conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", s.host(), conf); err == nil {
		_, _ = io.WriteString(conn, "GET /status HTTP/1.1\r\nHost: "+s.host()+"\r\nConnection: close\r\n\r\n") // its answer is not looked at
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
		conn.Close()
	}
	return nil
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) }

// returns are the names under which pages elsewhere take where to go on to.
func returns() []string {
	return []string{"next", "return", "return_to", "returnTo", "redirect", "redirect_uri", "redirect_url", "url", "continue", "goto", "target", "RelayState", "post_logout_redirect_uri"}
}

// redirects gives where to go on to, in every way, and wants every redirect to stay.
func redirects(s *stage, a attempt) (string, error) {
	elsewhere := url.Values{}
	for _, name := range returns() {
		elsewhere.Set(name, a.Param)
	}
	query := "?" + elsewhere.Encode()
	me := s.actors[0]
	for _, one := range []struct {
		signed       bool
		method, path string
		form         url.Values
	}{
		{false, "POST", "/login", url.Values{"web_login": {me.person.WebLogin}, "web_password": {me.person.WebPassword}}},
		{false, "POST", "/login", url.Values{"web_login": {me.person.WebLogin}, "web_password": {"wrong"}}},
		{false, "GET", "/login", nil},
		{false, "GET", "/", nil},
		{false, "GET", "/messages", nil},
		{false, "POST", "/language", url.Values{"language": {"fr"}}},
		{false, "GET", "/oidc/callback", nil},
		{true, "GET", "/login", nil},
		{true, "GET", "/", nil},
		{true, "POST", "/messages/" + me.letter + "/restore", url.Values{}},
		{true, "POST", "/language", url.Values{"language": {"fr"}}},
	} {
		w := s.stranger()
		if one.signed {
			w = me.Web
		}
		if one.form["web_password"] != nil && one.form.Get("web_password") == "wrong" && short(a.ID) != "S0" {
			continue // wrong passwords are paced
		}
		for name, values := range elsewhere {
			if one.form != nil {
				one.form[name] = values
			}
		}
		p, err := s.send(w, one.method, one.path+query, one.form, func(r *http.Request) {
			r.Header.Set("Accept", "text/html")
			if ascii(a.Param) && !strings.ContainsFunc(a.Param, func(r rune) bool { return r < ' ' }) {
				r.Header.Set("Referer", a.Param)
			}
		})
		if err != nil {
			return "", err
		}
		if err := stays(p); err != nil {
			return "", fmt.Errorf("%s %s: %w", one.method, kindOf(one.path), err)
		}
		if one.form != nil && one.form.Get("web_password") == me.person.WebPassword {
			p, err := s.send(w, http.MethodPost, "/logout"+query, elsewhere, nil)
			if err == nil {
				err = errors.Join(want(p, "POST /logout", http.StatusSeeOther), stays(p))
			}
			if err != nil {
				return "", err
			}
		}
	}
	return "", s.pathElsewhere(a.Param)
}

// pathElsewhere asks for the address as a path, as it is.
func (s *stage) pathElsewhere(address string) error {
	for _, path := range []string{address, "/" + address, "/" + url.PathEscape(address), "/login/" + address, "/login/..//" + address} {
		path = strings.NewReplacer(" ", "%20", "\t", "%09").Replace(path)
		got, err := s.raw("GET " + path + " HTTP/1.1\r\nHost: " + s.host() + "\r\nConnection: close\r\n\r\n")
		if err != nil {
			return err
		}
		head, _, _ := bytes.Cut(got, []byte("\r\n\r\n"))
		for line := range strings.SplitSeq(string(head), "\r\n") {
			if to, is := strings.CutPrefix(line, "Location: "); is && !ownPath(to) {
				return fmt.Errorf("a path leads to %q", to)
			}
		}
	}
	return nil
}

// stays wants an answer that leads nowhere else.
func stays(p wiretest.Page) error {
	for _, to := range p.Header.Values("Location") {
		if !ownPath(to) {
			return fmt.Errorf("leads to %q", to)
		}
	}
	if refresh := p.Header.Get("Refresh"); refresh != "" {
		return fmt.Errorf("leads to %q", refresh)
	}
	if bytes.HasPrefix(p.Body, []byte("<!doctype")) {
		return inert(p)
	}
	return nil
}

// ownPath reports whether a Location is a path of ours.
func ownPath(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\\t\r\n")
}

// bomb is a little gzip of much.
func bomb() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(bytes.Repeat([]byte("text=x&"), 1<<20)) // into memory
	_ = w.Close()
	return b.Bytes()
}
