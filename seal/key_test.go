package seal_test

import (
	"bytes"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

func TestRecordsAreBound(t *testing.T) {
	t.Parallel()
	p := platform(t)
	ring, err := seal.NewSpace("space", false)
	if err != nil {
		t.Fatal(err)
	}
	works, _, err := seal.NewWorks(p)
	if err != nil {
		t.Fatal(err)
	}
	k, other := seal.NewSessionKey(), seal.NewSessionKey()
	type (
		sealer func(purpose, id string, plain []byte) ([]byte, error)
		opener func(purpose, id string, sealed []byte) ([]byte, error)
	)
	for name, c := range map[string]struct {
		seal sealer
		open opener
	}{
		"session": {k.SealRecord, k.OpenRecord},
		"space":   {ring.SealRecord, ring.OpenRecord},
		"works":   {works.Seal, works.Open},
	} {
		for _, plain := range []string{"", "x", "Boîte de réception"} {
			sealed, err := c.seal("folder", "ab", []byte(plain))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(sealed), len(plain)+seal.RecordOverhead; got != want {
				t.Errorf("%s: record of %d bytes, want %d", name, got, want)
			}
			if got, err := c.open("folder", "ab", sealed); err != nil || string(got) != plain {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
			mustNotOpen := func(what string, got []byte, err error) {
				t.Helper()
				if !fault.Is(err, fault.Internal) || fault.Reason(err) != "record-broken" || got != nil {
					t.Errorf("%s: %s opens: %q, %v", name, what, got, err)
				}
			}
			for _, wrong := range [][2]string{{"folder", "ac"}, {"folde", "rab"}, {"foldera", "b"}, {"", "ab"}, {"folder", ""}} {
				got, err := c.open(wrong[0], wrong[1], sealed)
				mustNotOpen("under other names", got, err)
			}
			for i := range 8 * len(sealed) {
				broken := bytes.Clone(sealed)
				broken[i/8] ^= 1 << (i % 8)
				got, err := c.open("folder", "ab", broken)
				mustNotOpen("with a flipped bit", got, err)
			}
			for n := range sealed {
				got, err := c.open("folder", "ab", sealed[:n])
				mustNotOpen("cut", got, err)
			}
			got, err := other.OpenRecord("folder", "ab", sealed)
			mustNotOpen("with another key", got, err)
		}
	}
}

// TestDomainsDoNotMeet tries what one use of a secret made in another use of it.
func TestDomainsDoNotMeet(t *testing.T) {
	t.Parallel()
	ring, err := seal.NewSpace("space", false)
	if err != nil {
		t.Fatal(err)
	}
	k := seal.NewSessionKey()
	rewrapped, err := ring.Rewrap(k, "item")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.OpenRecord("session-key", "item", rewrapped); err == nil {
		t.Error("a re-wrapped session key opens as a record of the space")
	}
	record, err := ring.SealRecord("session-key", "item", make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.UnwrapFast(record, "item"); err == nil {
		t.Error("a record of the space opens as a session key")
	}
}

func TestWrapsAreBound(t *testing.T) {
	t.Parallel()
	ring, err := seal.NewSpace("space", true)
	if err != nil {
		t.Fatal(err)
	}
	k := seal.NewSessionKey()
	wrapped, err := ring.Vault().Wrap(k, "body")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring.UnwrapVault(wrapped, "body"); err != nil || !got.Equal(k) {
		t.Fatalf("the vault's wrap gives another key (%v)", err)
	}
	if got := len(wrapped); got != 140 {
		t.Errorf("a wrap takes %d bytes, the doc says 140", got)
	}
	for what, open := range map[string]func() error{
		"another body":    func() error { _, err := ring.UnwrapVault(wrapped, "bodz"); return err },
		"the other pair":  func() error { _, err := ring.Unwrap(wrapped, "body"); return err },
		"without binding": func() error { _, err := ring.UnwrapVault(wrapped[:111], "body"); return err },
		"with more":       func() error { _, err := ring.UnwrapVault(append(bytes.Clone(wrapped), 0), "body"); return err },
	} {
		if err := open(); fault.Reason(err) != "key-wrap-broken" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range 8 * len(wrapped) {
		broken := bytes.Clone(wrapped)
		broken[i/8] ^= 1 << (i % 8)
		if _, err := ring.UnwrapVault(broken, "body"); err == nil {
			t.Errorf("a wrap opens with bit %d of byte %d flipped", i%8, i/8)
		}
	}
	plain, err := seal.NewSpace("plain", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.UnwrapVault(wrapped, "body"); !fault.Is(err, fault.NotFound) || plain.Vault() != nil {
		t.Errorf("a space without a vault: %v, %v", plain.Vault(), err)
	}
	// Two wraps of one key for one reader are different bytes.
	again, err := ring.Vault().Wrap(k, "body")
	if err != nil || bytes.Equal(again, wrapped) {
		t.Errorf("wrapping is not randomised (%v)", err)
	}
}

func TestSpaceComesBack(t *testing.T) {
	t.Parallel()
	p := platform(t)
	for _, vault := range []bool{false, true} {
		ring, err := seal.NewSpace("space", vault)
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := ring.Wrapped(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := seal.OpenSpace(p, "space", wrapped)
		if err != nil {
			t.Fatal(err)
		}
		if back.ID() != "space" || !bytes.Equal(back.Letters().Bytes(), ring.Letters().Bytes()) ||
			(back.Vault() != nil) != vault || vault && back.Vault().String() != ring.Vault().String() {
			t.Errorf("vault %v: another space came back", vault)
		}
		record, err := ring.SealRecord("folder", "id", []byte("name"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := back.OpenRecord("folder", "id", record); err != nil || string(got) != "name" {
			t.Errorf("vault %v: folder name %q, %v", vault, got, err)
		}
		if _, err := seal.OpenSpace(p, "spacf", wrapped); fault.Reason(err) != "record-broken" {
			t.Errorf("opens as another space: %v", err)
		}
		if _, err := seal.OpenSpace(platform(t), "space", wrapped); fault.Reason(err) != "record-broken" {
			t.Errorf("opens under another platform key: %v", err)
		}
	}
}

// TestOpenSpaceRefusesForeignSecrets wraps things that are no keyring.
func TestOpenSpaceRefusesForeignSecrets(t *testing.T) {
	t.Parallel()
	p := platform(t)
	long := make([]byte, 100)
	long[0] = 1
	for _, secret := range [][]byte{nil, {1}, make([]byte, 37), long, bytes.Repeat([]byte{1}, 500)} {
		wrapped, err := p.Wrap("space/s", secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seal.OpenSpace(p, "s", wrapped); !fault.Is(err, fault.Internal) {
			t.Errorf("%d bytes: %v", len(secret), err)
		}
	}
}

func TestWorksComeBack(t *testing.T) {
	t.Parallel()
	p := platform(t)
	works, wrapped, err := seal.NewWorks(p)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := works.Seal("queue", "job", []byte("to"))
	if err != nil {
		t.Fatal(err)
	}
	mac := works.MAC("box", []byte("a"), []byte("bc"))
	back, err := seal.OpenWorks(p, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := back.Open("queue", "job", sealed); err != nil || string(got) != "to" {
		t.Errorf("got %q, %v", got, err)
	}
	if !bytes.Equal(mac, back.MAC("box", []byte("a"), []byte("bc"))) || len(mac) != 32 {
		t.Error("the same data has another MAC")
	}
	for _, other := range [][]byte{
		back.MAC("box", []byte("ab"), []byte("c")), back.MAC("box", []byte("abc")), back.MAC("boxa", []byte("bc")),
		back.MAC("box", []byte("a"), []byte("bc"), nil), back.MAC("boy", []byte("a"), []byte("bc")),
	} {
		if bytes.Equal(mac, other) {
			t.Error("other data has the same MAC")
		}
	}
	if _, err := seal.OpenWorks(platform(t), wrapped); err == nil {
		t.Error("opens under another platform key")
	}
	short, err := p.Wrap("works", []byte("short"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.OpenWorks(p, short); !fault.Is(err, fault.Internal) {
		t.Errorf("a short key: %v", err)
	}
	back.Zero()
	_, e1 := back.Seal("queue", "job", nil)
	_, e2 := back.Open("queue", "job", sealed)
	if fault.Reason(e1) != "space-locked" || fault.Reason(e2) != "space-locked" {
		t.Errorf("after Zero: %v, %v", e1, e2)
	}
	defer func() {
		if recover() == nil {
			t.Error("MAC works after Zero")
		}
	}()
	back.MAC("box")
}

func TestParsePublicKeyTakesOneFormOnly(t *testing.T) {
	t.Parallel()
	ring, err := seal.NewSpace("space", false)
	if err != nil {
		t.Fatal(err)
	}
	raw := ring.Letters().Bytes()
	public, err := seal.ParsePublicKey(raw)
	if err != nil || !bytes.Equal(public.Bytes(), raw) || len(raw) != 44 {
		t.Fatalf("%d bytes come back as others (%v)", len(raw), err)
	}
	if len(public.String()) != 16 {
		t.Errorf("fingerprint %q", public)
	}
	for what, bad := range map[string][]byte{
		"empty": nil, "cut": raw[:43], "longer": append(bytes.Clone(raw), 0),
		"other packet": append([]byte{0xC6}, raw[1:]...), "v4": append(append(bytes.Clone(raw[:2]), 4), raw[3:]...),
		"Ed25519": append(append(bytes.Clone(raw[:7]), 27), raw[8:]...),
		"length":  append(append(bytes.Clone(raw[:1]), 41), raw[2:]...),
	} {
		if _, err := seal.ParsePublicKey(bad); !fault.Is(err, fault.Invalid) || fault.Reason(err) != "public-key-malformed" {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A low-order point would give a secret that everybody knows: it wraps nothing.
	zero, err := seal.ParsePublicKey(append(bytes.Clone(raw[:12]), make([]byte, 32)...))
	if err == nil {
		_, err = zero.Wrap(seal.NewSessionKey(), "body")
	}
	if err == nil {
		t.Error("a low-order point wraps a key")
	}
}
