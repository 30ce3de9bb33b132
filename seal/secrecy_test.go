package seal_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

// holder is something that holds keys.
type holder interface {
	Secrets() [][]byte
	Zero()
}

func holders(t *testing.T) map[string]holder {
	t.Helper()
	p := platform(t)
	ring, err := seal.NewSpace("space", true)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := ring.Wrapped(p)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := seal.OpenSpace(p, "space", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	_, stored, err := seal.NewTransit(p, "day")
	if err != nil {
		t.Fatal(err)
	}
	transit, err := seal.OpenTransit(p, "day", stored)
	if err != nil {
		t.Fatal(err)
	}
	works, _, err := seal.NewWorks(p)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]holder{
		"new space": ring, "opened space": opened, "transit": transit, "works": works,
		"session key": seal.NewSessionKey(),
	}
}

func TestZeroWipes(t *testing.T) {
	t.Parallel()
	for name, h := range holders(t) {
		secrets := h.Secrets()
		for i, s := range secrets {
			if len(s) < 32 || bytes.Equal(s, make([]byte, len(s))) {
				t.Errorf("%s: secret %d is empty before Zero", name, i)
			}
		}
		h.Zero()
		h.Zero() // twice is harmless
		for i, s := range secrets {
			if !bytes.Equal(s, make([]byte, len(s))) {
				t.Errorf("%s: secret %d survives Zero", name, i)
			}
		}
	}
}

func TestASpentSessionKeyDoesNothing(t *testing.T) {
	t.Parallel()
	ring, err := seal.NewSpace("space", false)
	if err != nil {
		t.Fatal(err)
	}
	k := seal.NewSessionKey()
	same := k
	same.Zero() // copies share the key
	for _, k := range []seal.SessionKey{k, {}} {
		_, e1 := k.SealRecord("p", "i", nil)
		_, e2 := k.OpenRecord("p", "i", make([]byte, 40))
		_, e3 := ring.Letters().Wrap(k, "body")
		_, e4 := ring.Rewrap(k, "item")
		_, e5 := seal.NewBodyReader(bytes.NewReader(nil), seal.BodySize(0), 0, k, "body")
		e6 := seal.NewBodyWriter(io.Discard, k, "body").Close()
		for i, err := range []error{e1, e2, e3, e4, e5, e6} {
			if fault.Reason(err) != "session-key-spent" {
				t.Errorf("use %d: %v", i+1, err)
			}
		}
		if k.Equal(k) {
			t.Error("a spent key equals something")
		}
		k.Zero()
	}
}

func TestKeysAreNeverShown(t *testing.T) {
	t.Parallel()
	values := map[string]any{"platform": platform(t)}
	var secrets [][]byte
	for name, h := range holders(t) {
		values[name] = h
		secrets = append(secrets, h.Secrets()...)
	}
	k := seal.FixedSessionKey([32]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	values["writer"] = seal.NewBodyWriter(io.Discard, k, "body")
	values["reader"] = openBytes(t, k, "body", sealBytes(t, k, "body", nil), 0)
	spool, err := seal.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	values["spool"] = spool
	secrets = append(secrets, k.Secrets()...)

	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b"} {
			if got := fmt.Sprintf(verb, v); got != "[redacted]" {
				t.Errorf("%s: %s prints %.60q", name, verb, got)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if n := strings.Count(log.String(), "[redacted]"); n != 2 {
			t.Errorf("%s: logged as %s", name, log.String())
		}
		for _, s := range secrets {
			if strings.Contains(log.String(), hex.EncodeToString(s[:8])) {
				t.Errorf("%s: a key is in the log", name)
			}
		}
		if out, err := json.Marshal(v); err == nil {
			t.Errorf("%s: JSON %s", name, out)
		}
		if out, err := json.Marshal(map[string]any{"in": []any{v}}); err == nil {
			t.Errorf("%s: JSON inside another value %s", name, out)
		}
		if err := gob.NewEncoder(io.Discard).Encode(v); err == nil {
			t.Errorf("%s: gob takes it", name)
		}
	}
	// As a field that fmt reaches by reflection only.
	inner := struct{ key seal.SessionKey }{k}
	if got := fmt.Sprintf("%v %+v", inner, inner); strings.Contains(got, "010203") || strings.Contains(got, "1 2 3") {
		t.Errorf("an unexported field shows its key: %s", got)
	}
}
