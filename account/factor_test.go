package account_test

import (
	"bytes"
	"image/png"
	"net/url"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestACodeIsGoodOnceAndOneStepAround(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.webLogin("box", "ruth", goodPassword)
		if w.find("ruth").Step("000000", time.Now()) != 0 {
			t.Error("a code without a second factor")
		}
		e, err := account.NewEnrolment(w.works, w.find("ruth"), "Hôpital Nord")
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(e.URI)
		if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("issuer") != "Hôpital Nord" || u.Query().Get("secret") != e.Secret || len(e.Secret) != 32 {
			t.Errorf("uri %s, %v", e.URI, err)
		}
		picture, err := e.PNG(200)
		if err != nil {
			t.Fatal(err)
		}
		if img, err := png.Decode(bytes.NewReader(picture)); err != nil || img.Bounds().Dx() != 200 {
			t.Errorf("picture: %v", err)
		}
		w.write(func(tx *store.Tx) error { return account.ShowFactor(tx, e) })

		// RFC 6238 5.2, 6: one step each way, none twice, none before a used one.
		at := time.Date(2026, 11, 20, 10, 0, 15, 0, time.UTC)
		code := func(off time.Duration) string {
			c, err := totp.GenerateCode(e.Secret, at.Add(off))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		good := func(off time.Duration) int64 { return w.find("ruth").Step(code(off), at) }
		for off, want := range map[time.Duration]bool{
			0: true, 30 * time.Second: true, -30 * time.Second: true, time.Minute: false, -time.Minute: false,
		} {
			if got := good(off) != 0; got != want {
				t.Errorf("a code of %v: %t", off, got)
			}
		}
		for _, text := range []string{"", "000", "abcdef", code(0) + "0"} {
			if w.find("ruth").Step(text, at) != 0 {
				t.Errorf("%q is a code", text)
			}
		}
		step := good(0)
		use := func(n int64) error {
			return db.Write(t.Context(), func(tx *store.Tx) error { return account.UseStep(tx, person, n) })
		}
		if err := use(step); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int64{step, step - 1} {
			if err := use(n); reason(err) != "login-failed" {
				t.Errorf("step %d again: %v", n-step, err)
			}
		}
		if good(0) != 0 || good(-30*time.Second) != 0 || good(30*time.Second) == 0 {
			t.Error("after one was used: that and those before are good, or the next is not")
		}
	})
}

func TestASecondFactorIsSwitchedOnAndOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.webLogin("box", "ruth", goodPassword)
		set := func(on bool) error {
			return db.Write(t.Context(), func(tx *store.Tx) error { return account.SetFactor(tx, person, on) })
		}
		show := func() error {
			e, err := account.NewEnrolment(w.works, w.find("ruth"), "x")
			if err != nil {
				t.Fatal(err)
			}
			return db.Write(t.Context(), func(tx *store.Tx) error { return account.ShowFactor(tx, e) })
		}
		if err := set(true); reason(err) != "factor-unchanged" {
			t.Errorf("on before it was shown: %v", err)
		}
		if err := show(); err != nil || w.find("ruth").Factor != account.FactorShown {
			t.Errorf("shown: %v", err)
		}
		if err := show(); err != nil {
			t.Errorf("shown anew: %v", err)
		}
		if err := set(true); err != nil || w.find("ruth").Factor != account.FactorOn {
			t.Errorf("on: %v", err)
		}
		if err := show(); reason(err) != "factor-on" {
			t.Errorf("another while one is on: %v", err)
		}
		codes := account.NewRecoveryCodes(w.works, person)
		w.write(func(tx *store.Tx) error { return account.SetRecoveryCodes(tx, codes) })
		if err := set(false); err != nil || w.find("ruth").Factor != account.NoFactor || w.left(person) != 0 {
			t.Errorf("off: %v; %d codes left", err, w.left(person))
		}
		if err := set(false); reason(err) != "factor-unchanged" {
			t.Errorf("off twice: %v", err)
		}
		var n int
		w.write(func(tx *store.Tx) error { return tx.QueryRow(`SELECT length(secret) FROM web_login`).Scan(&n) })
		if n != 0 {
			t.Error("the secret is still there")
		}
	})
}

func TestARecoveryCodeIsGoodOnceForItsPerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person, other := w.webLogin("box", "ruth", goodPassword), w.webLogin("other", "paul", goodPassword)
		codes := account.NewRecoveryCodes(w.works, person)
		w.write(func(tx *store.Tx) error { return account.SetRecoveryCodes(tx, codes) })
		all := codes.Reveal()
		if len(all) != 10 || len(all[0]) != 11 || all[0] == all[1] || !account.IsRecoveryCode(all[3]) || account.IsRecoveryCode("123456") {
			t.Errorf("codes %v", len(all))
		}
		use := func(code string) error {
			return db.Write(t.Context(), func(tx *store.Tx) error { return account.UseRecoveryCode(tx, w.works, person, code) })
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error { return account.UseRecoveryCode(tx, w.works, other, all[0]) })
		if reason(err) != "login-failed" {
			t.Errorf("somebody else's: %v", err)
		}
		typed := " " + all[0][:5] + all[0][6:] // without the hyphen
		for i, want := range []string{"", "login-failed"} {
			if err := use(typed); want == "" && err != nil || want != "" && reason(err) != want {
				t.Errorf("use %d: %v", i, err)
			}
		}
		if n := w.left(person); n != 9 {
			t.Errorf("%d left", n)
		}
		again := account.NewRecoveryCodes(w.works, person)
		w.write(func(tx *store.Tx) error { return account.SetRecoveryCodes(tx, again) })
		if err := use(all[1]); reason(err) != "login-failed" || w.left(person) != 10 {
			t.Errorf("one of the old codes: %v", err)
		}
	})
}
