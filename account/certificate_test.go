package account_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func dn(t *testing.T, s string) identity.DN {
	t.Helper()
	d, err := identity.ParseDN(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestACertificateOpensTheBoxesItIsBoundTo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		anne, software := dn(t, "CN=Anne MARTIN,OU=10001,O=CHU,C=FR"), dn(t, "CN=labo,OU=10001,O=CHU,C=FR")
		person, team, machine := w.holder("box"), w.holder("team"), w.holder("app")
		bind := func(box account.BoxID, person identity.PersonID, subject identity.DN, spki []byte) (id string) {
			w.write(func(tx *store.Tx) (err error) {
				id, err = account.AddCertificate(tx, w.works, account.Certificate{Box: box, Person: person, Subject: subject, SPKI: spki})
				return err
			})
			return id
		}
		bind("box", person, anne, spkiOf("anne"))
		bind("team", team, anne, spkiOf("anne"))
		anyKey := bind("app", machine, software, nil)
		boxes := func(subject identity.DN, spki []byte) (out []account.BoxID) {
			w.write(func(tx *store.Tx) error {
				all, err := account.CertificateBoxes(tx, w.works, subject, spki)
				for _, l := range all {
					out = append(out, l.Box)
				}
				return err
			})
			return out
		}
		for _, c := range []struct {
			what    string
			subject identity.DN
			spki    []byte
			want    []account.BoxID
		}{
			{"bound by key", anne, spkiOf("anne"), []account.BoxID{"box", "team"}},
			{"written otherwise", dn(t, "C=FR, O=CHU, OU=10001, CN=anne martin"), spkiOf("anne"), []account.BoxID{"box", "team"}},
			{"another key", anne, spkiOf("other"), nil},
			{"any key of the subject", software, spkiOf("renewed"), []account.BoxID{"app"}},
			{"another subject", dn(t, "CN=labo,OU=10002,O=CHU,C=FR"), spkiOf("renewed"), nil},
			{"no subject", identity.DN{}, spkiOf("anne"), nil},
			{"no key", software, nil, nil},
		} {
			if diff := cmp.Diff(c.want, boxes(c.subject, c.spki)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", c.what, diff)
			}
		}
		// A binding by key beside one by subject is one way into the box, not two.
		bind("app", machine, software, spkiOf("now"))
		if diff := cmp.Diff([]account.BoxID{"app"}, boxes(software, spkiOf("now"))); diff != "" {
			t.Error(diff)
		}
		w.write(func(tx *store.Tx) error { return account.RevokeCertificate(tx, "app", anyKey) })
		if got := boxes(software, spkiOf("renewed")); got != nil {
			t.Errorf("unbound, but opens %v", got)
		}
		w.write(func(tx *store.Tx) error { return account.Withdraw(tx, "team", team) })
		if diff := cmp.Diff([]account.BoxID{"box"}, boxes(anne, spkiOf("anne"))); diff != "" {
			t.Errorf("no longer a holder\n%s", diff)
		}
	})
}

// Spec mssante 10: right certificate, wrong box: refused.
func TestACertificateAtTheWrongBoxFails(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		anne := dn(t, "CN=Anne MARTIN,OU=10001,O=CHU,C=FR")
		person := w.holder("box")
		w.holder("other")
		var id string
		w.write(func(tx *store.Tx) (err error) {
			id, err = account.AddCertificate(tx, w.works, account.Certificate{Box: "box", Person: person, Subject: anne, SPKI: spkiOf("anne")})
			return err
		})
		check := func(box account.BoxID, subject identity.DN) (l account.Login, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
				l, err = account.CheckCertificate(tx, w.works, box, subject, spkiOf("anne"))
				return err
			})
			return l, err
		}
		got, err := check("box", anne)
		want := account.Login{Holding: account.Holding{Box: "box", Person: person, Rights: account.Everything}, Proof: id}
		if err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
		for _, box := range []account.BoxID{"other", ""} {
			if _, err := check(box, anne); !fault.Is(err, fault.Denied) || err.Error() != "login-failed" {
				t.Errorf("box %q: %v", box, err)
			}
		}
		if _, err := check("", identity.DN{}); err == nil || err.Error() != "login-failed" {
			t.Errorf("nobody at no box: %v", err)
		}
	})
}

func TestCertificatesAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		subject := dn(t, "CN=Anne MARTIN,OU=10001,O=CHU,C=FR")
		person := w.holder("box")
		in := account.Certificate{Box: "box", Person: person, Subject: subject, SPKI: spkiOf("anne")}
		w.write(func(tx *store.Tx) (err error) {
			if in.ID, err = account.AddCertificate(tx, w.works, in); err != nil {
				return err
			}
			if err := account.Used(tx, "box", in.ID); err != nil {
				return err
			}
			all, err := account.Certificates(tx, w.works, "box")
			if err != nil {
				return err
			}
			if len(all) != 1 || !all[0].Subject.Equal(subject) || string(all[0].SPKI) != string(in.SPKI) ||
				all[0].Person != person || all[0].LastUsed.IsZero() {
				t.Errorf("listed %+v", all)
			}
			in.ID = ""
			return nil
		})
		for _, c := range []struct {
			change func(*account.Certificate)
			reason string
		}{
			{func(*account.Certificate) {}, "certificate-exists"},
			{func(c *account.Certificate) { c.Box = "" }, "certificate-malformed"},
			{func(c *account.Certificate) { c.Subject = identity.DN{} }, "certificate-malformed"},
			{func(c *account.Certificate) { c.SPKI = []byte("short") }, "certificate-malformed"},
		} {
			bad := in
			c.change(&bad)
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := account.AddCertificate(tx, w.works, bad)
				return err
			})
			if got := reason(err); got != c.reason {
				t.Errorf("%q, want %q", got, c.reason)
			}
		}
	})
}
