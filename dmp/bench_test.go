package dmp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/store"
)

// vaults runs a benchmark in an empty vault and in a large one, among many small
// ones, on each engine.
func vaults(b *testing.B, bench func(b *testing.B, w *world)) {
	engines(b, func(b *testing.B, w *world) {
		w.crowd()
		for _, n := range []int{0, many} {
			w.ring, w.vault = w.patient()
			w.fill(n)
			b.Run(fmt.Sprint(n), func(b *testing.B) { bench(b, w) })
		}
	})
}

// BenchmarkSeal is the work before the transaction, for 2 KiB.
func BenchmarkSeal(b *testing.B) {
	engines(b, func(b *testing.B, w *world) {
		body := strings.Repeat("x", 2<<10)
		for b.Loop() {
			w.seal(discharge("1.2.3"), letter, body)
		}
	})
}

// BenchmarkFile is the transaction that files one document.
func BenchmarkFile(b *testing.B) {
	vaults(b, func(b *testing.B, w *world) {
		lots := make([]*dmp.Sealed, b.N)
		for i := range lots {
			lots[i] = w.seal(discharge(fmt.Sprint("1.9.", i, ".", b.N)), letter, "octets")
		}
		b.ResetTimer()
		for _, s := range lots {
			w.file(s)
		}
	})
}

// BenchmarkFirstPage reads and opens the newest fifty documents, as every page after
// the first opening does.
func BenchmarkFirstPage(b *testing.B) {
	vaults(b, func(b *testing.B, w *world) {
		w.fill(dmp.DefaultPage) // the newest of either vault
		w.list(dmp.Query{})
		for b.Loop() {
			if got := len(w.list(dmp.Query{})); got != dmp.DefaultPage {
				b.Fatalf("%d documents", got)
			}
			w.read(func(tx *store.Tx) error {
				_, err := dmp.Counts(tx, w.works, w.vault.Space)
				return err
			})
		}
	})
}
