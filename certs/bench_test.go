package certs_test

import (
	"crypto/x509"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
)

// BenchmarkEnrolPeople measures boxes' certificates, keys included.
func BenchmarkEnrolPeople(b *testing.B) {
	a, err := certs.NewAuthority(b.TempDir(), certs.AuthorityOptions{})
	if err != nil {
		b.Fatal(err)
	}
	requests := make([]certs.Request, 2000)
	for i := range requests {
		requests[i] = person(fmt.Sprintf("Docteur %d", i))
	}
	for b.Loop() {
		if _, err := a.Enrol(requests...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewAuthority measures the start of a new sandbox.
func BenchmarkNewAuthority(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		if _, err := certs.NewAuthority(filepath.Join(b.TempDir(), fmt.Sprint(i)), certs.AuthorityOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck measures one check of a certificate seen before, as on each
// connection, and one of a certificate never seen.
func BenchmarkCheck(b *testing.B) {
	a, err := certs.NewAuthority(b.TempDir(), certs.AuthorityOptions{})
	if err != nil {
		b.Fatal(err)
	}
	w := &world{authority: a}
	crls, err := certs.OpenCRLs(b.TempDir(), w.sources(), w.fetch, certs.CRLOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if err := crls.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	pairs, err := a.Enrol(operator("smtp.chu.example"))
	if err != nil {
		b.Fatal(err)
	}
	chain := []*x509.Certificate{pairs[0].Leaf}
	for _, fresh := range []bool{false, true} {
		b.Run(map[bool]string{false: "seen", true: "new"}[fresh], func(b *testing.B) {
			checker, err := certs.NewChecker(a.Anchors(), crls, certs.CheckerOptions{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if fresh {
					if checker, err = certs.NewChecker(a.Anchors(), crls, certs.CheckerOptions{}); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := checker.Check(b.Context(), chain, certs.AsPeer, time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
