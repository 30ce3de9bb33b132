package certs

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/vaguemestre/vaguemestre/identity"
)

// Pair is a certificate with its key and the authorities above it.
type Pair struct {
	Leaf *x509.Certificate
	// Chain holds the intermediate authorities, nearest first, without the root.
	Chain []*x509.Certificate
	Key   crypto.Signer
}

// TLS returns the pair as crypto/tls wants it: the leaf, then the chain.
func (p Pair) TLS() tls.Certificate {
	out := tls.Certificate{Leaf: p.Leaf, PrivateKey: p.Key, Certificate: [][]byte{p.Leaf.Raw}}
	for _, c := range p.Chain {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

// DN returns the subject of the leaf.
func (p Pair) DN() (identity.DN, error) { return identity.DNFromRaw(p.Leaf.RawSubject) }

// CertificatePEM returns the leaf and then the chain as PEM blocks.
func (p Pair) CertificatePEM() []byte {
	out := certificatePEM(p.Leaf)
	for _, c := range p.Chain {
		out = append(out, certificatePEM(c)...)
	}
	return out
}

// certificatePEM returns a certificate as a PEM block.
func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// WriteFiles writes the certificate file (leaf, then chain) and the key file
// (PKCS #8, not encrypted), both PEM and both for the owner only. Each file
// appears whole or not at all; neither is flushed to the disk, since thousands
// are written at once and a pair can be issued again.
func (p Pair) WriteFiles(certFile, keyFile string) error {
	key, err := keyPEM(p.Key)
	if err != nil {
		return err
	}
	if err := replaceFile(keyFile, key, false); err != nil {
		return err
	}
	return replaceFile(certFile, p.CertificatePEM(), false)
}

// LoadPair reads what WriteFiles wrote; any PEM leaf-first certificate file and
// PKCS #8 (or PKCS #1, SEC 1) key file will do. It fails if the key is not the
// leaf's.
func LoadPair(certFile, keyFile string) (Pair, error) {
	both, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return Pair{}, fmt.Errorf("load pair %s: %w", certFile, err)
	}
	key, ok := both.PrivateKey.(crypto.Signer)
	if !ok {
		return Pair{}, fmt.Errorf("load pair %s: key cannot sign", certFile)
	}
	p := Pair{Leaf: both.Leaf, Key: key}
	for _, der := range both.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return Pair{}, fmt.Errorf("load pair %s: %w", certFile, err)
		}
		p.Chain = append(p.Chain, c)
	}
	return p, nil
}

// LoadCertificates reads every certificate of a PEM file, such as a file of
// anchors. A file without one is an error.
func LoadCertificates(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return out, nil
}

// keyPEM returns a private key as a PKCS #8 PEM block.
func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("marshal key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
