package custody

import (
	"errors"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Works returns the works key, made at the first call. The caller zeroes it.
func Works(tx *store.Tx, p seal.Platform) (*seal.Works, error) {
	_, wrapped, err := load(tx, "works", func() ([]byte, []byte, error) {
		w, wrapped, err := seal.NewWorks(p)
		if err == nil {
			w.Zero()
		}
		return nil, wrapped, err
	})
	if err != nil {
		return nil, err
	}
	return seal.OpenWorks(p, wrapped)
}

// Audit is the name of the pair that signs audit checkpoints.
const Audit = "audit"

// Secret returns the named pair, made by fresh at the first call: the public half
// as it is, the secret one wrapped in the table and open here.
func Secret(tx *store.Tx, p seal.Platform, name string, fresh func() (public, secret []byte, err error)) (public, secret []byte, err error) {
	public, wrapped, err := load(tx, name, func() ([]byte, []byte, error) {
		public, secret, err := fresh()
		if err != nil {
			return nil, nil, err
		}
		defer clear(secret)
		wrapped, err := p.Wrap(name, secret)
		return public, wrapped, err
	})
	if err != nil {
		return nil, nil, err
	}
	secret, err = p.Unwrap(name, wrapped)
	if err != nil {
		return nil, nil, fmt.Errorf("unwrap the key %s: %w", name, err)
	}
	return public, secret, nil
}

// Public returns the public half of a named pair; it fails with store.ErrNoRows
// when it was not made yet. It needs no platform key.
func Public(tx *store.Tx, name string) ([]byte, error) {
	var public []byte
	err := tx.QueryRow(`SELECT public FROM operator_key WHERE name = $1`, name).Scan(&public)
	return public, err
}

// Day names the transit pair that is used at t: its date in UTC.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// TransitPublic returns the public half of a day's transit pair, made at the
// first call of the day.
func TransitPublic(tx *store.Tx, p seal.Platform, day string) (*seal.PublicKey, error) {
	public, _, err := load(tx, "transit/"+day, func() ([]byte, []byte, error) {
		public, wrapped, err := seal.NewTransit(p, day)
		if err != nil {
			return nil, nil, err
		}
		return public.Bytes(), wrapped, nil
	})
	if err != nil {
		return nil, err
	}
	return seal.ParsePublicKey(public)
}

// TransitKey returns a day's private transit key, for a worker with a job of that
// day. The caller zeroes it. It fails with store.ErrNoRows when the day has none.
func TransitKey(tx *store.Tx, p seal.Platform, day string) (*seal.TransitKey, error) {
	var wrapped []byte
	err := tx.QueryRow(`SELECT wrapped FROM operator_key WHERE name = $1`, "transit/"+day).Scan(&wrapped)
	if err != nil {
		return nil, err
	}
	return seal.OpenTransit(p, day, wrapped)
}

// load returns the named row, made by fresh when it is not there yet. Two nodes
// that make the same key at once agree on the row that was first.
func load(tx *store.Tx, name string, fresh func() (public, wrapped []byte, err error)) (public, wrapped []byte, err error) {
	row := func() error {
		return tx.QueryRow(`SELECT public, wrapped FROM operator_key WHERE name = $1`, name).Scan(&public, &wrapped)
	}
	if err = row(); !errors.Is(err, store.ErrNoRows) {
		return public, wrapped, err
	}
	public, wrapped, err = fresh()
	if err != nil {
		return nil, nil, fmt.Errorf("make the key %s: %w", name, err)
	}
	if public == nil {
		public = []byte{}
	}
	_, err = tx.Exec(`INSERT INTO operator_key (name, public, wrapped, created) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO NOTHING`, name, public, wrapped, store.Micros(tx.Now()))
	if err != nil {
		return nil, nil, fmt.Errorf("keep the key %s: %w", name, err)
	}
	err = row()
	return public, wrapped, err
}
