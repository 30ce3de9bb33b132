package porter_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const (
	ruthLogin    = "ruth@exemple.fr"
	ruthPassword = "cheval pile agrafe correcte"
)

var home = netip.MustParseAddr("192.0.2.7")

// web is an operator with a patient who signs in on the web.
type web struct {
	*deliverytest.Operator
	t     *testing.T
	clock *deliverytest.Clock
	ruth  mailbox.Box
}

func newWeb(t *testing.T, db *store.DB) *web {
	t.Helper()
	w := &web{t: t, clock: new(deliverytest.Clock)}
	w.Operator = deliverytest.New(t, db, deliverytest.Options{Porter: porter.Options{Clock: w.clock.Now, Name: "Hôpital Nord"}})
	w.ruth = w.person(mailbox.Patient, "ruth@"+deliverytest.Patients, ruthLogin, nil)
	return w
}

// person opens a box whose holder has a login on the web.
func (w *web) person(kind mailbox.Kind, address, login string, c *certs.Pair) (box mailbox.Box) {
	w.t.Helper()
	o := lifecycle.Opening{
		Kind: kind, Address: deliverytest.Address(w.t, address), Person: account.Person{Name: login},
		WebLogin: login, WebPassword: ruthPassword,
	}
	if c != nil {
		o.Certificate = c.Leaf
	}
	if n, err := w.Registrar.Open(w.t.Context(), o); n != 1 || err != nil {
		w.t.Fatal(n, err)
	}
	w.Read(func(tx *store.Tx) (err error) {
		box, err = mailbox.Find(tx, w.Works, o.Address)
		return err
	})
	return box
}

func (w *web) signIn(login, password, code string) (*porter.WebSession, error) {
	return w.Porter.SignIn(w.t.Context(), porter.WebAttempt{
		Conn: "web-1", Remote: home, Login: login, Password: password, Code: code, Agent: "Firefox/128.0 Android",
	})
}

// in signs Ruth in, which must succeed.
func (w *web) in() *porter.WebSession {
	w.t.Helper()
	s, err := w.signIn(ruthLogin, ruthPassword, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// resume goes on with a session and says how that failed, empty if it did not.
func (w *web) resume(s *porter.WebSession) string {
	w.t.Helper()
	if _, err := w.Porter.Resume(w.t.Context(), s.Token().Reveal()); err != nil {
		return reason(err)
	}
	return ""
}

// DESIGN section 4: a login on the web opens the keys of one space, in that session.
func TestASignInOpensItsOwnSpaceUntilItIsSignedOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		w.Platform.Opened()
		s, err := w.signIn(" RUTH@exemple.fr", ruthPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"space/" + string(w.ruth.Space)}, w.Platform.Opened()); diff != "" {
			t.Errorf("opened (-want +got)\n%s", diff)
		}
		leaves := w.Leaves("keys.release")
		if len(leaves) != 1 || !strings.Contains(leaves[0], `"object":"box:`+string(w.ruth.ID)+`"`) || !strings.Contains(leaves[0], `"purpose":"web"`) {
			t.Errorf("leaves: %s", leaves)
		}
		if s.Box().ID != w.ruth.ID || s.By().Role != "patient" || s.By().Credential != "web-password" || s.By().Pseudonym == "" ||
			s.Person().Name != ruthLogin || s.By().Person != s.Person().ID || s.Keys().ID() != string(w.ruth.Space) {
			t.Errorf("session of %+v at %s", s.By(), s.Box().ID)
		}
		again, err := w.Porter.Resume(t.Context(), s.Token().Reveal())
		if err != nil || again.ID() != s.ID() || again.Keys() != s.Keys() || again.By() != s.By() || again.Token().Reveal() != "" {
			t.Errorf("resumed %+v, %v", again, err)
		}
		all, err := w.Porter.Sessions(t.Context(), s)
		if err != nil || len(all) != 1 || all[0].ID != s.ID() || all[0].Device != "Firefox, Android" {
			t.Errorf("sessions %+v, %v", all, err)
		}
		for range 2 {
			if err := w.Porter.SignOut(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
		<-s.Over()
		if got := w.resume(s); got != "session-unknown" || !locked(s.Keys()) {
			t.Errorf("after signing out: %q, locked %t", got, locked(s.Keys()))
		}
		if n := len(w.Leaves("session.end")); n != 1 {
			t.Errorf("%d leaves of the end", n)
		}
		if log := w.Log.String(); strings.Contains(log, ruthLogin) || strings.Contains(log, ruthPassword) || strings.Contains(log, s.Token().Reveal()) {
			t.Error("the log shows a login, a password or a token")
		}
	})
}

func TestWhoMayNotSignInHearsNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		closed := w.person(mailbox.Patient, "closed@"+deliverytest.Patients, "closed", nil)
		lost := w.person(mailbox.Patient, "lost@"+deliverytest.Patients, "lost", nil)
		w.person(mailbox.PER, "anne@"+deliverytest.Hospital, "anne", nil)
		w.Write(func(tx *store.Tx) error {
			if err := mailbox.SetState(tx, closed.ID, mailbox.Opposed); err != nil {
				return err
			}
			all, err := account.Holders(tx, account.BoxID(lost.ID))
			if err != nil {
				return err
			}
			return account.Withdraw(tx, account.BoxID(lost.ID), all[0].Person)
		})
		w.Platform.Opened()
		for _, c := range []struct{ login, password, reason string }{
			{"nobody", ruthPassword, "password-wrong"},
			{"", "", "password-wrong"},
			{ruthLogin, "wrong password", "password-wrong"},
			{ruthLogin, "", "password-wrong"},
			{"closed", ruthPassword, "box-closed"},
			{"lost", ruthPassword, "right-missing"},
			{"anne", ruthPassword, "certificate-missing"},
		} {
			_, err := w.signIn(c.login, c.password, "")
			if !fault.Is(err, fault.Denied) || err.Error() != "login-failed" {
				t.Errorf("%q: %v", c.login, err)
			}
			leaves := w.Leaves("login")
			if last := leaves[len(leaves)-1]; !strings.Contains(last, `"reason":"`+c.reason+`"`) || !strings.Contains(last, `"result":"refused"`) {
				t.Errorf("%q: leaf %s", c.login, last)
			}
		}
		if opened := w.Platform.Opened(); len(opened) != 0 || w.Count("web_session") != 0 {
			t.Errorf("opened %v, %d sessions", opened, w.Count("web_session"))
		}
	})
}

func TestAProfessionalSignsInWithTheCertificateToo(t *testing.T) {
	t.Parallel()
	w := newWeb(t, storetest.SQLite(t))
	own, other := w.Sandbox.Person(t, "anne"), w.Sandbox.Person(t, "autre")
	w.person(mailbox.PER, "anne@"+deliverytest.Hospital, "anne", &own)
	for name, c := range map[string]struct {
		leaf certs.Pair
		ok   bool
	}{"own": {own, true}, "another's": {other, false}} {
		a := porter.WebAttempt{Conn: "web-2", Remote: home, TLS: attempt(c.leaf.Leaf, "", "", "").TLS, Login: "anne", Password: ruthPassword}
		if _, err := w.Porter.SignIn(t.Context(), a); (err == nil) != c.ok {
			t.Errorf("%s certificate: %v", name, err)
		}
	}
}

func TestPasswordsAreNotGuessedOnTheWeb(t *testing.T) {
	t.Parallel()
	w := newWeb(t, storetest.SQLite(t))
	var wg sync.WaitGroup
	var mu sync.Mutex
	heard := map[string]int{}
	for range 40 { // at once: they cannot all slip in before the first one fails
		wg.Go(func() {
			_, err := w.signIn(ruthLogin, "wrong password", "")
			mu.Lock()
			heard[reason(err)]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if heard["login-failed"] > 10+4 || heard["too-fast"] < 20 {
		t.Errorf("heard %v", heard)
	}
	if _, err := w.signIn(ruthLogin, ruthPassword, ""); reason(err) != "too-fast" || !fault.Is(err, fault.OverQuota) {
		t.Errorf("the right one after them: %v", err)
	}
	s, err := w.Porter.SignIn(t.Context(), porter.WebAttempt{Remote: netip.MustParseAddr("198.51.100.9"), Login: ruthLogin, Password: ruthPassword})
	if err != nil || s == nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestASessionEndsByItselfAndWithItsBox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		idle, closed, lost := w.in(), w.in(), w.in()
		w.clock.Advance(29 * time.Minute)
		for _, s := range []*porter.WebSession{closed, lost} {
			if got := w.resume(s); got != "" {
				t.Errorf("after 29 minutes: %s", got)
			}
		}
		w.clock.Advance(2 * time.Minute)
		if got := w.resume(idle); got != "session-unknown" || !locked(idle.Keys()) {
			t.Errorf("idle for 31 minutes: %q, locked %t", got, locked(idle.Keys()))
		}
		w.Write(func(tx *store.Tx) error { return mailbox.SetState(tx, w.ruth.ID, mailbox.Closed) })
		if got := w.resume(closed); got != "session-unknown" || !locked(closed.Keys()) {
			t.Errorf("at a closed box: %q, locked %t", got, locked(closed.Keys()))
		}
		w.Write(func(tx *store.Tx) error {
			if err := mailbox.SetState(tx, w.ruth.ID, mailbox.Active); err != nil {
				return err
			}
			return account.Withdraw(tx, account.BoxID(w.ruth.ID), lost.Person().ID)
		})
		if got := w.resume(lost); got != "session-unknown" {
			t.Errorf("at a box that was taken away: %q", got)
		}
		if n := len(w.Leaves("session.end")); n != 2 { // the row of the last went with the right
			t.Errorf("%d leaves", n)
		}
		if n := w.Count("web_session"); n != 0 {
			t.Errorf("%d rows left", n)
		}
	})
}

// DESIGN section 4: at most eight hours, then the keys are released again with a
// leaf; the session itself lasts twelve.
func TestKeysAreReleasedAgainAfterEightHours(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		s := w.in()
		for i := range 35 {
			w.clock.Advance(20 * time.Minute) // 11 h 40 in the end
			if got := w.resume(s); got != "" {
				t.Fatalf("after %d times 20 minutes: %s", i+1, got)
			}
		}
		if n := len(w.Leaves("keys.release")); n != 2 || !locked(s.Keys()) {
			t.Errorf("%d releases; the first is locked: %t", n, locked(s.Keys()))
		}
		w.clock.Advance(25 * time.Minute)
		if got := w.resume(s); got != "session-unknown" {
			t.Errorf("after 12 h 5: %q", got)
		}
	})
}

func TestAnotherProcessReleasesTheKeysAnewAfterALeaf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		s := w.in()
		restarted := porter.New(w.Porter.Parts, porter.Options{Clock: w.clock.Now})
		w.Platform.Opened()
		again, err := restarted.Resume(t.Context(), s.Token().Reveal())
		if err != nil || again.Keys() == s.Keys() || locked(again.Keys()) {
			t.Fatalf("resumed: %v", err)
		}
		if leaves := w.Leaves("keys.release"); len(leaves) != 2 || !strings.Contains(leaves[1], `"purpose":"web.resume"`) {
			t.Errorf("leaves %s", leaves)
		}
		if n := len(w.Platform.Opened()); n != 1 {
			t.Errorf("%d spaces opened", n)
		}
		w.Write(func(tx *store.Tx) error { _, err := tx.Exec(`DROP TABLE audit_pending`); return err })
		third := porter.New(w.Porter.Parts, porter.Options{Clock: w.clock.Now})
		if _, err := third.Resume(t.Context(), s.Token().Reveal()); err == nil || len(w.Platform.Opened()) != 0 {
			t.Errorf("without a leaf: %v", err)
		}
		if _, err := w.signIn(ruthLogin, ruthPassword, ""); err == nil || len(w.Platform.Opened()) != 0 {
			t.Errorf("signed in without a leaf: %v", err)
		}
	})
}

func TestSessionsAreRevokedByTheirOwnPersonOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		w.person(mailbox.Patient, "paul@"+deliverytest.Patients, "paul", nil)
		here, there := w.in(), w.in()
		paul, err := w.signIn("paul", ruthPassword, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{here.ID(), "nonsense", ""} {
			if err := w.Porter.Revoke(t.Context(), paul, id); reason(err) != "session-unknown" || !fault.Is(err, fault.NotFound) {
				t.Errorf("paul revokes %q: %v", id, err)
			}
		}
		if err := w.Porter.Revoke(t.Context(), here, there.ID()); err != nil {
			t.Error(err)
		}
		if got := w.resume(there); got != "session-unknown" || !locked(there.Keys()) || locked(here.Keys()) || w.resume(here) != "" {
			t.Errorf("revoked: %q", got)
		}
		if all, err := w.Porter.Sessions(t.Context(), here); err != nil || len(all) != 1 {
			t.Errorf("left %+v, %v", all, err)
		}
	})
}

func TestASecondFactorIsAskedForAfterThePassword(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		s, other := w.in(), w.in()
		ctx := t.Context()
		if _, err := w.Porter.Enrol(ctx, s, home, "wrong password"); reason(err) != "password-wrong" {
			t.Errorf("enrolled with a wrong password: %v", err)
		}
		e, err := w.Porter.Enrol(ctx, s, home, ruthPassword)
		if err != nil || !strings.Contains(e.URI, "issuer=H%C3%B4pital%20Nord") {
			t.Fatal(e.URI, err)
		}
		code := func() string {
			c, err := totp.GenerateCode(e.Secret, w.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		if third := w.in(); third.Proof != "web-password" {
			t.Error("a factor that nobody confirmed is asked for")
		}
		if _, err := w.Porter.ConfirmFactor(ctx, s, "000000"); reason(err) != "code-wrong" {
			t.Errorf("confirmed with a wrong code: %v", err)
		}
		codes, err := w.Porter.ConfirmFactor(ctx, s, code())
		if err != nil || len(codes) != 10 {
			t.Fatal(len(codes), err)
		}
		if w.resume(s) != "" || w.resume(other) != "session-unknown" || !locked(other.Keys()) {
			t.Error("another session goes on, or this one does not")
		}
		if sec, err := w.Porter.Security(ctx, s); err != nil || !sec.SecondFactor || sec.RecoveryLeft != 10 || sec.Login != ruthLogin {
			t.Errorf("security %+v, %v", sec, err)
		}
		used := code() // by the confirmation
		for _, c := range []struct{ password, code, want string }{
			{"wrong password", "", "login-failed"},
			{"wrong password", used, "login-failed"},
			{ruthPassword, "", "code-required"},
			{ruthPassword, used, "login-failed"},
			{ruthPassword, codes[0] + "x", "login-failed"},
		} {
			if _, err := w.signIn(ruthLogin, c.password, c.code); reason(err) != c.want || !fault.Is(err, fault.Denied) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		w.clock.Advance(time.Minute)
		now := code()
		in, err := w.signIn(ruthLogin, ruthPassword, now)
		if err != nil || in.Proof != "web-password+totp" || in.By().Credential != "web-password+totp" {
			t.Fatal(err)
		}
		if _, err := w.signIn(ruthLogin, ruthPassword, now); reason(err) != "login-failed" {
			t.Errorf("a code twice: %v", err)
		}
		for i, want := range []string{"", "login-failed"} {
			if _, err := w.signIn(ruthLogin, ruthPassword, codes[0]); want == "" && err != nil || want != "" && reason(err) != want {
				t.Errorf("recovery code, use %d: %v", i, err)
			}
		}
		w.clock.Advance(time.Minute)
		if err := w.Porter.DropFactor(ctx, in, home, ruthPassword, "000000"); reason(err) != "code-wrong" {
			t.Errorf("off with a wrong code: %v", err)
		}
		fresh, err := w.Porter.RenewRecovery(ctx, in, home, ruthPassword, code())
		if err != nil || len(fresh) != 10 || fresh[1] == codes[1] {
			t.Errorf("renewed: %v", err)
		}
		if err := w.Porter.DropFactor(ctx, in, home, ruthPassword, codes[1]); reason(err) != "code-wrong" {
			t.Errorf("off with an old recovery code: %v", err)
		}
		if err := w.Porter.DropFactor(ctx, in, home, ruthPassword, fresh[0]); err != nil {
			t.Errorf("off: %v", err)
		}
		if _, err := w.signIn(ruthLogin, ruthPassword, ""); err != nil {
			t.Errorf("without a second factor again: %v", err)
		}
		for _, act := range []string{"factor.show", "factor.on", "factor.off", "recovery.renew"} {
			if n := len(w.Leaves(act)); n != 1 {
				t.Errorf("%d leaves of %s", n, act)
			}
		}
	})
}

func TestCodesAreNotGuessedFromManyPlaces(t *testing.T) {
	t.Parallel()
	w := newWeb(t, storetest.SQLite(t))
	s := w.in()
	e, err := w.Porter.Enrol(t.Context(), s, home, ruthPassword)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(e.Secret, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Porter.ConfirmFactor(t.Context(), s, code); err != nil {
		t.Fatal(err)
	}
	heard := map[string]int{}
	for i := range 12 {
		_, err := w.Porter.SignIn(t.Context(), porter.WebAttempt{
			Remote: netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", i)), Login: ruthLogin, Password: ruthPassword, Code: "000000",
		})
		heard[reason(err)]++
	}
	want := map[string]int{"login-failed": 10, "too-fast": 2}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnotherPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWeb(t, db)
		s, other := w.in(), w.in()
		const next = "une autre phrase de passe"
		for _, c := range []struct{ old, fresh, want string }{
			{"wrong password", next, "password-wrong"},
			{ruthPassword, "short", "password-too-short"},
			{ruthPassword, "my ruth@exemple.fr is it", "password-guessable"},
			{ruthPassword, ruthPassword, "password-guessable"},
		} {
			if err := w.Porter.ChangePassword(t.Context(), s, home, c.old, c.fresh); reason(err) != c.want {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if w.resume(other) != "" {
			t.Error("a change that did not happen ended a session")
		}
		if err := w.Porter.ChangePassword(t.Context(), s, home, ruthPassword, next); err != nil {
			t.Fatal(err)
		}
		if w.resume(s) != "" || w.resume(other) != "session-unknown" || !locked(other.Keys()) {
			t.Error("another session goes on, or this one does not")
		}
		if _, err := w.signIn(ruthLogin, ruthPassword, ""); reason(err) != "login-failed" {
			t.Errorf("the old password: %v", err)
		}
		if _, err := w.signIn(ruthLogin, next, ""); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}
