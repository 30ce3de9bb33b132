package custody_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// counting is a key file that notes what it opened.
type counting struct {
	seal.Platform
	mu     sync.Mutex
	opened []string
}

func (c *counting) Unwrap(label string, wrapped []byte) ([]byte, error) {
	c.mu.Lock()
	c.opened = append(c.opened, label)
	c.mu.Unlock()
	return c.Platform.Unwrap(label, wrapped)
}

func platform(t *testing.T) *counting {
	t.Helper()
	p, err := seal.KeyFile(filepath.Join(t.TempDir(), "platform.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &counting{Platform: p}
}

// keys is what a node opens at its start.
type keys struct {
	works          *seal.Works
	public, secret []byte
	transit        *seal.PublicKey
}

func open(t *testing.T, db *store.DB, p seal.Platform, day string) (k keys, err error) {
	err = db.Write(t.Context(), func(tx *store.Tx) (err error) {
		if k.works, err = custody.Works(tx, p); err != nil {
			return err
		}
		if k.public, k.secret, err = custody.Secret(tx, p, custody.Audit, fresh); err != nil {
			return err
		}
		k.transit, err = custody.TransitPublic(tx, p, day)
		return err
	})
	return k, err
}

// fresh makes a pair that differs each time.
func fresh() (public, secret []byte, err error) {
	now := time.Now().Format(time.RFC3339Nano)
	return []byte("public " + now), []byte("secret " + now), nil
}

func TestNodesThatStartAtOnceHaveTheSameKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p, day := platform(t), custody.Day(time.Now())
		nodes := make([]keys, 8)
		failures := make([]error, len(nodes))
		var wg sync.WaitGroup
		for i := range nodes {
			wg.Go(func() { nodes[i], failures[i] = open(t, db, p, day) })
		}
		wg.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		sealed, err := nodes[0].works.Seal("purpose", "id", []byte("text"))
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range nodes {
			if plain, err := n.works.Open("purpose", "id", sealed); err != nil || string(plain) != "text" {
				t.Errorf("works of node %d: %v", i, err)
			}
			if !bytes.Equal(n.public, nodes[0].public) || !bytes.Equal(n.secret, nodes[0].secret) ||
				!bytes.Equal(n.transit.Bytes(), nodes[0].transit.Bytes()) {
				t.Errorf("node %d has keys of its own", i)
			}
		}
		if string(nodes[0].public[len("public "):]) != string(nodes[0].secret[len("secret "):]) {
			t.Error("public and secret halves are of two pairs")
		}
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			public, err := custody.Public(tx, custody.Audit)
			if err == nil && !bytes.Equal(public, nodes[0].public) {
				t.Error("the public half differs")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestEachDayHasAPairAndOnlyWorkersOpenIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := platform(t)
		session := seal.NewSessionKey()
		days := []string{"2026-03-01", "2026-03-02"}
		wraps := map[string][]byte{}
		for _, day := range days {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				public, err := custody.TransitPublic(tx, p, day)
				if err != nil {
					return err
				}
				wraps[day], err = public.Wrap(session, "body-1")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(p.opened) != 0 {
			t.Errorf("public halves opened %q", p.opened)
		}
		transit := func(day string) (k *seal.TransitKey, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) error {
				k, err = custody.TransitKey(tx, p, day)
				return err
			})
			return k, err
		}
		for i, day := range days {
			k, err := transit(day)
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.Unwrap(wraps[day], "body-1")
			if err != nil || !got.Equal(session) {
				t.Errorf("%s: %v", day, err)
			}
			if _, err := k.Unwrap(wraps[days[1-i]], "body-1"); err == nil {
				t.Errorf("the key of %s opens another day's letter", day)
			}
			k.Zero()
		}
		if !slices.Equal(p.opened, []string{"transit/2026-03-01", "transit/2026-03-02"}) {
			t.Errorf("opened %q", p.opened)
		}
		if _, err := transit("2026-03-03"); !errors.Is(err, store.ErrNoRows) {
			t.Errorf("a day without letters: %v", err)
		}
	})
}

func TestAnotherPlatformKeyOpensNothing(t *testing.T) {
	t.Parallel()
	db, day := storetest.SQLite(t), "2026-03-01"
	if _, err := open(t, db, platform(t), day); err != nil {
		t.Fatal(err)
	}
	other := platform(t)
	if _, err := open(t, db, other, day); !fault.Is(err, fault.Internal) {
		t.Errorf("works: %v", err)
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, _, err := custody.Secret(tx, other, custody.Audit, fresh)
		return err
	})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("secret: %v", err)
	}
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		_, err := custody.TransitKey(tx, other, day)
		return err
	})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("transit: %v", err)
	}
}

func TestNothingIsKeptWhenNoKeyCanBeMade(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	broken := errors.New("no randomness")
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, _, err := custody.Secret(tx, platform(t), "x", func() ([]byte, []byte, error) { return nil, nil, broken })
		return err
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		_, err := custody.Public(tx, "x")
		return err
	})
	if !errors.Is(err, store.ErrNoRows) {
		t.Errorf("kept: %v", err)
	}
}

func TestADayIsADayInUTC(t *testing.T) {
	t.Parallel()
	paris := time.FixedZone("CET", 3600)
	if got := custody.Day(time.Date(2026, 3, 1, 0, 30, 0, 0, paris)); got != "2026-02-28" {
		t.Errorf("got %s", got)
	}
}
