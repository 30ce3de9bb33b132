package web

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// formSize is how many octets a form may have (spec security 2.6). The longest of ours
// is a password change.
const formSize = 64 << 10

// harden sets the headers that every answer has (OWASP ASVS 5.0 v5.0.0-3.4; hostile
// vectors response-headers). What an answer knows better, it sets again.
func harden(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	// Everything here is somebody's, or becomes so at sign-in.
	h.Set("Cache-Control", "no-store, private")
	h.Set("Vary", "Accept, Accept-Language, Cookie")
}

// guard refuses what no page of ours would ask for.
func (s *Server) guard(r *http.Request) error {
	if !s.ours(r) {
		return fault.New(fault.Denied, "host-unknown")
	}
	if err := s.csrf.Check(r); err != nil {
		return fault.Wrap(fault.Denied, "foreign-origin", err)
	}
	// A page of another site may lead here, but load nothing from here.
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return fault.New(fault.Denied, "foreign-origin")
	}
	return nil
}

// ours reports whether a request names a host of ours. No link is ever made from
// what it names; a foreign name would still let another site's pages share our
// answers (DNS rebinding, shared caches). X-Forwarded headers are not looked at.
func (s *Server) ours(r *http.Request) bool {
	host, port := r.Host, ""
	if h, p, err := net.SplitHostPort(r.Host); err == nil {
		host, port = h, p
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	listening := ""
	if addr, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr); known {
		_, listening, _ = net.SplitHostPort(addr.String())
	}
	usual := port == "" || port == "443" || port == listening
	if host == "localhost" || isLoopback(host) {
		return usual
	}
	return host == strings.ToLower(s.opts.Host) && usual ||
		slices.ContainsFunc(s.opts.Hosts, func(name string) bool {
			return strings.EqualFold(name, r.Host) || usual && strings.EqualFold(name, host)
		})
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// foreign reports whether a stream is asked for by a page of another origin: a browser
// names the origin, and a stream is no form that CrossOriginProtection looks at.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	origin := r.Header.Get("Origin")
	return origin != "" && origin != "https://"+r.Host
}

// readBody takes the body of a request: bounded, not compressed, a form. The fields
// are in r.PostForm; a multipart body is left to the route.
func readBody(w http.ResponseWriter, r *http.Request, route ui.Route) error {
	limit := route.Body
	if limit == 0 {
		limit = formSize
	}
	if r.ContentLength > limit {
		return fault.New(fault.OverQuota, "body-too-large")
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if r.Method != http.MethodPost {
		return nil
	}
	if r.Header.Get("Content-Encoding") != "" {
		return fault.New(fault.Invalid, "body-type") // a bomb, or a client that is not ours
	}
	kind := r.Header.Get("Content-Type")
	if kind == "" && r.ContentLength == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(kind)
	switch {
	case err != nil:
		return fault.New(fault.Invalid, "body-type")
	case media == "multipart/form-data" && route.Body != 0:
		return nil
	case media != "application/x-www-form-urlencoded":
		return fault.New(fault.Invalid, "body-type")
	}
	return bodyFault(r.ParseForm())
}

// bodyFault gives an error of reading a body its kind.
func bodyFault(err error) error {
	if err == nil {
		return nil
	}
	if tooLarge, is := errors.AsType[*http.MaxBytesError](err); is {
		return fault.Wrap(fault.OverQuota, "body-too-large", tooLarge)
	}
	return fault.Wrap(fault.Invalid, "body-malformed", err)
}
