package certs

import (
	"errors"
	"os"
	"path/filepath"
)

// writeFile replaces a file as a whole, for the owner only: temporary file,
// fsync, rename, fsync of the folder. A reader sees the old bytes or the new.
func writeFile(name string, data []byte) error {
	if err := replaceFile(name, data, true); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// replaceFile does the same, but flushes nothing unless told to: after a power
// cut the file may be gone, after a killed process it may not.
func replaceFile(name string, data []byte, flush bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil && flush {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
