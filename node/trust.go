package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/rounds"
	"github.com/vaguemestre/vaguemestre/trust"
)

// anchorage is what a node knows of the trust space: who is believed, and the
// list in force.
type anchorage struct {
	cert    tls.Certificate
	issuers []*x509.Certificate
	checker *certs.Checker
	crls    *certs.CRLs
	keeper  *trust.Keeper
	signer  trust.SignerPolicy
	fetch   *rounds.Fetcher
	list    string
	every   time.Duration
	log     *slog.Logger
}

// openTrust loads anchors, certificate, kept CRLs and whitelist; nothing is
// fetched. The options carry clock, log and what the database knows of lists.
func openTrust(c *Config, o trust.KeeperOptions) (*anchorage, error) {
	log, clock := o.Logger, o.Clock
	roots, err := readCertificates(c.path(c.Trust.Roots))
	if err != nil {
		return nil, err
	}
	issuers, err := readCertificates(c.path(c.Trust.Issuers))
	if err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(c.path(c.Certificate.Cert), c.path(c.Certificate.Key))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "certificate-unreadable", err)
	}
	signer, err := identity.ParseDN(c.Trust.SignerDN)
	if err != nil {
		return nil, err
	}
	a := &anchorage{cert: cert, issuers: issuers, list: c.Trust.Whitelist, every: time.Duration(c.Trust.Every), log: log}
	if a.every == 0 {
		a.every = time.Hour // spec mssante 1.8
	}
	pool := x509.NewCertPool()
	for _, root := range roots {
		pool.AddCert(root)
	}
	a.fetch = rounds.NewFetcher(pool)
	authorities := append(append([]*x509.Certificate{}, roots...), issuers...)
	if len(c.Trust.CRLs) != len(authorities) {
		return nil, fault.Newf(fault.Invalid, "config-incomplete",
			"trust.crls: %d URLs for %d authorities: one each, roots first", len(c.Trust.CRLs), len(authorities))
	}
	var sources []certs.CRLSource
	for i, authority := range authorities {
		sources = append(sources, certs.CRLSource{Name: fmt.Sprintf("authority-%d", i), URL: c.Trust.CRLs[i], Issuer: authority})
	}
	state := c.path(c.Trust.State)
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	a.crls, err = certs.OpenCRLs(filepath.Join(state, "crls"), sources, a.fetch.Get,
		certs.CRLOptions{Logger: log, Every: a.every, Clock: clock})
	if err != nil {
		return nil, err
	}
	a.checker, err = certs.NewChecker(certs.Anchors{Roots: roots, Issuers: issuers}, a.crls, certs.CheckerOptions{Logger: log})
	if err != nil {
		return nil, err
	}
	a.signer = trust.SignerPolicy{DN: signer, Check: func(cert *x509.Certificate, at time.Time) error {
		_, err := a.checker.Check(context.Background(), []*x509.Certificate{cert}, certs.AsSigner, at)
		return err
	}}
	o.MaxAge = time.Duration(c.Trust.FailClosed)
	a.keeper, err = trust.OpenKeeper(filepath.Join(state, "whitelist.xml"), a.signer, o)
	return a, err
}

// get fetches the whitelist if it changed.
func (a *anchorage) get(ctx context.Context, tag string) (trust.Fetched, error) {
	data, tag, err := a.fetch.Changed(ctx, a.list, tag)
	return trust.Fetched{Data: data, Tag: tag, Unchanged: err == nil && data == nil}, err
}

// refresh looks once at the CRLs and then at the whitelist, whose signer they judge.
func (a *anchorage) refresh(ctx context.Context) error {
	return errors.Join(a.crls.Refresh(ctx), a.keeper.Refresh(ctx, a.get))
}

// run looks again and again until ctx ends; failures are in the log, and what was
// good stays in force.
func (a *anchorage) run(ctx context.Context) {
	tick := time.NewTicker(a.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.refresh(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("trust.refresh.failed", "component", "node", "error", err)
			}
		}
	}
}

// readCertificates reads a PEM file of certificates.
func readCertificates(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "certificate-unreadable", err)
	}
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, "certificate-unreadable", err)
		}
		out = append(out, cert)
	}
	if len(out) == 0 {
		return nil, fault.Newf(fault.Invalid, "certificate-unreadable", "%s holds no certificate in PEM", file)
	}
	return out, nil
}
