package seal_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/vaguemestre/vaguemestre/seal"
)

// sealBytes seals a whole body.
func sealBytes(t testing.TB, k seal.SessionKey, id string, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := seal.NewBodyWriter(&out, k, id)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// openBytes returns a reader over a sealed body in memory.
func openBytes(t testing.TB, k seal.SessionKey, id string, sealed []byte, plain int) *seal.BodyReader {
	t.Helper()
	r, err := seal.NewBodyReader(bytes.NewReader(sealed), int64(len(sealed)), int64(plain), k, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// platform returns a fresh platform key.
func platform(t testing.TB) seal.Platform {
	t.Helper()
	p, err := seal.KeyFile(filepath.Join(t.TempDir(), "platform.key"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
