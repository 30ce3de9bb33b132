package account_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestAPersonIsReadAsKeptAndUnreadableInTheRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		p := account.Person{
			Kind: account.Patient, Name: "Ruth Isabelle", Family: "PATDEUX", Given: "RUTH",
			BirthDate: "1979-03-12", Sex: "F", INS: "279035121518989", INSOID: "1.2.250.1.213.1.4.10",
		}
		w.write(func(tx *store.Tx) (err error) {
			p.ID, err = account.AddPerson(tx, w.works, p)
			return err
		})
		var got account.Person
		var record []byte
		w.write(func(tx *store.Tx) (err error) {
			if got, err = account.ByID(tx, w.works, p.ID); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT record FROM person WHERE person_id = $1`, string(p.ID)).Scan(&record)
		})
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if len(record) == 0 || bytes.Contains(record, []byte("PATDEUX")) || bytes.Contains(record, []byte(p.INS)) {
			t.Error("the row shows who it is")
		}
	})
}

func TestPeopleThatCannotBe(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		id := w.holder("box")
		for _, c := range []struct {
			what   string
			act    func(tx *store.Tx) error
			kind   fault.Kind
			reason string
		}{
			{"no kind", func(tx *store.Tx) error {
				_, err := account.AddPerson(tx, w.works, account.Person{})
				return err
			}, fault.Invalid, "person-malformed"},
			{"twice", func(tx *store.Tx) error {
				_, err := account.AddPerson(tx, w.works, account.Person{ID: id, Kind: account.Operator})
				return err
			}, fault.Conflict, "person-exists"},
			{"unknown", func(tx *store.Tx) error {
				_, err := account.ByID(tx, w.works, "nobody")
				return err
			}, fault.NotFound, "person-unknown"},
			{"rights of nobody", func(tx *store.Tx) error {
				return account.Grant(tx, account.Holding{Box: "box", Person: "nobody", Rights: account.Read})
			}, fault.NotFound, "person-unknown"},
			{"no rights", func(tx *store.Tx) error {
				return account.Grant(tx, account.Holding{Box: "box", Person: id})
			}, fault.Invalid, "rights-malformed"},
		} {
			if err := db.Write(t.Context(), c.act); !fault.Is(err, c.kind) || fault.Reason(err) != c.reason {
				t.Errorf("%s: %v", c.what, err)
			}
		}
	})
}

func TestRightsAreOfOnePersonOnOneBox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		anne, paul := w.holder("team"), w.holder("paul")
		want := []account.Holding{
			{Box: "team", Person: anne, Rights: account.Everything},
			{Box: "team", Person: paul, Rights: account.Read},
		}
		w.write(func(tx *store.Tx) error {
			for _, rights := range []account.Rights{account.Own, account.Read} {
				if err := account.Grant(tx, account.Holding{Box: "team", Person: paul, Rights: rights}); err != nil {
					return err
				}
			}
			got, err := account.Holders(tx, "team")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("holders (-want +got)\n%s", diff)
			}
			return err
		})
		w.write(func(tx *store.Tx) error {
			got, err := account.HeldBy(tx, paul)
			want := []account.Holding{{Box: "paul", Person: paul, Rights: account.Everything}, want[1]}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("held by (-want +got)\n%s", diff)
			}
			return err
		})
		if account.Read.May(account.Send) || !account.Everything.May(account.Read|account.Send) || account.Read.May(account.Everything) {
			t.Error("rights do not add up")
		}
	})
}

func TestAPseudonymIsStableAndOfOneOperator(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t, nil), newWorld(t, nil)
	p := account.Pseudonym(a.works, "person")
	if len(p) != 32 || p != account.Pseudonym(a.works, "person") || p == account.Pseudonym(a.works, "other") || p == account.Pseudonym(b.works, "person") {
		t.Errorf("pseudonym %q", p)
	}
}
