package certs

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Fetch gets the bytes at a configured URL. It must bound what it reads and
// follow no redirect.
type Fetch func(ctx context.Context, url string) ([]byte, error)

// CRLSource says where the CRL of one authority is published.
type CRLSource struct {
	// Name is the stem of the file that keeps the CRL: "organisations".
	Name string
	// URL is where it is fetched: from the configuration, never from a certificate.
	URL string
	// Issuer is the authority that must have signed it.
	Issuer *x509.Certificate
}

// CRLOptions adjusts CRLs. The zero value is safe.
type CRLOptions struct {
	// Clock tells the time; time.Now when nil.
	Clock func() time.Time
	// Logger takes the alarms; nothing is logged when nil.
	Logger *slog.Logger
	// Every is the time between two fetches; default 1 hour. After a failure the
	// next try comes after a tenth of it.
	Every time.Duration
	// Grace is how long a CRL is relied on past its nextUpdate; default 24 hours
	// (spec security 2.6), none when negative.
	Grace time.Duration
	// MaxBytes bounds a CRL; default 16 MiB.
	MaxBytes int
}

func (o CRLOptions) withDefaults() CRLOptions {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Logger = orDiscard(o.Logger)
	if o.Every <= 0 {
		o.Every = time.Hour
	}
	if o.Grace == 0 {
		o.Grace = 24 * time.Hour
	}
	o.Grace = max(o.Grace, 0)
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	return o
}

// CRLs keeps the last good CRL of each authority, in memory and on disk. It is
// safe for concurrent use. Run keeps it fresh; looking up never waits for that.
type CRLs struct {
	dir     string
	fetch   Fetch
	opts    CRLOptions
	entries []*crlEntry
}

// crlEntry is one source and the CRL in force.
type crlEntry struct {
	source CRLSource

	// installing serialises installations, so that no look-up waits for the disk.
	installing sync.Mutex
	// mu guards what follows. It is taken inside installing.
	mu      sync.RWMutex
	held    *crl // nil: never seen
	alarmed bool // staleness of held was logged
	failure error
}

// OpenCRLs loads the CRLs kept in dir, which it creates, and checks their
// signatures again. A kept CRL that does not check out is an alarm in the log and
// counts as never seen. Nothing is fetched yet: see Refresh and Run.
func OpenCRLs(dir string, sources []CRLSource, fetch Fetch, o CRLOptions) (*CRLs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open CRLs: %w", err)
	}
	c := &CRLs{dir: dir, fetch: fetch, opts: o.withDefaults()}
	for _, s := range sources {
		if s.Name == "" || filepath.Base(s.Name) != s.Name || s.Issuer == nil {
			return nil, fmt.Errorf("open CRLs: source %q needs a plain name and an issuer", s.Name)
		}
		e := &crlEntry{source: s}
		c.entries = append(c.entries, e)
		data, err := os.ReadFile(c.file(e))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open CRLs: %w", err)
		}
		if e.held, err = parseCRL(data, s.Issuer, c.opts.Clock()); err != nil {
			c.opts.Logger.Error("crl_kept_unusable", "authority", s.Name, "error", err)
		}
	}
	return c, nil
}

func (c *CRLs) file(e *crlEntry) string { return filepath.Join(c.dir, e.source.Name+".crl") }

// Refresh fetches the CRL of every source once and installs those that are good
// and newer. What is in force stays when something fails; the errors come back
// joined, after an alarm in the log for each.
func (c *CRLs) Refresh(ctx context.Context) error {
	errs := make([]error, len(c.entries))
	var all sync.WaitGroup
	for i, e := range c.entries {
		all.Go(func() {
			data, err := c.fetch(ctx, e.source.URL)
			if err == nil {
				err = c.install(e, data)
			}
			e.mu.Lock()
			e.failure = err
			e.mu.Unlock()
			if err != nil {
				c.opts.Logger.ErrorContext(ctx, "crl_refresh_failed", "authority", e.source.Name, "error", err)
				errs[i] = fmt.Errorf("CRL of %s: %w", e.source.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Run refreshes at once and then every Every, until ctx ends.
func (c *CRLs) Run(ctx context.Context) {
	for {
		wait := c.opts.Every
		if c.Refresh(ctx) != nil { // logged there
			wait /= 10
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Install takes a CRL that came another way than by Fetch: from a file, by hand.
// The same checks apply. It fails with fault.NotFound, reason
// "crl-source-unknown", when no source has that name; fault.OverQuota,
// "crl-too-large"; fault.Invalid, "crl-malformed"; fault.Denied, "crl-untrusted";
// fault.Conflict, "crl-rollback".
func (c *CRLs) Install(name string, data []byte) error {
	for _, e := range c.entries {
		if e.source.Name == name {
			return c.install(e, data)
		}
	}
	return fault.New(fault.NotFound, "crl-source-unknown")
}

// install checks a CRL and puts it in force, on disk first.
func (c *CRLs) install(e *crlEntry, data []byte) error {
	if len(data) > c.opts.MaxBytes {
		return fault.Newf(fault.OverQuota, "crl-too-large", "%d octets", len(data))
	}
	next, err := parseCRL(data, e.source.Issuer, c.opts.Clock())
	if err != nil {
		return err
	}
	e.installing.Lock()
	defer e.installing.Unlock()
	e.mu.RLock()
	held := e.held
	e.mu.RUnlock()
	if held != nil && bytes.Equal(held.raw, next.raw) {
		return nil
	}
	if why := next.follows(held); why != "" {
		return fault.Newf(fault.Conflict, "crl-rollback", "%s", why)
	}
	if err := writeFile(c.file(e), next.raw); err != nil {
		return fmt.Errorf("keep CRL: %w", err)
	}
	e.mu.Lock()
	e.held, e.alarmed = next, false
	e.mu.Unlock()
	c.opts.Logger.Info("crl_installed", "authority", e.source.Name, "number", next.number.String(),
		"revoked", len(next.revoked), "next_update", next.nextUpdate)
	return nil
}

// status is what the CRLs say about one certificate.
type status struct {
	revoked bool
	known   bool   // it may be relied on that the certificate is not revoked
	stale   bool   // known, by a CRL past its nextUpdate
	why     string // when not known
}

// status looks a serial number up in the CRL of its authority.
func (c *CRLs) status(authority *x509.Certificate, serial *big.Int, now time.Time) status {
	for _, e := range c.entries {
		if e.speaksFor(authority) {
			return c.look(e, serial, now)
		}
	}
	return status{why: "no CRL is configured"}
}

// speaksFor reports whether the entry's CRL is of that authority: same name, same
// key, so that a renewed certificate of it will do.
func (e *crlEntry) speaksFor(authority *x509.Certificate) bool {
	return bytes.Equal(e.source.Issuer.RawSubject, authority.RawSubject) &&
		bytes.Equal(e.source.Issuer.RawSubjectPublicKeyInfo, authority.RawSubjectPublicKeyInfo)
}

func (c *CRLs) look(e *crlEntry, serial *big.Int, now time.Time) status {
	e.mu.RLock()
	held, alarmed := e.held, e.alarmed
	e.mu.RUnlock()
	switch {
	case held == nil:
		return status{why: "its CRL was never seen"}
	case held.has(serial):
		return status{revoked: true} // however old the list
	case !now.After(held.nextUpdate):
		return status{known: true}
	}
	out := status{known: true, stale: true}
	if now.After(held.nextUpdate.Add(c.opts.Grace)) {
		out = status{why: "its CRL is past nextUpdate and grace"}
	}
	if !alarmed {
		e.mu.Lock()
		e.alarmed = true
		e.mu.Unlock()
		c.opts.Logger.Error("crl_stale", "authority", e.source.Name, "next_update", held.nextUpdate, "grace", c.opts.Grace)
	}
	return out
}

// CRLState tells an operator how one authority's CRL stands.
type CRLState struct {
	Name string
	// Number, ThisUpdate and NextUpdate are of the CRL in force; empty if never seen.
	Number                 string
	ThisUpdate, NextUpdate time.Time
	Revoked                int
	// Failure is the last refresh's error, nil if it went well.
	Failure error
}

// States returns how each CRL stands, in the order of the sources.
func (c *CRLs) States() []CRLState {
	out := make([]CRLState, len(c.entries))
	for i, e := range c.entries {
		e.mu.RLock()
		out[i] = CRLState{Name: e.source.Name, Failure: e.failure}
		if h := e.held; h != nil {
			out[i].Number, out[i].ThisUpdate, out[i].NextUpdate, out[i].Revoked = h.number.String(), h.thisUpdate, h.nextUpdate, len(h.revoked)
		}
		e.mu.RUnlock()
	}
	return out
}
