package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

func TestKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "platform.key")
	p, err := seal.KeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := p.Wrap("works", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	again, err := seal.KeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap("works", wrapped); err != nil || string(got) != "secret" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	for _, label := range []string{"work", "works/", ""} {
		if _, err := again.Unwrap(label, wrapped); fault.Reason(err) != "record-broken" {
			t.Errorf("label %q: %v", label, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v (%v), want the key file alone", left, err)
	}
}

func TestKeyFileRefusesWhatOthersCanRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "platform.key")
	if _, err := seal.KeyFile(file); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o602} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.KeyFile(file); !fault.Is(err, fault.Invalid) || fault.Reason(err) != "key-file-readable-by-others" {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.KeyFile(file); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestKeyFileRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := seal.KeyFile(good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "cut": text[:len(text)/2],
		"other type": bytes.ReplaceAll(text, []byte("PLATFORM"), []byte("OTHER")),
		"short key":  []byte("-----BEGIN VAGUEMESTRE PLATFORM KEY-----\nAAAA\n-----END VAGUEMESTRE PLATFORM KEY-----\n"),
	} {
		file := filepath.Join(dir, "bad")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.KeyFile(file); fault.Reason(err) != "key-file-malformed" {
			t.Errorf("%s: %v", what, err)
		}
		if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, content) {
			t.Errorf("%s: the file was changed (%v)", what, err)
		}
	}
	if _, err := seal.KeyFile(filepath.Join(dir, "missing", "key")); err == nil {
		t.Error("a key file in a missing folder is made")
	}
}

// TestKeyFileMadeByManyAtOnce starts as several processes do: all get one key.
func TestKeyFileMadeByManyAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "platform.key")
	platforms := make([]seal.Platform, 8)
	var wg sync.WaitGroup
	for i := range platforms {
		wg.Go(func() {
			p, err := seal.KeyFile(file)
			if err != nil {
				t.Error(err)
			}
			platforms[i] = p
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	wrapped, err := platforms[0].Wrap("works", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range platforms {
		if _, err := p.Unwrap("works", wrapped); err != nil {
			t.Errorf("platform %d has another key: %v", i, err)
		}
	}
}
