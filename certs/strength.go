package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
)

// weakness says why a key is below the policy, "" if it is not. RGS v2 annex B1:
// RSA of 2048 bits and up with an exponent above 2^16, curves of 256 bits and
// up. RSA above 8192 bits only burns processor (crypto/tls refuses it too).
// Ed25519 is in no profile of IGC-Santé.
func weakness(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits < 2048:
			return "RSA key under 2048 bits"
		case bits > 8192:
			return "RSA key over 8192 bits"
		case k.E <= 1<<16:
			return "RSA exponent not above 2^16"
		}
		return ""
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return ""
		}
		return "curve under 256 bits"
	}
	return "kind of key in no profile"
}

// soundSignature reports whether the algorithm is one that the policy takes: no
// MD5, no SHA-1 (RGS v2 annex B1).
func soundSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return true
	}
	return false
}
