package certs

import (
	"crypto/x509"
	"encoding/asn1"
)

// Profile is a kind of certificate that the sandbox authority issues, after the
// profiles of IGC-Santé's elementary range for organisations (spec mssante 2.4).
type Profile uint8

// The profiles.
const (
	// ServerTLS is the SSL server certificate: an operator's SMTP, IMAP and HTTPS,
	// as server and as client. RSA: the suites of ECO.1.1.3 are ECDHE_RSA.
	ServerTLS Profile = iota + 1
	// OrgAuthCli authenticates an organisation as a client: an application box.
	OrgAuthCli
	// OrgSign is an organisation's stamp: the signer of the whitelist.
	OrgSign
	// PersonCli is the client certificate of a person's box. ECDSA P-256, so that
	// thousands are made in seconds.
	PersonCli
)

// String returns the profile's name as IGC-Santé writes it.
func (p Profile) String() string {
	switch p {
	case ServerTLS:
		return "SSL"
	case OrgAuthCli:
		return "ORG_AUTH_CLI"
	case OrgSign:
		return "ORG_SIGN"
	case PersonCli:
		return "PERSON_CLI"
	}
	return "unknown"
}

// shape is what a profile fixes in a certificate.
type shape struct {
	keyUsage x509.KeyUsage
	extended []x509.ExtKeyUsage
	policy   asn1.ObjectIdentifier
	rsa      bool // keys made for it are RSA
}

// shape returns the profile's fixed parts; ok is false for an unknown profile.
// The policy of ORG_SIGN is the one seen on the signer of the production list
// (spec mssante 1.5); the sandbox counts up from it for the others.
func (p Profile) shape() (s shape, ok bool) {
	policy := func(n int) asn1.ObjectIdentifier {
		return asn1.ObjectIdentifier{1, 2, 250, 1, 213, 1, 7, 1, 1, 2, n, 1}
	}
	switch p {
	case ServerTLS:
		// keyEncipherment: some peers still look for it on RSA servers.
		return shape{
			x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
			[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
			policy(1), true,
		}, true
	case OrgAuthCli:
		return shape{x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, policy(2), true}, true
	case OrgSign:
		return shape{
			x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
			[]x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
			policy(3), true,
		}, true
	case PersonCli:
		return shape{x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, policy(4), false}, true
	}
	return shape{}, false
}

// Usage says what a certificate is shown for; it selects the usage rules.
type Usage uint8

// The usages.
const (
	// AsServer: a host that we call. serverAuth; the name is checked by ClientTLS.
	AsServer Usage = iota + 1
	// AsPeer: an operator that calls our MX. clientAuth and at least one DNS name.
	AsPeer
	// AsClient: a box that calls submission or IMAP. clientAuth.
	AsClient
	// AsSigner: the stamp on the whitelist. emailProtection, digitalSignature and
	// contentCommitment (spec mssante 1.5).
	AsSigner
)

// String returns the usage in lower case.
func (u Usage) String() string {
	switch u {
	case AsServer:
		return "server"
	case AsPeer:
		return "peer"
	case AsClient:
		return "client"
	case AsSigner:
		return "signer"
	}
	return "unknown"
}

// demands returns the key usage and the extended key usage that u needs.
func (u Usage) demands() (x509.KeyUsage, x509.ExtKeyUsage, bool) {
	switch u {
	case AsServer:
		return x509.KeyUsageDigitalSignature, x509.ExtKeyUsageServerAuth, true
	case AsPeer, AsClient:
		return x509.KeyUsageDigitalSignature, x509.ExtKeyUsageClientAuth, true
	case AsSigner:
		return x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, x509.ExtKeyUsageEmailProtection, true
	}
	return 0, 0, false
}
