package account_test

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// world is an operator with its key.
type world struct {
	t     testing.TB
	db    *store.DB
	works *seal.Works
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	p, err := seal.KeyFile(filepath.Join(t.TempDir(), "platform.key"))
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := seal.NewWorks(p)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, db, w}
}

func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// holder makes a person who holds a box.
func (w *world) holder(box account.BoxID) (id identity.PersonID) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		if id, err = account.AddPerson(tx, w.works, account.Person{Kind: account.Patient, Name: "Anne Martin"}); err != nil {
			return err
		}
		return account.Grant(tx, account.Holding{Box: box, Person: id, Rights: account.Everything})
	})
	return id
}

// password gives a holder an app password for IMAP and SMTP.
func (w *world) password(box account.BoxID, person identity.PersonID) (account.Secret, string) {
	w.t.Helper()
	s := account.NewSecret()
	var id string
	w.write(func(tx *store.Tx) (err error) {
		id, err = account.AddPassword(tx, w.works, account.Password{
			Box: box, Person: person, Name: "Thunderbird", Scopes: account.IMAP | account.SMTP,
		}, s)
		return err
	})
	return s, id
}

// login tries a password.
func (w *world) login(box account.BoxID, text string, want account.Scope) (l account.Login, err error) {
	err = w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		l, err = account.CheckPassword(tx, w.works, box, text, want)
		return err
	})
	return l, err
}

func TestAPasswordOpensItsBoxHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.holder("box")
		s, id := w.password("box", person)
		want := account.Login{Holding: account.Holding{Box: "box", Person: person, Rights: account.Everything}, Proof: id}
		for _, text := range []string{
			s.Reveal(), strings.ToUpper(s.Reveal()), strings.ReplaceAll(s.Reveal(), "-", ""),
			strings.ReplaceAll(s.Reveal(), "-", " "), " " + s.Reveal() + " ",
		} {
			got, err := w.login("box", text, account.IMAP)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
	})
}

// No enumeration: every failure is the same fault with the same text.
func TestEveryFailureLooksTheSame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.holder("box")
		other := w.holder("other")
		s, _ := w.password("box", person)
		theirs, _ := w.password("other", other)
		revoked, id := w.password("box", person)
		leaver := w.holder("box")
		left, _ := w.password("box", leaver)
		w.write(func(tx *store.Tx) error {
			if err := account.RevokePassword(tx, "box", id); err != nil {
				return err
			}
			return account.Withdraw(tx, "box", leaver)
		})
		for _, c := range []struct {
			what string
			box  account.BoxID
			text string
			want account.Scope
		}{
			{"unknown box", "", s.Reveal(), account.IMAP},
			{"another box", "other", s.Reveal(), account.IMAP},
			{"wrong password", "box", account.NewSecret().Reveal(), account.IMAP},
			{"the password of another box", "box", theirs.Reveal(), account.IMAP},
			{"revoked", "box", revoked.Reveal(), account.IMAP},
			{"no longer a holder", "box", left.Reveal(), account.IMAP},
			{"another door", "box", s.Reveal(), account.Web},
			{"one door too many", "box", s.Reveal(), account.IMAP | account.Web},
			{"no door", "box", s.Reveal(), 0},
			{"empty", "box", "", account.IMAP},
			{"cut", "box", s.Reveal()[:33], account.IMAP},
			{"more", "box", s.Reveal() + "a", account.IMAP},
			{"huge", "box", strings.Repeat("a", 1<<16), account.IMAP},
			{"not ours", "box", "p\x00ssword", account.IMAP},
		} {
			l, err := w.login(c.box, c.text, c.want)
			if !fault.Is(err, fault.Denied) || err.Error() != "login-failed" || l != (account.Login{}) {
				t.Errorf("%s: %+v, %v", c.what, l, err)
			}
		}
		if _, err := w.login("box", s.Reveal(), account.SMTP); err != nil {
			t.Errorf("the right one: %v", err)
		}
	})
}

// The work for a box that does not exist is that for a wrong password (security
// spec, AUTH: n=200, median gap at most 5 ms).
func TestAnUnknownBoxTakesAsLongAsAWrongPassword(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.password("box", w.holder("box"))
		wrong := account.NewSecret().Reveal()
		var took [2][]time.Duration
		for range 200 {
			for i, box := range []account.BoxID{"box", ""} {
				start := time.Now()
				if _, err := w.login(box, wrong, account.IMAP); !fault.Is(err, fault.Denied) {
					t.Fatal(err)
				}
				took[i] = append(took[i], time.Since(start))
			}
		}
		for i := range took {
			slices.Sort(took[i])
		}
		if gap := (took[0][100] - took[1][100]).Abs(); gap > 5*time.Millisecond {
			t.Errorf("medians %v and %v", took[0][100], took[1][100])
		}
	})
}

func TestPasswordsAreListedUsedAndRevoked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	storetest.EachWith(t, store.Options{Clock: func() time.Time { return now }}, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		person := w.holder("box")
		s, id := w.password("box", person)
		w.write(func(tx *store.Tx) error { return account.Used(tx, "box", id) })
		var got []account.Password
		w.write(func(tx *store.Tx) (err error) {
			got, err = account.Passwords(tx, w.works, "box")
			return err
		})
		midnight := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
		want := []account.Password{{
			ID: id, Box: "box", Person: person, Name: "Thunderbird",
			Scopes: account.IMAP | account.SMTP, Created: now, LastUsed: midnight,
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if l, err := w.login("box", s.Reveal(), account.IMAP); err != nil || !l.LastUsed.Equal(midnight) {
			t.Errorf("last used %v, %v", l.LastUsed, err)
		}
		for i, want := range []string{"", "password-unknown"} {
			err := db.Write(t.Context(), func(tx *store.Tx) error { return account.RevokePassword(tx, "box", id) })
			if got := reason(err); got != want {
				t.Errorf("revoked %d times: %q", i+1, got)
			}
		}
	})
}

// reason is the reason id of an error, empty for none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Reason(err)
}

func TestASecretNeverPrintsItself(t *testing.T) {
	t.Parallel()
	s := account.NewSecret()
	if len(s.Reveal()) != 34 || s.Reveal() == account.NewSecret().Reveal() {
		t.Errorf("a password of %d characters", len(s.Reveal()))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if got := s.LogValue().String(); got != "[redacted]" {
		t.Errorf("logged as %q", got)
	}
}

func TestPasswordsThatCannotBe(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		s := account.NewSecret()
		for _, c := range []struct {
			what   string
			p      account.Password
			s      account.Secret
			reason string
		}{
			{"fine", account.Password{Box: "box", Scopes: account.IMAP}, s, ""},
			{"again", account.Password{Box: "box", Scopes: account.IMAP}, s, "password-exists"},
			{"no scope", account.Password{Box: "box"}, s, "password-malformed"},
			{"unknown scope", account.Password{Box: "box", Scopes: 8}, s, "password-malformed"},
			{"no box", account.Password{Scopes: account.IMAP}, s, "password-malformed"},
			{"no secret", account.Password{Box: "box", Scopes: account.IMAP}, account.Secret{}, "password-malformed"},
		} {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := account.AddPassword(tx, w.works, c.p, c.s)
				return err
			})
			if got := reason(err); got != c.reason {
				t.Errorf("%s: %q, want %q", c.what, got, c.reason)
			}
		}
	})
}

// spkiOf is a digest like that of a public key.
func spkiOf(name string) []byte {
	d := sha256.Sum256([]byte(name))
	return d[:]
}
