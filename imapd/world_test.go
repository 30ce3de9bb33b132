package imapd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/imapd"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// password is everybody's.
const password = "open-sesame"

// inlineLimit is below what most letters of the corpus have, so that both ways of
// keeping a body are used.
const inlineLimit = 4 << 10

// world is an operator with one IMAP server on loopback.
type world struct {
	t        testing.TB
	db       *store.DB
	bus      bus.Bus
	blobs    blob.Store
	platform seal.Platform
	works    *seal.Works
	server   *imapd.Server
	pki      *pki
	// implicit and starttls are the addresses of the listeners.
	implicit, starttls string
	log                *logBook

	mu    sync.Mutex
	boxes map[string]*holder // by address
}

// holder is a box with its keys as the platform keeps them.
type holder struct {
	mailbox.Box
	person  identity.PersonID
	wrapped []byte
	ring    *seal.Keyring
}

// eachWorld runs a test on both engines.
func eachWorld(t *testing.T, o imapd.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newWorld(t, storetest.SQLiteDSN(t), o)) })
	t.Run("postgres", func(t *testing.T) { test(t, newWorld(t, storetest.PostgresDSN(t), o)) })
}

// sqliteWorld is enough where the engine makes no difference.
func sqliteWorld(t testing.TB, o imapd.Options) *world {
	t.Helper()
	return newWorld(t, storetest.SQLiteDSN(t), o)
}

func newWorld(t testing.TB, dsn string, o imapd.Options) *world {
	t.Helper()
	w := &world{t: t, bus: bus.InProcess(), boxes: map[string]*holder{}, log: &logBook{}, pki: newPKI(t)}
	w.db = storetest.Open(t, dsn, store.Options{Publish: func(topics []string) { w.bus.Publish(topics...) }})
	var err error
	if w.blobs, err = blob.Open("file:"+t.TempDir(), blob.Options{}); err != nil {
		t.Fatal(err)
	}
	if w.platform, err = seal.KeyFile(filepath.Join(t.TempDir(), "platform.key")); err != nil {
		t.Fatal(err)
	}
	if w.works, _, err = seal.NewWorks(w.platform); err != nil {
		t.Fatal(err)
	}
	if o.Times.Penalty == 0 {
		o.Times.Penalty = time.Millisecond
	}
	if o.Limits.PerPeer == 0 {
		o.Limits.PerPeer = 1000
	}
	o.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	room := reading.New(reading.Parts{DB: w.db, Blobs: w.blobs, Works: w.works, Log: o.Logger})
	w.server = imapd.New(imapd.Parts{DB: w.db, Bus: w.bus, Desk: w, Filer: w, Reading: room, TLS: w.pki.server()}, o)
	w.implicit = w.listen(w.server.ServeTLS)
	w.starttls = w.listen(w.server.ServeSTARTTLS)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := w.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return w
}

// listen serves on a free port of loopback.
func (w *world) listen(serve func(net.Listener) error) string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(l) }()
	w.t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil {
			w.t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// box makes a patient's box, or returns the one that is there.
func (w *world) box(address string) *holder {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.boxes[address]; h != nil {
		return h
	}
	a, err := identity.ParseAddress(address)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := mailbox.NewKeys(w.platform, mailbox.Patient)
	if err != nil {
		w.t.Fatal(err)
	}
	h := &holder{wrapped: keys.Wrapped, ring: keys.Ring}
	err = w.db.Write(context.Background(), func(tx *store.Tx) (err error) {
		if h.Box, err = mailbox.Create(tx, w.works, mailbox.NewBox{Kind: mailbox.Patient, Address: a, Keys: keys}); err != nil {
			return err
		}
		if h.person, err = account.AddPerson(tx, w.works, account.Person{Kind: account.Patient}); err != nil {
			return err
		}
		return account.Grant(tx, account.Holding{Box: account.BoxID(h.ID), Person: h.person, Rights: account.Everything})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.boxes[address] = h
	return h
}

// Login is a small desk: a known box and the password, or a client certificate
// whose common name is the box.
func (w *world) Login(_ context.Context, a imapd.Attempt) (imapd.Visitor, error) {
	user := a.User
	if a.Mechanism == "EXTERNAL" {
		if len(a.TLS.PeerCertificates) == 0 {
			return nil, fault.New(fault.Denied, "login-failed")
		}
		user = a.TLS.PeerCertificates[0].Subject.CommonName
	}
	w.mu.Lock()
	h := w.boxes[user]
	w.mu.Unlock()
	if h == nil || a.Mechanism != "EXTERNAL" && a.Password != password || a.Authzid != "" && a.Authzid != user {
		return nil, fault.New(fault.Denied, "login-failed")
	}
	ring, err := seal.OpenSpace(w.platform, string(h.Space), h.wrapped)
	if err != nil {
		return nil, err
	}
	return &visitor{by: identity.Principal{Person: h.person, Role: "patient"}, box: h.Box, ring: ring}, nil
}

// visitor is an opened box.
type visitor struct {
	by   identity.Principal
	box  mailbox.Box
	ring *seal.Keyring
}

func (v *visitor) By() identity.Principal { return v.by }
func (v *visitor) Box() mailbox.Box       { return v.box }
func (v *visitor) Keys() *seal.Keyring    { return v.ring }
func (v *visitor) Close()                 { v.ring.Zero() }

// Append files a message as delivery does.
func (w *world) Append(ctx context.Context, v imapd.Visitor, a imapd.Appended, r io.Reader) (mailbox.Placed, error) {
	return w.file(ctx, v.Box(), a, "", r)
}

// deliver places a letter in the inbox, with a head of trace fields.
func (w *world) deliver(address, head string, body []byte) mailbox.Placed {
	w.t.Helper()
	h := w.box(address)
	p, err := w.file(context.Background(), h.Box, imapd.Appended{}, head, bytes.NewReader(body))
	if err != nil {
		w.t.Fatalf("deliver: %v", err)
	}
	return p
}

// file seals a letter to the box's public key and places it.
func (w *world) file(ctx context.Context, box mailbox.Box, a imapd.Appended, head string, r io.Reader) (mailbox.Placed, error) {
	key, id, bodyID := seal.NewSessionKey(), mailbox.MessageID(identity.NewID()), identity.NewID()
	walker := letter.NewWalker(letter.DefaultLimits())
	var sealed bytes.Buffer
	bw := seal.NewBodyWriter(&sealed, key, bodyID)
	plain, err := io.Copy(io.MultiWriter(walker, bw), r)
	if err != nil {
		return mailbox.Placed{}, fault.Wrap(fault.Transient, "append-broken", err)
	}
	if err := bw.Close(); err != nil {
		return mailbox.Placed{}, err
	}
	structure, err := walker.Close()
	if err != nil {
		return mailbox.Placed{}, err
	}
	record, err := mailbox.SealSummary(key, id, mailbox.Summary{Head: []byte(head), Structure: structure, Preview: walker.Preview()})
	if err != nil {
		return mailbox.Placed{}, err
	}
	public, err := seal.ParsePublicKey(box.LettersKey)
	if err != nil {
		return mailbox.Placed{}, err
	}
	wrapped, err := public.Wrap(key, bodyID)
	if err != nil {
		return mailbox.Placed{}, err
	}
	body := mailbox.Body{ID: mailbox.BodyID(bodyID), Plain: plain, Sealed: int64(sealed.Len()), Refs: 1}
	if sealed.Len() <= inlineLimit {
		body.Inline = sealed.Bytes()
	} else {
		body.Blob = blob.Key(identity.NewID())
		if err := w.keep(ctx, body.Blob, sealed.Bytes()); err != nil {
			return mailbox.Placed{}, err
		}
	}
	var placed mailbox.Placed
	err = w.db.Write(ctx, func(tx *store.Tx) (err error) {
		placed, err = mailbox.Deliver(tx, mailbox.Delivery{
			ID: id, Box: box.ID, Folder: a.Folder, Body: body.ID, Size: int64(len(head)) + plain,
			Key: wrapped, Record: record, Flags: a.Flags, Internal: a.Internal,
		})
		if err != nil {
			return err
		}
		return mailbox.AddBody(tx, body)
	})
	return placed, err
}

// keep writes a blob.
func (w *world) keep(ctx context.Context, key blob.Key, b []byte) error {
	bw, err := w.blobs.Create(ctx, key)
	if err != nil {
		return err
	}
	defer bw.Abort()
	if _, err := bw.Write(b); err != nil {
		return err
	}
	return bw.Commit(ctx)
}

// logBook keeps what was logged.
type logBook struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// pki is an authority of the test.
type pki struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	p := &pki{t: t, pool: x509.NewCertPool()}
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, p.key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	p.pool.AddCert(p.cert)
	return p
}

// issue makes a certificate for a name.
func (p *pki) issue(name string) tls.Certificate {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.cert, key.Public(), p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// server is the server's side of TLS.
func (p *pki) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.issue("localhost")}, MinVersion: tls.VersionTLS12}
}

// client is a client's side, with a certificate for a box if name is not empty.
func (p *pki) client(name string) *tls.Config {
	c := &tls.Config{RootCAs: p.pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if name != "" {
		c.Certificates = []tls.Certificate{p.issue(name)}
	}
	return c
}

// text makes a small letter.
func text(subject, body string) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf("From: Dr Anne Martin <dr.martin@chu.mss.example>\nTo: patient1@patient.example\nSubject: %s\n"+
		"Date: Mon, 16 Nov 2026 09:30:00 +0100\nMessage-ID: <%s@chu.mss.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n%s\n",
		subject, strings.ReplaceAll(subject, " ", "."), body), "\n", "\r\n"))
}
