package account_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const goodPassword = "cheval pile agrafe correcte"

// webLogin gives the holder of a box a login on the web.
func (w *world) webLogin(box account.BoxID, name, password string) identity.PersonID {
	w.t.Helper()
	person := w.holder(box)
	hash, err := account.NewHasher().Hash(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := account.PrepareWebLogin(w.works, person, name, hash)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *store.Tx) error { return account.AddWebLogin(tx, box, l) })
	return person
}

// find reads and opens a login; nobody's is zero.
func (w *world) find(name string) (l account.WebLogin) {
	w.t.Helper()
	var row account.SealedLogin
	w.write(func(tx *store.Tx) (err error) {
		if row, err = account.FindWebLogin(tx, w.works, name); fault.Is(err, fault.NotFound) {
			row, err = account.SealedLogin{}, nil
		}
		return err
	})
	l, err := row.Open(w.works)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func TestALoginIsFoundHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.webLogin("box", "Ruth.Été@exemple.fr", goodPassword)
		h := account.NewHasher()
		for name, want := range map[string]identity.PersonID{
			"ruth.été@exemple.fr": person, " RUTH.ÉTÉ@EXEMPLE.FR ": person, "ruth.e\u0301te\u0301@exemple.fr": person,
			"ruth.ete@exemple.fr": "", "": "", "a b": "", strings.Repeat("x", 300): "",
		} {
			l := w.find(name)
			if l.Person != want {
				t.Errorf("%q is %q's", name, l.Person)
			}
			if got := h.Is(l.Hash, goodPassword); got != (want != "") {
				t.Errorf("%q with the password: %t", name, got)
			}
		}
		l := w.find("ruth.été@exemple.fr")
		if l.Box != "box" || l.Name != "Ruth.Été@exemple.fr" || l.Factor != account.NoFactor || time.Since(l.Changed) > time.Minute {
			t.Errorf("login %+v", l)
		}
		// The same person or the same name twice.
		hash, err := h.Hash(t.Context(), goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			person identity.PersonID
			name   string
		}{{person, "another"}, {"another", "RUTH.été@exemple.fr"}} {
			p, err := account.PrepareWebLogin(w.works, c.person, c.name, hash)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Write(t.Context(), func(tx *store.Tx) error { return account.AddWebLogin(tx, "box", p) })
			if reason(err) != "login-exists" {
				t.Errorf("%+v: %v", c, err)
			}
		}
		var rows string
		w.write(func(tx *store.Tx) error {
			var password, record []byte
			err := tx.QueryRow(`SELECT password, record FROM web_login`).Scan(&password, &record)
			rows = string(password) + string(record)
			return err
		})
		if strings.Contains(rows, "argon2") || strings.Contains(rows, "exemple") {
			t.Error("the row shows the hash or the login")
		}
	})
}

func TestPasswordsThatCannotBeChosen(t *testing.T) {
	t.Parallel()
	h := account.NewHasher()
	for text, want := range map[string]string{
		"": "password-too-short", "elevenchars": "password-too-short", strings.Repeat("é", 257): "password-too-long",
		"twelve\x00chars.": "password-malformed", "twelve chars": "", strings.Repeat("é", 256): "",
	} {
		if _, err := h.Hash(t.Context(), text); want == "" && err != nil || want != "" && reason(err) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	hash, err := h.Hash(t.Context(), "mot de passe très long")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"mot de passe très long": true, "mot de passe tre\u0300s long": true, "mot\u00a0de passe très long": true,
		"mot de passe tres long": false, "": false, "\x00": false, strings.Repeat("x", 5000): false,
	} {
		if got := h.Is(hash, text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	if s := fmt.Sprintf("%v %s", hash, hash); strings.Contains(s, "argon") || !strings.Contains(s, "redacted") {
		t.Errorf("a hash prints as %q", s)
	}
}

// Spec security 2.1: who tries passwords cannot tell a known login from an unknown
// one by the time, nor take all processors and memory.
func TestHashesAreComputedOnePerProcessor(t *testing.T) {
	t.Parallel()
	h := account.NewHasher()
	var now, most atomic.Int64
	var wg sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			done, err := h.Turn(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			h.Is(account.PasswordHash{}, "nobody's")
			now.Add(-1)
			done()
		})
	}
	wg.Wait()
	if got := int(most.Load()); got > runtime.GOMAXPROCS(0) {
		t.Errorf("%d at once", got)
	}
	var held []func()
	for range runtime.GOMAXPROCS(0) {
		done, err := h.Turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, done)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Turn(ctx); reason(err) != "password-check-abandoned" || !fault.Is(err, fault.Transient) {
		t.Errorf("waiting without end: %v", err)
	}
	for _, done := range held {
		done()
	}
	hash, err := h.Hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	known, _, _ := strings.Cut(hash.PHC(), "p=1$")
	unknown, _, _ := strings.Cut(h.Nobodys(), "p=1$")
	if known != unknown || known != "$argon2id$v=19$m=19456,t=2," {
		t.Errorf("a known login costs %s, an unknown one %s", known, unknown)
	}
}

func TestAChangeBetweenCheckAndUseIsSeen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.webLogin("box", "ruth", goodPassword)
		before := w.find("ruth")
		w.write(before.Unchanged)
		hash, err := account.NewHasher().Hash(t.Context(), "another good password")
		if err != nil {
			t.Fatal(err)
		}
		p, err := account.PrepareWebPassword(w.works, person, hash)
		if err != nil {
			t.Fatal(err)
		}
		w.write(func(tx *store.Tx) error { return account.ChangeWebPassword(tx, p) })
		if err := db.Read(t.Context(), before.Unchanged); reason(err) != "login-failed" {
			t.Errorf("after a new password: %v", err)
		}
		after := w.find("ruth")
		if h := account.NewHasher(); h.Is(after.Hash, goodPassword) || !h.Is(after.Hash, "another good password") {
			t.Error("the old password is good, or the new one is not")
		}
		e, err := account.NewEnrolment(w.works, after, "Operator")
		if err != nil {
			t.Fatal(err)
		}
		w.write(func(tx *store.Tx) error { return account.ShowFactor(tx, e) })
		if err := db.Read(t.Context(), after.Unchanged); reason(err) != "login-failed" {
			t.Errorf("after a second factor was shown: %v", err)
		}
		none := account.PreparedPassword{}
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return account.ChangeWebPassword(tx, none) }); reason(err) != "login-unknown" {
			t.Errorf("nobody's password: %v", err)
		}
	})
}

// A row is ours, but it never makes us panic, or work without end.
func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2i$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := account.ParsePHC(text)
		if err != nil {
			if reason(err) != "password-hash-broken" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := account.ParsePHC(p.PHC()); err != nil || again.PHC() != p.PHC() {
			t.Errorf("%q reads as %q, and that not as itself", text, p.PHC())
		}
	})
}

func TestAPasswordMadeHereIsCheckedLikeAnyOther(t *testing.T) {
	t.Parallel()
	h := account.NewHasher()
	made := account.NewSecret().Reveal()
	begin := time.Now()
	for range 200 { // a thousand spaces are opened at once: 25 ms each would be half a minute
		if _, err := h.Hash(t.Context(), made); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := h.Hash(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v for 200", time.Since(begin))
	if !h.Is(hash, made) || h.Is(hash, account.NewSecret().Reveal()) || h.Is(hash, "") {
		t.Error("not the password that it was made of")
	}
}
