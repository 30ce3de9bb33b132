package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// crlSkew is how far ahead of our clock a thisUpdate may lie (ours).
const crlSkew = 5 * time.Minute

// crl is a revocation list that its authority signed, ready for look-ups.
type crl struct {
	raw        []byte // DER
	number     *big.Int
	thisUpdate time.Time
	nextUpdate time.Time
	revoked    map[string]struct{} // serial numbers, big-endian
}

// parseCRL reads a complete CRL (DER, or one PEM block) and checks that issuer
// signed it. It fails with fault.Invalid, reason "crl-malformed", or
// fault.Denied, reason "crl-untrusted".
func parseCRL(data []byte, issuer *x509.Certificate, now time.Time) (*crl, error) {
	if block, _ := pem.Decode(data); block != nil && block.Type == "X509 CRL" {
		data = block.Bytes
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "crl-malformed", err)
	}
	if !soundSignature(list.SignatureAlgorithm) {
		return nil, fault.Newf(fault.Denied, "crl-untrusted", "signature %s", list.SignatureAlgorithm)
	}
	// Name and signature: the name alone is anybody's.
	if !bytes.Equal(list.RawIssuer, issuer.RawSubject) {
		return nil, fault.Newf(fault.Denied, "crl-untrusted", "CRL of another issuer")
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return nil, fault.Wrap(fault.Denied, "crl-untrusted", err)
	}
	if why := unusable(list, now); why != "" {
		return nil, fault.Newf(fault.Invalid, "crl-malformed", "%s", why)
	}
	out := &crl{
		raw: data, number: list.Number, thisUpdate: list.ThisUpdate, nextUpdate: list.NextUpdate,
		revoked: make(map[string]struct{}, len(list.RevokedCertificateEntries)),
	}
	for _, e := range list.RevokedCertificateEntries {
		out.revoked[string(e.SerialNumber.Bytes())] = struct{}{}
	}
	return out, nil
}

// unusable says why a signed CRL cannot stand for the whole of its issuer's
// certificates, "" if it can.
func unusable(list *x509.RevocationList, now time.Time) string {
	switch {
	case list.Number == nil:
		return "no CRL number" // RFC 5280 5.2.3: required, and our guard against rollback
	case list.NextUpdate.IsZero():
		return "no nextUpdate"
	case list.ThisUpdate.After(now.Add(crlSkew)):
		return "thisUpdate lies ahead"
	}
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28}):
			if !complete(e.Value) {
				return "covers some certificates only"
			}
		case e.Critical: // a delta CRL among others (RFC 5280 5.2.4)
			return "unknown critical extension " + e.Id.String()
		}
	}
	for _, entry := range list.RevokedCertificateEntries {
		for _, e := range entry.Extensions {
			if e.Critical { // certificateIssuer of an indirect CRL (RFC 5280 5.3.3)
				return "unknown critical entry extension " + e.Id.String()
			}
		}
	}
	return ""
}

// complete reports whether an issuingDistributionPoint (RFC 5280 5.2.5) leaves
// the CRL complete: it names a place and restricts nothing.
func complete(der []byte) bool {
	var point struct {
		Place      asn1.RawValue  `asn1:"optional,tag:0"`
		Users      bool           `asn1:"optional,tag:1"`
		CAs        bool           `asn1:"optional,tag:2"`
		Reasons    asn1.BitString `asn1:"optional,tag:3"`
		Indirect   bool           `asn1:"optional,tag:4"`
		Attributes bool           `asn1:"optional,tag:5"`
	}
	rest, err := asn1.Unmarshal(der, &point)
	return err == nil && len(rest) == 0 && !point.Users && !point.CAs && !point.Indirect && !point.Attributes && point.Reasons.BitLength == 0
}

// has reports whether the serial number is on the list.
func (l *crl) has(serial *big.Int) bool {
	_, ok := l.revoked[string(serial.Bytes())]
	return ok
}

// follows says why l may not replace old, "" if it may. Numbers only grow (RFC
// 5280 5.2.3); an authority that signs a newer list under the same number breaks
// that rule, but locks nobody out here.
func (l *crl) follows(old *crl) string {
	switch {
	case old == nil:
		return ""
	case l.number.Cmp(old.number) < 0:
		return "older CRL number"
	case l.thisUpdate.Before(old.thisUpdate):
		return "older thisUpdate"
	case l.number.Cmp(old.number) == 0 && l.thisUpdate.Equal(old.thisUpdate):
		return "other content under the same number"
	}
	return ""
}
