package filing_test

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/vaguemestre/vaguemestre/xdm"
)

// zipOf makes an archive of names and contents, one after the other.
func zipOf(tb testing.TB, pairs ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		w, err := z.Create(pairs[i])
		if err == nil {
			_, err = w.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// packFor makes a package for the patient of one paper around the document of another.
func packFor(tb testing.TB, who paper, e xdm.Entry, document []byte) []byte {
	tb.Helper()
	return packOf(tb, xdm.Patient{OID: who.OID, Matricule: who.INS}, xdm.Content{Entry: e, Body: bytes.NewReader(document)})
}

// replace replaces what must be there.
func replace(text []byte, old, new string) []byte {
	if !bytes.Contains(text, []byte(old)) {
		panic("nothing to replace: " + old)
	}
	return bytes.ReplaceAll(text, []byte(old), []byte(new))
}
