package trust

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Mark identifies a list: two lists of the same date and another digest are an
// equivocation. The zero Mark is before every list.
type Mark struct {
	// Generated is DateDeGeneration.
	Generated time.Time
	// Digest is the SHA-256 of the signed XML's bytes.
	Digest [32]byte
}

// SignerCheck decides whether a certificate may sign the list at a time: chain,
// usage, dates, revocation. The house certs has one (Checker.Check, AsSigner);
// who wires the node joins the two.
type SignerCheck func(cert *x509.Certificate, at time.Time) error

// SignerPolicy pins who may sign the list. Both fields are required.
type SignerPolicy struct {
	// DN is the signer's subject. It outlives the renewal of certificate and key
	// (spec mssante 1.5).
	DN identity.DN
	// Check judges the certificate.
	Check SignerCheck
}

// authentic returns the list's root as the signature covers it, without the
// signature: the only tree that may be read.
func authentic(root *etree.Element, signer SignerPolicy, at time.Time) (*etree.Element, error) {
	signature, err := theSignature(root)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, "whitelist-signature", err)
	}
	cert, err := strictShape(signature)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, "whitelist-signature", err)
	}
	if err := signer.judge(cert, at); err != nil {
		return nil, err
	}
	// The library looks for the signature through at most 1,000 elements, and it
	// stands behind all rows. Where it stands makes no difference to what it
	// covers (the transform takes it out): it goes first.
	root.RemoveChild(signature)
	root.InsertChildAt(0, signature)
	verifier := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	verifier.Clock = dsig.NewFakeClockAt(at)
	covered, err := verifier.Validate(root)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, "whitelist-signature", err)
	}
	return covered, nil
}

// judge holds the signing certificate to the policy.
func (p SignerPolicy) judge(cert *x509.Certificate, at time.Time) error {
	dn, err := identity.DNFromRaw(cert.RawSubject)
	if err != nil {
		return fault.Wrap(fault.Denied, "whitelist-signer", err)
	}
	if !dn.Equal(p.DN) {
		return fault.Newf(fault.Denied, "whitelist-signer", "signed by %q", dn.String())
	}
	if p.Check == nil {
		return fault.Newf(fault.Internal, "whitelist-signer", "no check of the signer is configured")
	}
	err = p.Check(cert, at)
	switch {
	case fault.Is(err, fault.Transient):
		return fault.Wrap(fault.Transient, "whitelist-signer", err)
	case err != nil:
		return fault.Wrap(fault.Denied, "whitelist-signer", err)
	}
	return nil
}

// theSignature returns the one Signature, a child of the root. A second one
// anywhere, of whatever namespace, is refused: wrapping needs it.
func theSignature(root *etree.Element) (*etree.Element, error) {
	var found *etree.Element
	count := 0
	var walk func(e *etree.Element)
	walk = func(e *etree.Element) {
		for _, c := range e.ChildElements() {
			if c.Tag == "Signature" {
				found = c
				count++
			}
			walk(c)
		}
	}
	walk(root)
	if count != 1 || found.Parent() != root || found.NamespaceURI() != dsigNS {
		return nil, fmt.Errorf("%d signatures, not one below the root", count)
	}
	return found, nil
}

// strictShape holds the signature to the one form of the format (spec mssante
// 1.4), so that the library has nothing to choose: one reference to the whole,
// enveloped then exclusive C14N, SHA-256, RSA with SHA-256, one certificate. It
// returns that certificate.
func strictShape(signature *etree.Element) (*x509.Certificate, error) {
	parts, err := only(signature, dsigNS, "SignedInfo", "SignatureValue", "KeyInfo")
	if err != nil {
		return nil, err
	}
	info, err := only(parts[0], dsigNS, "CanonicalizationMethod", "SignatureMethod", "Reference")
	if err != nil {
		return nil, err
	}
	reference, err := only(info[2], dsigNS, "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return nil, err
	}
	if uri := attributes(info[2]); len(uri) != 1 || uri[0] != (etree.Attr{Key: "URI"}) {
		return nil, errors.New("the reference is not to the whole document")
	}
	transforms, err := only(reference[0], dsigNS, "Transform", "Transform")
	if err != nil {
		return nil, err
	}
	for _, use := range []struct {
		e   *etree.Element
		alg string
	}{
		{info[0], algExclusive},
		{info[1], algRSASHA256},
		{reference[1], algSHA256},
		{transforms[0], algEnveloped},
		{transforms[1], algExclusive},
	} {
		if a := attributes(use.e); len(use.e.ChildElements()) > 0 || len(a) != 1 || a[0] != (etree.Attr{Key: "Algorithm", Value: use.alg}) {
			return nil, fmt.Errorf("%s is not %s", use.e.Tag, use.alg)
		}
	}
	return signingCertificate(parts[2])
}

// attributes returns the attributes of e without namespace declarations, cut
// loose from e so that they compare.
func attributes(e *etree.Element) []etree.Attr {
	var out []etree.Attr
	for _, a := range e.Attr {
		if a.Space != "xmlns" && a.FullKey() != "xmlns" {
			out = append(out, etree.Attr{Space: a.Space, Key: a.Key, Value: a.Value})
		}
	}
	return out
}

// signingCertificate reads KeyInfo, which holds the signer's certificate and no
// other.
func signingCertificate(info *etree.Element) (*x509.Certificate, error) {
	data, err := only(info, dsigNS, "X509Data")
	if err != nil {
		return nil, err
	}
	certificates, err := only(data[0], dsigNS, "X509Certificate")
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text(certificates[0])), ""))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
