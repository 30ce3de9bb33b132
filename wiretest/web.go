package wiretest

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Web is a browser of one person, without JavaScript and without redirects
// followed.
type Web struct {
	Base   string // "https://127.0.0.1:port"
	Client *http.Client
}

// DialWeb makes a browser for a host:port.
func DialWeb(addr string, config *tls.Config) (*Web, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Web{Base: "https://" + addr, Client: &http.Client{
		Jar: jar, Timeout: timeout, Transport: &http.Transport{TLSClientConfig: config, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Page is an answer, read to its end.
type Page struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Do sends one request; a body is a form.
func (w *Web) Do(method, path, accept string, form url.Values) (Page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, w.Base+path, body)
	if err != nil {
		return Page{}, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return w.Send(req)
}

// Send sends a request as it is.
func (w *Web) Send(req *http.Request) (Page, error) {
	resp, err := w.Client.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return Page{resp.StatusCode, resp.Header, data}, err
}

// SignIn opens a patient's space.
func (w *Web) SignIn(login, password string) error {
	p, err := w.Do(http.MethodPost, "/login", "", url.Values{"web_login": {login}, "web_password": {password}})
	if err == nil && p.Code != http.StatusSeeOther {
		err = fmt.Errorf("sign-in answered %d", p.Code)
	}
	return err
}

// JSON reads a page's facts.
func (w *Web) JSON(path string, into any) error {
	p, err := w.Do(http.MethodGet, path, "application/json", nil)
	if err != nil {
		return err
	}
	if p.Code != http.StatusOK {
		return fmt.Errorf("GET %s answered %d %s", path, p.Code, p.Body)
	}
	return json.Unmarshal(p.Body, into)
}
