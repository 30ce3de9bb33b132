package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// lint builds the certificate under a key of no worth and checks the result, so
// that what the real key signs has been read back first. It fails with
// fault.Invalid, reason "certificate-off-profile", naming every rule broken.
func lint(template *x509.Certificate, public crypto.PublicKey, parent *x509.Certificate, p Profile) error {
	throwaway, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	draft, standIn := *template, *parent
	draft.SignatureAlgorithm = x509.ECDSAWithSHA256
	standIn.PublicKey = throwaway.Public()
	der, err := x509.CreateCertificate(rand.Reader, &draft, &standIn, public, throwaway)
	if err != nil {
		return fault.Wrap(fault.Invalid, "certificate-off-profile", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fault.Wrap(fault.Invalid, "certificate-off-profile", err)
	}
	if broken := lintLeaf(cert, parent, p); len(broken) > 0 {
		return fault.Newf(fault.Invalid, "certificate-off-profile", "%s", strings.Join(broken, ", "))
	}
	return nil
}

// lintLeaf returns the rules that a leaf breaks, as short texts.
func lintLeaf(c, parent *x509.Certificate, p Profile) []string {
	s, ok := p.shape()
	if !ok {
		return []string{"unknown profile"}
	}
	var broken []string
	rule := func(holds bool, text string) {
		if !holds {
			broken = append(broken, text)
		}
	}
	rule(c.Version == 3, "version is not 3")
	rule(c.SerialNumber.Sign() > 0 && c.SerialNumber.BitLen() >= 64 && c.SerialNumber.BitLen() < 160, "serial number not of 64 to 159 bits")
	rule(c.BasicConstraintsValid && !c.IsCA, "basic constraints do not say CA:FALSE")
	rule(c.KeyUsage == s.keyUsage, "key usage of another profile")
	rule(slices.Equal(c.ExtKeyUsage, s.extended) && len(c.UnknownExtKeyUsage) == 0, "extended key usage of another profile")
	rule(len(c.PolicyIdentifiers) == 1 && c.PolicyIdentifiers[0].Equal(s.policy), "policy of another profile")
	rule(weakness(c.PublicKey) == "", weakness(c.PublicKey))
	rule(len(c.AuthorityKeyId) > 0 && slices.Equal(c.AuthorityKeyId, parent.SubjectKeyId), "authority key id is not the issuer's")
	rule(plainURL(c.CRLDistributionPoints), "no http place of the CRL")
	rule(plainURL(c.IssuingCertificateURL), "no http place of the issuer")
	rule(c.NotBefore.Before(c.NotAfter) && c.NotAfter.Sub(c.NotBefore) <= LeafValidity+24*time.Hour, "validity not of at most three years")
	// A certificate that outlives its issuer could not be checked at its end.
	rule(!c.NotAfter.After(parent.NotAfter), "outlives its issuer")
	broken = append(broken, lintSubject(c)...)
	return append(broken, lintNames(c, p)...)
}

// lintSubject checks C, ST, O, OU, CN in this order (spec mssante 2.4).
func lintSubject(c *x509.Certificate) []string {
	dn, err := identity.DNFromRaw(c.RawSubject)
	if err != nil {
		return []string{"subject is not readable"}
	}
	attrs := dn.Attributes()
	want := []string{"CN", "OU", "O", "ST", "C"}
	if len(attrs) != len(want) {
		return []string{"subject is not C, ST, O, OU, CN"}
	}
	var broken []string
	for i, a := range attrs {
		// RFC 5280 appendix A: ub-common-name, ub-organization-name and
		// ub-organizational-unit-name are 64, ub-state-name 128.
		limit := 64
		if a.Type == "ST" {
			limit = 128
		}
		if a.Type != want[i] || len([]rune(a.Value)) > limit {
			broken = append(broken, fmt.Sprintf("subject attribute %s is not a short %s", a.Type, want[i]))
		}
	}
	if !validStructure(attrs[1].Value) {
		broken = append(broken, `OU is neither "1"+FINESS nor "3"+SIRET`)
	}
	return broken
}

// validStructure checks the shape of a structure identifier (spec mssante 1.6):
// "1" and 9 characters of FINESS (Corsica's hold a letter), or "3" and 14 digits
// of SIRET.
func validStructure(ou string) bool {
	if ou == "" || strings.Trim(ou, "0123456789AB") != "" {
		return false
	}
	letters := strings.Trim(ou, "0123456789") != ""
	return ou[0] == '1' && len(ou) == 10 || ou[0] == '3' && len(ou) == 15 && !letters
}

// lintNames checks subjectAltName against the profile.
func lintNames(c *x509.Certificate, p Profile) []string {
	var broken []string
	for _, name := range c.DNSNames {
		if !validHost(name) {
			broken = append(broken, "DNS name is not a lower-case host name")
		}
	}
	switch {
	case p == ServerTLS && (len(c.DNSNames) == 0 || !slices.Contains(c.DNSNames, c.Subject.CommonName)):
		broken = append(broken, "CN of a server is not among its DNS names")
	case p != ServerTLS && len(c.DNSNames)+len(c.IPAddresses) > 0:
		broken = append(broken, "host names on a certificate that is no server's")
	}
	if p != OrgSign && len(c.EmailAddresses) > 0 || len(c.URIs) > 0 {
		broken = append(broken, "subjectAltName of another profile")
	}
	return broken
}

// validHost reports whether name is a host name in lower-case ASCII: letters,
// digits and hyphens in labels, no wildcard, no trailing dot (RFC 1123 2.1).
func validHost(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

func plainURL(urls []string) bool {
	return len(urls) > 0 && !slices.ContainsFunc(urls, func(u string) bool { return !strings.HasPrefix(u, "http://") })
}
