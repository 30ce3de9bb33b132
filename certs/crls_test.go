package certs_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
)

// mint signs a CRL with the organisations' key.
func (w *world) mint(change func(l *x509.RevocationList)) []byte {
	w.t.Helper()
	return w.mintBy(w.issuer(), change)
}

func (w *world) mintBy(p certs.Pair, change func(l *x509.RevocationList)) []byte {
	w.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(time.Now().UnixMilli()), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	change(l)
	der, err := x509.CreateRevocationList(rand.Reader, l, p.Leaf, p.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

// TestCRLAges walks one CRL through its life: fresh, in grace, past it.
func TestCRLAges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var log bytes.Buffer
	w.crls = w.openCRLs(t.TempDir(), certs.CRLOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w.checker = newChecker(t, w.authority.Anchors(), w.crls)
	good, bad := w.enrol(person("Docteur Un")).Leaf, w.enrol(person("Docteur Deux")).Leaf
	if got := w.reason(good, certs.AsClient); got != "revocation-unknown" {
		t.Errorf("never seen: got %q", got)
	}
	if err := w.authority.Revoke(bad.SerialNumber, certs.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	w.refresh()
	for _, step := range []struct {
		after     time.Duration
		good, bad string
		alarm     bool
	}{
		{0, "", "certificate-revoked", false},
		{7*24*time.Hour - time.Minute, "", "certificate-revoked", false},
		{7*24*time.Hour + time.Minute, "", "certificate-revoked", true},
		{8*24*time.Hour - time.Minute, "", "certificate-revoked", true},
		{8*24*time.Hour + time.Minute, "revocation-unknown", "certificate-revoked", true},
		{365 * 24 * time.Hour, "revocation-unknown", "certificate-revoked", true},
	} {
		at := time.Now().Add(step.after)
		if got := reasonAt(t, w.checker, good, certs.AsClient, at); got != step.good {
			t.Errorf("good after %v: got %q, want %q", step.after, got, step.good)
		}
		if got := reasonAt(t, w.checker, bad, certs.AsClient, at); got != step.bad {
			t.Errorf("revoked after %v: got %q, want %q", step.after, got, step.bad)
		}
		if got := strings.Contains(log.String(), "crl_stale"); got != step.alarm {
			t.Errorf("alarm after %v: got %v", step.after, got)
		}
	}
	_, err := w.checker.Check(t.Context(), []*x509.Certificate{good}, certs.AsClient, time.Now().Add(30*24*time.Hour))
	if !fault.Is(err, fault.Transient) {
		t.Errorf("unknown revocation is %v, not transient", fault.KindOf(err))
	}
}

func TestGraceIsConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crls = w.openCRLs(t.TempDir(), certs.CRLOptions{Grace: -1})
	w.refresh()
	w.checker = newChecker(t, w.authority.Anchors(), w.crls)
	leaf := w.enrol(person("Docteur Un")).Leaf
	if got := reasonAt(t, w.checker, leaf, certs.AsClient, time.Now().Add(7*24*time.Hour+time.Minute)); got != "revocation-unknown" {
		t.Errorf("without grace: got %q", got)
	}
}

// TestCRLSurvivesAFailedFetchAndARestart holds ECO.1.1.7.
func TestCRLSurvivesAFailedFetchAndARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	w.crls = w.openCRLs(dir, certs.CRLOptions{})
	w.refresh()
	down := func(context.Context, string) ([]byte, error) { return nil, errors.New("no route") }
	again, err := certs.OpenCRLs(dir, w.sources(), down, certs.CRLOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Refresh(t.Context()); err == nil {
		t.Error("a failed fetch went unnoticed")
	}
	checker := newChecker(t, w.authority.Anchors(), again)
	if got := reasonAt(t, checker, w.enrol(person("Docteur Un")).Leaf, certs.AsClient, time.Now()); got != "" {
		t.Errorf("after a failed fetch: %s", got)
	}
	for _, s := range again.States() {
		if s.Number == "" || s.Failure == nil {
			t.Errorf("state %+v", s)
		}
	}
	// A kept file that was tampered with counts as never seen.
	file := filepath.Join(dir, "organisations.crl")
	der, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	der[len(der)-1] ^= 1
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := w.openCRLs(dir, certs.CRLOptions{})
	if got := reasonAt(t, newChecker(t, w.authority.Anchors(), broken), w.enrol(person("Docteur Un")).Leaf, certs.AsClient, time.Now()); got != "revocation-unknown" {
		t.Errorf("with a tampered file: %q", got)
	}
}

func TestCRLIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := stranger(t)
	future := time.Now().Add(time.Hour)
	crlOf := func(w *world, name string) []byte {
		der, err := w.fetch(t.Context(), "crl/"+name+".crl")
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	ext := func(oid int, critical bool, value []byte) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, oid}, Critical: critical, Value: value}}
		}
	}
	renamed := w.issuer()
	leaf := *renamed.Leaf
	leaf.RawSubject = w.authority.Root().RawSubject
	renamed.Leaf = &leaf
	tampered := bytes.Clone(crlOf(w, "organisations"))
	tampered[len(tampered)-1] ^= 1
	for name, c := range map[string]struct {
		data   []byte
		reason string
	}{
		"not a CRL":                  {[]byte("<html>"), "crl-malformed"},
		"empty":                      {nil, "crl-malformed"},
		"cut":                        {tampered[:len(tampered)/2], "crl-malformed"},
		"tampered":                   {tampered, "crl-untrusted"},
		"of the root":                {crlOf(w, "root"), "crl-untrusted"},
		"same name, other key":       {crlOf(other, "organisations"), "crl-untrusted"},
		"same key, other name":       {w.mintBy(renamed, func(*x509.RevocationList) {}), "crl-untrusted"},
		"from the future":            {w.mint(func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = future, future.Add(time.Hour) }), "crl-malformed"},
		"delta":                      {w.mint(ext(27, true, []byte{2, 1, 1})), "crl-malformed"},
		"only users' certificates":   {w.mint(ext(28, true, []byte{0x30, 3, 0x81, 1, 0xff})), "crl-malformed"},
		"older number":               {w.mint(func(l *x509.RevocationList) { l.Number = big.NewInt(1) }), "crl-rollback"},
		"older date":                 {w.mint(func(l *x509.RevocationList) { l.ThisUpdate = time.Now().Add(-time.Hour) }), "crl-rollback"},
		"too large for the settings": {bytes.Repeat([]byte{0}, 1<<20+1), "crl-too-large"},
	} {
		crls := w.openCRLs(t.TempDir(), certs.CRLOptions{MaxBytes: 1 << 20})
		if err := crls.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := crls.States()[1].Number
		if err := crls.Install("organisations", c.data); fault.Reason(err) != c.reason {
			t.Errorf("%s: got %v, want %s", name, err, c.reason)
		}
		if got := crls.States()[1].Number; got != before {
			t.Errorf("%s: the CRL in force was replaced", name)
		}
	}
	if err := w.crls.Install("nobody", nil); fault.Reason(err) != "crl-source-unknown" {
		t.Errorf("unknown source: %v", err)
	}
}

// TestRunRetriesSooner holds the background refresher to its periods.
func TestRunRetriesSooner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		fetch := func(context.Context, string) ([]byte, error) {
			at = append(at, time.Since(start))
			return nil, errors.New("down")
		}
		crls, err := certs.OpenCRLs(dir, w.sources()[:1], fetch, certs.CRLOptions{Every: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 13*time.Minute)
		defer cancel()
		crls.Run(ctx)
		if len(at) != 3 || at[1] != 6*time.Minute {
			t.Errorf("fetched at %v", at)
		}
	})
}

func TestHoldIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaf := w.enrol(person("Docteur Un")).Leaf
	steps := []struct {
		do   func() error
		want string
	}{
		{func() error { return w.authority.Revoke(leaf.SerialNumber, certs.Hold) }, "certificate-revoked"},
		{func() error { return w.authority.Release(leaf.SerialNumber) }, ""},
		{func() error { return w.authority.Revoke(leaf.SerialNumber, certs.Superseded) }, "certificate-revoked"},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		w.refresh()
		if got := w.reason(leaf, certs.AsClient); got != s.want {
			t.Errorf("step %d: got %q, want %q", i, got, s.want)
		}
	}
	if err := w.authority.Release(leaf.SerialNumber); fault.Reason(err) != "revocation-final" {
		t.Errorf("release for good: %v", err)
	}
	if err := w.authority.Release(big.NewInt(12345)); fault.Reason(err) != "not-revoked" {
		t.Errorf("release of nothing: %v", err)
	}
	if err := w.authority.Revoke(big.NewInt(-1), certs.Hold); fault.Reason(err) != "serial-malformed" {
		t.Errorf("malformed serial: %v", err)
	}
}
