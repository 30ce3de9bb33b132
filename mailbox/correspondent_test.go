package mailbox_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// Spec mssante 7.4 to 7.6: a patient answers who wrote, until they close.
func TestAPatientMayAnswerWhoWroteAndDidNotClose(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.box("patient@patient.example", mailbox.Patient, nil)
		other := w.box("other@patient.example", mailbox.Patient, nil)
		dr, err := identity.ParseAddress("Dr.Martin@hospital.example")
		if err != nil {
			t.Fatal(err)
		}
		write := func(open bool, name string) {
			c, err := mailbox.NewCorrespondent(w.works, h.ID, dr, name, open)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := letterFor(h.ID, 100)
			d.Correspondent = c
			w.write(func(tx *store.Tx) error {
				_, err := mailbox.Deliver(tx, d)
				return err
			})
		}
		may := func(box mailbox.BoxID) string {
			err := db.Read(t.Context(), func(tx *store.Tx) error { return mailbox.MayAnswer(tx, w.works, box, dr) })
			if err == nil {
				return "yes"
			}
			if !fault.Is(err, fault.Denied) {
				t.Errorf("not denied: %v", err)
			}
			return fault.Reason(err)
		}
		if got := may(h.ID); got != "correspondent-unknown" {
			t.Errorf("before any letter: %s", got)
		}
		write(true, "Dr Martin")
		if got := may(h.ID); got != "yes" {
			t.Errorf("after a letter: %s", got)
		}
		if got := may(other.ID); got != "correspondent-unknown" {
			t.Errorf("another patient: %s", got)
		}
		write(false, "Dr A. Martin")
		if got := may(h.ID); got != "correspondent-closed" {
			t.Errorf("after the end: %s", got)
		}
		write(true, "Dr Anne Martin")
		if got := may(h.ID); got != "yes" {
			t.Errorf("after a new letter: %s", got)
		}
		write(true, "") // a letter without a name leaves the known one
		w.aliases(h, other, dr)
	})
}

// aliases checks that an alias leads to its correspondent in its box only.
func (w *world) aliases(h, other holder, dr identity.Address) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		all, err := mailbox.Correspondents(tx, w.works, h.ID)
		if err != nil {
			return err
		}
		if len(all) != 1 || all[0].Name != "Dr Anne Martin" || !all[0].Address.Equal(dr) || !all[0].Open || all[0].Last.IsZero() {
			w.t.Fatalf("correspondents: %d, %q", len(all), all[0].Name)
		}
		alias := all[0].Alias()
		if _, err := identity.ParseAddress(alias + "@patient.example"); err != nil {
			w.t.Errorf("alias %q is no local part", alias)
		}
		c, err := mailbox.CorrespondentByAlias(tx, w.works, h.ID, alias)
		if err != nil || !c.Address.Equal(dr) {
			w.t.Errorf("by alias: %v", err)
		}
		for _, bad := range []string{"", "x", alias + "a", alias[1:]} {
			if _, err := mailbox.CorrespondentByAlias(tx, w.works, h.ID, bad); !fault.Is(err, fault.NotFound) {
				w.t.Errorf("alias %q: %v", bad, err)
			}
		}
		if _, err := mailbox.CorrespondentByAlias(tx, w.works, other.ID, alias); !fault.Is(err, fault.NotFound) {
			w.t.Errorf("alias in another box: %v", err)
		}
		return nil
	})
}
