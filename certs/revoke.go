package certs

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Reason says why a certificate is revoked (RFC 5280 5.3.1).
type Reason int

// The reasons that the sandbox uses.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	// Hold suspends; Release ends it.
	Hold Reason = 6
)

// revocation is what the file DIR/revoked/SERIAL holds.
type revocation struct {
	At  time.Time `json:"at"`
	Why Reason    `json:"why"`
}

// Revoke puts the serial number on the list of the organisations' authority and
// publishes a new CRL. Revoking again changes nothing, except that it makes a
// hold final. It fails with fault.Invalid, reason "serial-malformed", for a
// number that no certificate has.
func (a *Authority) Revoke(serial *big.Int, why Reason) error {
	if serial == nil || serial.Sign() <= 0 || serial.BitLen() >= 160 {
		return fault.New(fault.Invalid, "serial-malformed")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	file := a.revokedFile(serial)
	if old, err := readRevocation(file); err == nil && old.Why != Hold {
		return nil
	}
	data, err := json.Marshal(revocation{At: a.opts.Clock().UTC().Truncate(time.Second), Why: why})
	if err != nil {
		return err
	}
	if err := writeFile(file, data); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	return a.publishLocked()
}

// Release ends a hold and publishes a new CRL. It fails with fault.Conflict,
// reason "revocation-final", when the certificate is revoked for good, and with
// fault.NotFound, reason "not-revoked", when it is not revoked.
func (a *Authority) Release(serial *big.Int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	file := a.revokedFile(serial)
	old, err := readRevocation(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "not-revoked")
	case err != nil:
		return fmt.Errorf("release: %w", err)
	case old.Why != Hold:
		return fault.New(fault.Conflict, "revocation-final")
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return a.publishLocked()
}

// Publish writes fresh CRLs of both authorities, which also takes in revocations
// made by another process on the same folder.
func (a *Authority) Publish() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.publishLocked()
}

// Run publishes fresh CRLs whenever half of their validity has passed, until ctx
// ends. It returns the first error, or nil when ctx ended.
func (a *Authority) Run(ctx context.Context) error {
	tick := time.NewTicker(a.opts.CRLValidity / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := a.Publish(); err != nil {
				return err
			}
		}
	}
}

func (a *Authority) revokedFile(serial *big.Int) string {
	return filepath.Join(a.dir, "revoked", fmt.Sprintf("%x", serial))
}

func readRevocation(file string) (revocation, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return revocation{}, err
	}
	var r revocation
	if err := json.Unmarshal(data, &r); err != nil {
		return revocation{}, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// publishLocked writes DIR/public/crl. The root's CRL is empty: the sandbox never
// revokes its issuing authority.
func (a *Authority) publishLocked() error {
	revoked, err := a.revoked()
	if err != nil {
		return err
	}
	if err := a.writeCRL(a.root, nil); err != nil {
		return err
	}
	return a.writeCRL(a.organisations, revoked)
}

// publishAnchors writes the authorities' certificates to DIR/public/ca.
func (a *Authority) publishAnchors() error {
	var chain []byte
	for _, i := range []issuer{a.organisations, a.root} {
		if err := writeFile(filepath.Join(a.dir, "public/ca", i.name+".cer"), i.cert.Raw); err != nil {
			return err
		}
		chain = append(chain, certificatePEM(i.cert)...)
	}
	if err := writeFile(filepath.Join(a.dir, "public/ca/root.pem"), certificatePEM(a.root.cert)); err != nil {
		return err
	}
	return writeFile(filepath.Join(a.dir, "public/ca/chain.pem"), chain)
}

// revoked reads the folder of revocations.
func (a *Authority) revoked() ([]x509.RevocationListEntry, error) {
	dir := filepath.Join(a.dir, "revoked")
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []x509.RevocationListEntry
	for _, f := range files {
		serial, ok := new(big.Int).SetString(f.Name(), 16)
		if !ok {
			continue // a temporary file of a process that was killed
		}
		r, err := readRevocation(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: r.At, ReasonCode: int(r.Why)})
	}
	return out, nil
}

// writeCRL signs and writes the CRL of one authority. Its number is the time in
// milliseconds, or one more than that of the CRL which it replaces.
func (a *Authority) writeCRL(i issuer, entries []x509.RevocationListEntry) error {
	file := filepath.Join(a.dir, "public/crl", i.name+".crl")
	now := a.opts.Clock().UTC()
	number := big.NewInt(now.UnixMilli())
	if der, err := os.ReadFile(file); err == nil {
		old, err := x509.ParseRevocationList(der)
		if err == nil && old.Number.Cmp(number) >= 0 {
			number.Add(old.Number, big.NewInt(1))
		}
	}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number:                    number,
		ThisUpdate:                now,
		NextUpdate:                now.Add(a.opts.CRLValidity),
		RevokedCertificateEntries: entries,
		SignatureAlgorithm:        x509.SHA256WithRSA,
	}, i.cert, i.key)
	if err != nil {
		return fmt.Errorf("crl of %s: %w", i.name, err)
	}
	return writeFile(file, der)
}
