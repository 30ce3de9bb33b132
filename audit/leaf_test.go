package audit_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// TestLeafTakesNoContent holds that what a careless caller might put into a leaf
// does not enter: addresses, subjects, file names, an INS.
func TestLeafTakesNoContent(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	set := map[string]func(*audit.Leaf, string){
		"actor":   func(l *audit.Leaf, s string) { l.Actor = s },
		"role":    func(l *audit.Leaf, s string) { l.Role = s },
		"act":     func(l *audit.Leaf, s string) { l.Act = s },
		"object":  func(l *audit.Leaf, s string) { l.Object = s },
		"purpose": func(l *audit.Leaf, s string) { l.Purpose = s },
		"result":  func(l *audit.Leaf, s string) { l.Result = s },
		"reason":  func(l *audit.Leaf, s string) { l.Reason = s },
		"peer":    func(l *audit.Leaf, s string) { l.Peer = s },
	}
	bad := []string{
		"dr.martin@chu.mss.example", "Compte rendu opératoire", "two words", `quo"te`, `back\slash`, "line\nbreak", "\x00",
		"279035121518989", "2790351215189", "letter:279035121518989", "1850" + "52A" + "004037" + "12", strings.Repeat("a", 97),
	}
	for name, set := range set {
		for _, value := range bad {
			leaf := delivered(1)
			set(&leaf, value)
			err := db.Write(t.Context(), func(tx *store.Tx) error { return audit.Append(tx, leaf) })
			if fault.Reason(err) != "audit-leaf-malformed" {
				t.Errorf("%s %q: got %v, want audit-leaf-malformed", name, value, err)
			}
			if err != nil && strings.Contains(err.Error(), value) {
				t.Errorf("%s: the error repeats %q", name, value)
			}
		}
	}
	for _, leaf := range []audit.Leaf{
		{Act: "", Result: audit.Done},
		{Act: "x", Result: ""},
		{Act: "x", Result: "maybe"},
		{Act: "x", Result: audit.Done, Details: make([]byte, audit.MaxDetails+1)},
	} {
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return audit.Append(tx, leaf) }); !fault.Is(err, fault.Internal) {
			t.Errorf("%q %q: got %v, want internal", leaf.Act, leaf.Result, err)
		}
	}
	if n := count(t, db, `SELECT COUNT(*) FROM audit_pending`); n != 0 {
		t.Errorf("%d leaves entered", n)
	}
}

func TestLeafIsCanonicalJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 11, 21, 22, 40, 0, 123000, time.UTC)
	storetest.EachWith(t, store.Options{Clock: func() time.Time { return at }}, func(t *testing.T, db *store.DB) {
		l := newLog(t, db, audit.Options{Now: func() time.Time { return at.Add(time.Second) }})
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			return audit.Append(tx, audit.Leaf{
				Actor: "9f2c4e", Role: "professional", Act: "letter-read", Object: "letter:01kabc",
				Purpose: "care", Result: audit.Refused, Reason: "box-closed", Peer: "2001:db8:1::/48",
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.sequencer.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		var p audit.Inclusion
		err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
			p, err = audit.Prove(tx, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"at":1763764801000123,"leaf":{"act":"letter-read","actor":"9f2c4e","object":"letter:01kabc","peer":"2001:db8:1::/48",` +
			`"purpose":"care","reason":"box-closed","result":"refused","role":"professional","ts":1763764800000123,"v":1},"seq":0}`
		if got := string(p.Record); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		r, err := p.Verify(l.vkey)
		if err != nil {
			t.Fatal(err)
		}
		if r.Leaf.Purpose != "care" || !r.Time.Equal(at) || !r.At.Equal(at.Add(time.Second)) {
			t.Errorf("record read back: %+v", r)
		}
	})
}

func TestNetworkHidesTheHost(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"192.0.2.77":        "192.0.2.0/24",
		"::ffff:192.0.2.77": "192.0.2.0/24",
		"2001:db8:1:2::3":   "2001:db8:1::/48",
		"fe80::1%eth0":      "fe80::/48",
	} {
		if got := audit.Network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
	if got := audit.Network(netip.Addr{}); got != "" {
		t.Errorf("no address: got %q", got)
	}
}

// FuzzRecord: what is read as a record is read back to the same record, from the
// same bytes only.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"at":1763764801000123,"leaf":{"act":"letter-read","result":"done","ts":1763764800000123,"v":1},"seq":0}`))
	f.Add([]byte(`{"at":1,"leaf":{"act":"a","actor":"b","commit":"` + strings.Repeat("0a", 32) + `","result":"failed","ts":-1,"v":1},"seq":9}`))
	f.Add([]byte(`{"at":1,"leaf":{"act":"a","result":"done","ts":01,"v":1},"seq":9}`))
	f.Add([]byte(`{"at":1,"leaf":{"act":"a","result":"done","ts":1,"v":1,"x":2},"seq":9}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := audit.ParseRecord(b)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("not invalid: %v", err)
			}
			return
		}
		for _, s := range []string{r.Leaf.Act, r.Leaf.Actor, r.Leaf.Object, r.Leaf.Peer, r.Leaf.Reason} {
			if strings.ContainsAny(s, "@ \"\\\n") {
				t.Fatalf("content passed: %q", s)
			}
		}
		if bytes.ContainsAny(b, " \n\t") {
			t.Fatalf("white space passed: %q", b)
		}
	})
}
