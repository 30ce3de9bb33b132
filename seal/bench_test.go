package seal_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/vaguemestre/vaguemestre/seal"
)

// BenchmarkSealBody is the hot path of an accepted letter, without its wraps.
func BenchmarkSealBody(b *testing.B) {
	for _, size := range []int{2 << 10, 50 << 10, 256 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			plain := make([]byte, size)
			k := seal.NewSessionKey()
			var out bytes.Buffer
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				w := seal.NewBodyWriter(&out, k, "01k2m3p4q5r6s7t8v9w0x1y2z3")
				if _, err := w.Write(plain); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpenBody reads a whole body, as FETCH BODY[] does.
func BenchmarkOpenBody(b *testing.B) {
	for _, size := range []int{2 << 10, 50 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			k := seal.NewSessionKey()
			sealed := sealBytes(b, k, "bench", make([]byte, size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r := openBytes(b, k, "bench", sealed, size)
				if _, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, r.Size())); err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
			}
		})
	}
}

// BenchmarkLastSegment reads the end of a body of 25 MiB.
func BenchmarkLastSegment(b *testing.B) {
	const size = 25 << 20
	k := seal.NewSessionKey()
	sealed := sealBytes(b, k, "bench", make([]byte, size))
	var p [512]byte
	b.ReportAllocs()
	for b.Loop() {
		r := openBytes(b, k, "bench", sealed, size)
		if _, err := r.ReadAt(p[:], size-512); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeys measures what each recipient and each reader costs.
func BenchmarkKeys(b *testing.B) {
	r, err := seal.NewSpace("space", false)
	if err != nil {
		b.Fatal(err)
	}
	k, raw := seal.NewSessionKey(), r.Letters().Bytes()
	wrapped, err := r.Letters().Wrap(k, "body")
	if err != nil {
		b.Fatal(err)
	}
	fast, err := r.Rewrap(k, "item")
	if err != nil {
		b.Fatal(err)
	}
	p := platform(b)
	stored, err := r.Wrapped(p)
	if err != nil {
		b.Fatal(err)
	}
	record, err := k.SealRecord("summary", "item", make([]byte, 500))
	if err != nil {
		b.Fatal(err)
	}
	w, _, err := seal.NewWorks(p)
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"ParsePublicKey": func() error { _, err := seal.ParsePublicKey(raw); return err },
		"Wrap":           func() error { _, err := r.Letters().Wrap(k, "body"); return err },
		"Unwrap":         func() error { _, err := r.Unwrap(wrapped, "body"); return err },
		"Rewrap":         func() error { _, err := r.Rewrap(k, "item"); return err },
		"UnwrapFast":     func() error { _, err := r.UnwrapFast(fast, "item"); return err },
		"SealRecord":     func() error { _, err := k.SealRecord("summary", "item", make([]byte, 500)); return err },
		"OpenRecord":     func() error { _, err := k.OpenRecord("summary", "item", record); return err },
		"NewSpace":       func() error { _, err := seal.NewSpace("space", false); return err },
		"OpenSpace":      func() error { _, err := seal.OpenSpace(p, "space", stored); return err },
		"MAC":            func() error { w.MAC("box", []byte("somebody@example.org")); return nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
