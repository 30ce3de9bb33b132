package seal

import (
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vaguemestre/vaguemestre/fault"
)

const (
	// keyFileType is the PEM type of the platform key file.
	keyFileType = "VAGUEMESTRE PLATFORM KEY"
	// keyFileLimit is the most that is read of a key file, in bytes.
	keyFileLimit = 4096
)

// keyFile is a Platform whose key is read from a file once.
type keyFile struct {
	redacted
	key [keySize]byte
}

// KeyFile returns the Platform of a key file: PEM, 32 random bytes. A missing file
// is made, mode 0600, in an existing folder, and is durable when KeyFile returns.
//
// Faults: Invalid "key-file-readable-by-others" when the group or others have any
// right on it, Invalid "key-file-malformed".
func KeyFile(path string) (Platform, error) {
	p, err := readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if err := makeKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	return readKeyFile(path)
}

// Wrap seals a secret under a key derived for the label.
func (p *keyFile) Wrap(label string, secret []byte) ([]byte, error) {
	return sealRecord(p.key[:], domainPlatform, "wrap", label, secret)
}

// Unwrap opens what Wrap made under the same label.
func (p *keyFile) Unwrap(label string, wrapped []byte) ([]byte, error) {
	return openRecord(p.key[:], domainPlatform, "wrap", label, wrapped)
}

func readKeyFile(path string) (Platform, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// The open file is looked at, not the path: nothing can change in between.
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fault.Newf(fault.Invalid, "key-file-readable-by-others", "%s has mode %04o, not 0600", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, keyFileLimit))
	if err != nil {
		return nil, err
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil || block.Type != keyFileType || len(block.Bytes) != keySize {
		return nil, fault.Newf(fault.Invalid, "key-file-malformed", "%s holds no %s", path, keyFileType)
	}
	defer clear(block.Bytes)
	p := new(keyFile)
	copy(p.key[:], block.Bytes)
	return p, nil
}

// makeKeyFile writes a fresh key beside path, then links it there: a crash leaves
// no half file under the name, and of two processes one wins (fs.ErrExist).
func makeKeyFile(path string) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".key-*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // a leftover is harmless: it is no key file
	var key [keySize]byte
	defer clear(key[:])
	_, _ = rand.Read(key[:])
	text := pem.EncodeToMemory(&pem.Block{Type: keyFileType, Bytes: key[:]})
	defer clear(text)
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
