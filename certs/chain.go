package certs

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Bounds on what a peer may show (ours): the largest real leaf is under 3 KiB
// and names fewer than 20 hosts.
const (
	maxLeaf  = 16 << 10
	maxNames = 100
)

// facts are what holds of a certificate at any time: they are found once and
// kept. Dates and revocation are not among them.
type facts struct {
	leaf *x509.Certificate
	dn   identity.DN
	// above holds the issuing authority and the root.
	above []*x509.Certificate
	// key is the digest of the public key.
	key [sha256.Size]byte
}

// examine finds the facts of a certificate: chain, strength and shape.
func (c *Checker) examine(leaf *x509.Certificate) (*facts, error) {
	if len(leaf.Raw) > maxLeaf {
		return nil, fault.Newf(fault.Denied, "certificate-malformed", "%d octets", len(leaf.Raw))
	}
	// Before any signature is computed: a hostile key must not cost processor.
	if why := weakness(leaf.PublicKey); why != "" {
		return nil, fault.Newf(fault.Denied, "certificate-weak", "%s", why)
	}
	if !soundSignature(leaf.SignatureAlgorithm) {
		return nil, fault.Newf(fault.Denied, "certificate-weak", "signature %s", leaf.SignatureAlgorithm)
	}
	above, err := c.climb(leaf)
	if err != nil {
		return nil, err
	}
	if why := misshapen(leaf); why != "" {
		return nil, fault.Newf(fault.Denied, "certificate-malformed", "%s", why)
	}
	dn, err := identity.DNFromRaw(leaf.RawSubject)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, "certificate-malformed", err)
	}
	return &facts{leaf: leaf, dn: dn, above: above, key: sha256.Sum256(leaf.RawSubjectPublicKeyInfo)}, nil
}

// climb finds leaf ← issuing authority ← root among the pinned ones. Names are
// never enough: a self-signed certificate with "IGC-SANTE" in its issuer passed
// for years elsewhere (spec mssante 2.7).
func (c *Checker) climb(leaf *x509.Certificate) ([]*x509.Certificate, error) {
	chains, err := timeless(leaf).Verify(x509.VerifyOptions{
		Roots:         c.roots,
		Intermediates: c.issuers,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // judged by judgeUsage
	})
	if err != nil {
		return nil, fault.Wrap(fault.Denied, "certificate-untrusted", err)
	}
	var best []*x509.Certificate
	for _, chain := range chains {
		// ECO.1.1.10: only leaves of the pinned issuing authorities, not of the root
		// itself nor of an authority below them.
		if len(chain) != 3 {
			continue
		}
		issuer, root := find(c.anchors.Issuers, chain[1]), find(c.anchors.Roots, chain[2])
		if issuer == nil || root == nil {
			continue
		}
		// An authority renewed with the same key is there twice: the newer counts.
		if best == nil || issuer.NotAfter.After(best[0].NotAfter) {
			best = []*x509.Certificate{issuer, root}
		}
	}
	if best == nil {
		return nil, fault.Newf(fault.Denied, "certificate-untrusted", "not issued by a pinned issuing authority")
	}
	return best, nil
}

// timeless returns a copy that is valid at all times: crypto/x509 cannot leave
// dates out, and here they are judged apart, at each check. The signature is
// over the raw octets, which stay.
func timeless(c *x509.Certificate) *x509.Certificate {
	out := *c
	out.NotBefore, out.NotAfter = time.Time{}, time.Unix(1<<40, 0)
	return &out
}

// find returns the certificate of the list that is c.
func find(list []*x509.Certificate, c *x509.Certificate) *x509.Certificate {
	if i := slices.IndexFunc(list, c.Equal); i >= 0 {
		return list[i]
	}
	return nil
}

// misshapen says what is wrong with a leaf's shape, "" if nothing.
func misshapen(leaf *x509.Certificate) string {
	switch {
	case leaf.IsCA || leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		return "an authority's certificate as a leaf"
	case len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses)+len(leaf.URIs) > maxNames:
		return "too many names"
	}
	for _, name := range leaf.DNSNames {
		// Also refuses NUL, wildcards, U-labels and trailing dots.
		if !validHost(name) {
			return "a DNS name that is no host name"
		}
	}
	return ""
}

// judgeUsage holds a leaf to the profile that the use demands, named outright: an
// absent extended key usage or anyExtendedKeyUsage is not enough.
func judgeUsage(leaf *x509.Certificate, use Usage) error {
	key, extended, ok := use.demands()
	if !ok || leaf.KeyUsage&key != key || !slices.Contains(leaf.ExtKeyUsage, extended) ||
		slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return fault.Newf(fault.Denied, "certificate-wrong-usage", "shown as %s", use)
	}
	if use == AsPeer && len(leaf.DNSNames) == 0 {
		return fault.Newf(fault.Denied, "certificate-wrong-usage", "shown as %s without a host name", use)
	}
	return nil
}
