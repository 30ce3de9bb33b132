package certs

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// maxFacts bounds the certificates whose facts are kept (about 10 KiB each): more
// than the trust space has operators.
const maxFacts = 4096

// Anchors are the authorities that a Checker pins.
type Anchors struct {
	// Roots are the trust anchors.
	Roots []*x509.Certificate
	// Issuers are the only authorities whose leaves are accepted, each signed by a
	// root. ECO.1.1.10: IGC-Santé's elementary authority for organisations.
	Issuers []*x509.Certificate
}

// Verdict is what a certificate that passed says about who shows it.
type Verdict struct {
	// Leaf is the certificate that was checked.
	Leaf *x509.Certificate
	// DN is its subject.
	DN identity.DN
	// Stale says that a CRL past its nextUpdate was used, within the grace.
	Stale bool
}

// CheckerOptions adjusts a Checker. The zero value is safe.
type CheckerOptions struct {
	// Logger takes the alarms; nothing is logged when nil.
	Logger *slog.Logger
}

// Checker decides whether a certificate may be believed. It is safe for
// concurrent use; after the first time, a check of the same certificate costs
// two map look-ups and no signature.
type Checker struct {
	anchors Anchors
	roots   *x509.CertPool
	issuers *x509.CertPool
	crls    *CRLs
	log     *slog.Logger

	// mu guards known and owners.
	mu sync.Mutex
	// known holds the facts of certificates that a pinned authority signed, by the
	// digest of the certificate. Strangers cannot fill it.
	known map[[sha256.Size]byte]*facts
	// owners tells which subject showed a key first, by the digest of the key.
	owners map[[sha256.Size]byte]identity.DN
}

// NewChecker returns a Checker for the anchors. It fails if an issuer is not
// signed by one of the roots, is no authority, or is weak.
func NewChecker(anchors Anchors, crls *CRLs, o CheckerOptions) (*Checker, error) {
	c := &Checker{
		anchors: anchors,
		roots:   x509.NewCertPool(),
		issuers: x509.NewCertPool(),
		crls:    crls,
		log:     orDiscard(o.Logger),
		known:   map[[sha256.Size]byte]*facts{},
		owners:  map[[sha256.Size]byte]identity.DN{},
	}
	if len(anchors.Roots) == 0 || len(anchors.Issuers) == 0 || crls == nil {
		return nil, errors.New("new checker: roots, issuers and CRLs are required")
	}
	for _, root := range anchors.Roots {
		c.roots.AddCert(timeless(root))
	}
	for _, issuer := range anchors.Issuers {
		if why := weakness(issuer.PublicKey); why != "" || !soundSignature(issuer.SignatureAlgorithm) {
			return nil, fmt.Errorf("new checker: issuer %q is weak: %s", issuer.Subject.CommonName, why)
		}
		if !issuer.BasicConstraintsValid || !issuer.IsCA || issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
			return nil, fmt.Errorf("new checker: issuer %q is no authority", issuer.Subject.CommonName)
		}
		if !signedByOne(issuer, anchors.Roots) {
			return nil, fmt.Errorf("new checker: issuer %q is not signed by a root", issuer.Subject.CommonName)
		}
		c.issuers.AddCert(timeless(issuer))
	}
	return c, nil
}

func signedByOne(issuer *x509.Certificate, roots []*x509.Certificate) bool {
	for _, root := range roots {
		if issuer.CheckSignatureFrom(root) == nil {
			return true
		}
	}
	return false
}

// Check judges the certificate chain[0] for a use at a time; what follows it in
// the chain is not looked at, since the issuing authorities are pinned. ctx is
// used for logging only: a check never waits.
//
// It fails with one of the faults that the package documentation lists.
func (c *Checker) Check(ctx context.Context, chain []*x509.Certificate, use Usage, now time.Time) (Verdict, error) {
	if len(chain) == 0 || chain[0] == nil {
		return Verdict{}, fault.New(fault.Denied, "certificate-missing")
	}
	f, err := c.facts(ctx, chain[0])
	if err != nil {
		return Verdict{}, err
	}
	if err := judgeUsage(f.leaf, use); err != nil {
		return Verdict{}, err
	}
	if err := judgeDates(f, now); err != nil {
		return Verdict{}, err
	}
	stale, err := c.judgeRevocation(f, now)
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{Leaf: f.leaf, DN: f.dn, Stale: stale}, nil
}

// facts returns the facts of a certificate, from memory if it was seen before.
func (c *Checker) facts(ctx context.Context, leaf *x509.Certificate) (*facts, error) {
	id := sha256.Sum256(leaf.Raw)
	c.mu.Lock()
	f := c.known[id]
	c.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := c.examine(leaf)
	if err != nil {
		return nil, err
	}
	c.remember(ctx, id, f)
	return f, nil
}

// remember keeps facts, and raises an alarm when two subjects share one key:
// then whoever holds it can speak for both.
func (c *Checker) remember(ctx context.Context, id [sha256.Size]byte, f *facts) {
	c.mu.Lock()
	for old := range c.known {
		if len(c.known) < maxFacts {
			break
		}
		delete(c.known, old) // any one: it is found again when it is shown again
	}
	c.known[id] = f
	owner, seen := c.owners[f.key]
	if !seen {
		if len(c.owners) >= 4*maxFacts {
			clear(c.owners)
		}
		c.owners[f.key] = f.dn
	}
	c.mu.Unlock()
	if seen && !owner.Equal(f.dn) {
		c.log.WarnContext(ctx, "certificate_key_shared", "first", owner.String(), "second", f.dn.String())
	}
}

// judgeDates holds the leaf and both authorities to their dates (ECO.1.1.5).
func judgeDates(f *facts, now time.Time) error {
	if now.Before(f.leaf.NotBefore) {
		return fault.New(fault.Denied, "certificate-not-yet-valid")
	}
	if now.After(f.leaf.NotAfter) {
		return fault.New(fault.Denied, "certificate-expired")
	}
	for _, authority := range f.above {
		if now.Before(authority.NotBefore) || now.After(authority.NotAfter) {
			return fault.Newf(fault.Denied, "certificate-untrusted", "authority %q is out of date", authority.Subject.CommonName)
		}
	}
	return nil
}

// judgeRevocation asks the CRL of the issuing authority about the leaf, and that
// of the root about the issuing authority (ECO.1.1.6).
func (c *Checker) judgeRevocation(f *facts, now time.Time) (stale bool, err error) {
	subject := f.leaf
	for _, authority := range f.above {
		status := c.crls.status(authority, subject.SerialNumber, now)
		switch {
		case status.revoked:
			return false, fault.Newf(fault.Denied, "certificate-revoked", "serial %x of %q", subject.SerialNumber, authority.Subject.CommonName)
		case !status.known:
			return false, fault.Newf(fault.Transient, "revocation-unknown", "%q: %s", authority.Subject.CommonName, status.why)
		}
		stale = stale || status.stale
		subject = authority
	}
	return stale, nil
}

// orDiscard returns a logger that can be used without asking.
func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
