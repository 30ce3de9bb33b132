package account_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const ruth = "279035121518989"

func TestAPatientIsFoundByTheINS(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		add := func(p account.Person) (id identity.PersonID) {
			p.Kind = account.Patient
			w.write(func(tx *store.Tx) (err error) {
				id, err = account.AddPerson(tx, w.works, p)
				return err
			})
			return id
		}
		mother := add(account.Person{Name: "Ruth", INS: ruth, INSOID: identity.INSTest})
		alone := add(account.Person{Name: "No box", INS: "1", INSOID: identity.INSTest})
		child := w.holder("child")
		for _, h := range []account.Holding{
			{Box: "ruth", Person: mother, Rights: account.Everything},
			// What she was entrusted with later is not her own, though it sorts before.
			{Box: "child", Person: mother, Rights: account.Everything},
			{Box: "lent", Person: alone, Rights: account.Read},
		} {
			w.write(func(tx *store.Tx) error { return account.Grant(tx, h) })
		}
		find := func(oid, matricule string) (box account.BoxID, p account.Person, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
				box, p, err = account.FindByINS(tx, w.works, oid, matricule)
				return err
			})
			return box, p, err
		}
		for _, c := range []struct{ oid, matricule string }{
			{identity.INSTest, ruth}, {" " + identity.INSTest, ruth + " "},
		} {
			if box, p, err := find(c.oid, c.matricule); err != nil || box != "ruth" || p.ID != mother || p.Name != "Ruth" {
				t.Errorf("%+v: box %s of %s, %v", c, box, p.ID, err)
			}
		}
		for _, c := range []struct{ oid, matricule string }{
			{identity.INSNIR, ruth}, {identity.INSTest, "279035121518980"}, {"", ""}, {identity.INSTest, "1"},
		} {
			if box, _, err := find(c.oid, c.matricule); reason(err) != "person-unknown" {
				t.Errorf("%+v: box %s, %v", c, box, err)
			}
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := account.AddPerson(tx, w.works, account.Person{Kind: account.Patient, INS: ruth, INSOID: identity.INSTest})
			return err
		})
		if !fault.Is(err, fault.Conflict) || reason(err) != "ins-exists" {
			t.Errorf("a second person of one identity: %v", err)
		}
		w.write(func(tx *store.Tx) error {
			twin, err := account.AddPerson(tx, w.works, account.Person{Kind: account.Patient, INS: ruth, INSOID: identity.INSTest, Fictitious: true})
			if err != nil {
				return err
			}
			if box, err := account.OwnBox(tx, twin); reason(err) != "box-unknown" {
				t.Errorf("a fictitious twin without a box: %q, %v", box, err)
			}
			_, first, err := account.FindByINS(tx, w.works, identity.INSTest, ruth)
			if err == nil && first.ID == twin {
				t.Error("the twin is found by the other's INS")
			}
			return err
		})
		w.write(func(tx *store.Tx) error {
			for person, want := range map[identity.PersonID]account.Rights{mother: account.Everything, child: account.Everything, alone: 0, "": 0} {
				if got, err := account.RightsOn(tx, "child", person); got != want || err != nil {
					t.Errorf("rights of %q: %d, %v", person, got, err)
				}
			}
			return nil
		})
	})
}
