package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/trust"
)

// authority is the sandbox authority at work: it issues, publishes CRLs over HTTP
// and the whitelist over HTTPS.
type authority struct {
	*certs.Authority
	dir       string
	signer    certs.Pair
	server    certs.Pair
	whitelist atomic.Pointer[published]
	http      *http.Server
	https     *http.Server
	httpAddr  string
	httpsAddr string
	stop      context.CancelFunc
}

// published is one version of the whitelist.
type published struct {
	xml []byte
	tag string
	at  time.Time
}

// hostName is the authority's name in its own certificates.
const hostName = "autorite.mss.example"

// openAuthority opens the authority kept in dir, or makes a new one.
func openAuthority(dir string) (*authority, error) {
	ca, err := certs.OpenAuthority(dir, certs.AuthorityOptions{})
	if fault.Is(err, fault.NotFound) {
		ca, err = certs.NewAuthority(dir, certs.AuthorityOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	a := &authority{Authority: ca, dir: dir}
	subject := certs.Subject{Department: "Paris (75)", Organisation: "AUTORITE DE LA DEMONSTRATION", Structure: "318751275100020"}
	signer, server := subject, subject
	signer.Name, server.Name = "signature."+hostName, hostName
	pairs, err := a.pairs(
		wanted{"signer", certs.Request{Profile: certs.OrgSign, Subject: signer, Email: "signature@" + hostName}, dir},
		wanted{"server", serverRequest(server, hostName), dir},
	)
	if err != nil {
		return nil, err
	}
	a.signer, a.server = pairs[0], pairs[1]
	return a, nil
}

// serverRequest asks for a certificate of a host that listens on loopback.
func serverRequest(s certs.Subject, names ...string) certs.Request {
	return certs.Request{
		Profile: certs.ServerTLS, Subject: s, DNS: append(names, "localhost"),
		IPs: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
}

// wanted is a pair that should stand in dir as name.pem and name.key.
type wanted struct {
	name    string
	request certs.Request
	dir     string
}

func (w wanted) files() (cert, key string) {
	return filepath.Join(w.dir, w.name+".pem"), filepath.Join(w.dir, w.name+".key")
}

// pairs loads what is there and issues what is missing.
func (a *authority) pairs(all ...wanted) ([]certs.Pair, error) {
	pairs := make([]certs.Pair, len(all))
	var missing []int
	var requests []certs.Request
	for i, w := range all {
		cert, key := w.files()
		pair, err := certs.LoadPair(cert, key)
		if err != nil {
			missing = append(missing, i)
			requests = append(requests, w.request)
			continue
		}
		pairs[i] = pair
	}
	issued, err := a.Enrol(requests...)
	if err != nil {
		return nil, err
	}
	for j, i := range missing {
		pairs[i] = issued[j]
		if err := os.MkdirAll(all[i].dir, 0o700); err != nil {
			return nil, err
		}
		cert, key := all[i].files()
		if err := issued[j].WriteFiles(cert, key); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// publish signs a whitelist with these rows and serves it from now on.
func (a *authority) publish(rows []trust.Row) error {
	at := time.Now().UTC().Truncate(time.Second)
	xml, err := trust.Sign(trust.List{Generated: at, Rows: rows}, a.signer.Key, a.signer.Leaf)
	if err != nil {
		return fmt.Errorf("sign the whitelist: %w", err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "whitelist.xml"), xml, 0o600); err != nil {
		return err
	}
	a.whitelist.Store(&published{xml: xml, tag: `"` + at.Format(time.RFC3339) + `"`, at: at})
	return nil
}

// listen opens both servers on free ports of loopback.
func (a *authority) listen() error {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		plain.Close()
		return err
	}
	a.httpAddr, a.httpsAddr = plain.Addr().String(), secure.Addr().String()
	a.http = &http.Server{Handler: http.FileServerFS(a.Public()), ReadHeaderTimeout: 10 * time.Second}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /listeblanchemssante.xml", a.serveList)
	a.https = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{a.server.TLS()}, MinVersion: tls.VersionTLS12},
	}
	run, stop := context.WithCancel(context.Background())
	a.stop = stop
	go func() { _ = a.Run(run) }()                       // signs the CRLs anew before they end
	go func() { _ = a.http.Serve(plain) }()              // ends with close
	go func() { _ = a.https.ServeTLS(secure, "", "") }() // ends with close
	return nil
}

func (a *authority) serveList(w http.ResponseWriter, r *http.Request) {
	p := a.whitelist.Load()
	if p == nil {
		http.Error(w, "no list yet", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("ETag", p.tag)
	if r.Header.Get("If-None-Match") == p.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(p.xml) // the peer went away: nothing to do
}

func (a *authority) close() error {
	if a.http == nil {
		return nil
	}
	a.stop()
	// The nodes are down: nobody asks any more.
	return errors.Join(a.http.Close(), a.https.Close())
}

func (a *authority) whitelistURL() string {
	return "https://" + a.httpsAddr + "/listeblanchemssante.xml"
}

func (a *authority) crlURL(name string) string {
	return "http://" + a.httpAddr + "/crl/" + name + ".crl"
}
