package mailbox_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestABoxIsFoundByItsAddressInAnyCase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.box("Anne.Martin@hospital.example", mailbox.PER, nil)
		upper, err := identity.ParseAddress("ANNE.MARTIN@HOSPITAL.example")
		if err != nil {
			t.Fatal(err)
		}
		var got mailbox.Box
		w.read(func(tx *store.Tx) (err error) {
			got, err = mailbox.Find(tx, w.works, upper)
			return err
		})
		if got.ID != h.ID || got.Name != "Dr_Anne_MARTIN" || got.Address.String() != "Anne.Martin@hospital.example" {
			t.Errorf("found %s, %q, %q", got.ID, got.Name, got.Address.String())
		}
		if !bytes.Equal(got.LettersKey, h.ring.Letters().Bytes()) {
			t.Error("the box has another public key than its ring")
		}
		if got.Inbox != w.folder(h, "inbox").ID {
			t.Errorf("inbox is %s", got.Inbox)
		}
	})
}

func TestAnAddressHasOneBox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.box("anne@hospital.example", mailbox.PER, nil)
		keys, err := mailbox.NewKeys(w.platform, mailbox.ORG)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := mailbox.Create(tx, w.works, mailbox.NewBox{Kind: mailbox.ORG, Address: h.Address, Keys: keys})
			return err
		})
		if !fault.Is(err, fault.Conflict) || fault.Reason(err) != "box-exists" {
			t.Errorf("a second box for one address: %v", err)
		}
	})
}

func TestAnUnknownAddressHasNoBox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		nobody, err := identity.ParseAddress("nobody@hospital.example")
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := mailbox.Find(tx, w.works, nobody)
			return err
		})
		if fault.Reason(err) != "box-unknown" || !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestKeysOpenASpaceAndAPatientHasAVault(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, kind := range []mailbox.Kind{mailbox.ORG, mailbox.Patient} {
			h := w.box(string(kind)+"@hospital.example", kind, nil)
			var wrapped, vault []byte
			w.read(func(tx *store.Tx) (err error) {
				if wrapped, err = mailbox.Keys(tx, h.Space); err != nil {
					return err
				}
				vault, err = mailbox.VaultKey(tx, h.Space)
				return err
			})
			ring, err := seal.OpenSpace(w.platform, string(h.Space), wrapped)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ring.Vault() != nil, kind == mailbox.Patient; got != want {
				t.Errorf("%s: has a vault pair: %v", kind, got)
			}
			if got, want := len(vault) > 0, kind == mailbox.Patient; got != want {
				t.Errorf("%s: public vault key of %d bytes", kind, len(vault))
			}
		}
	})
}

func TestNothingReadableIsInTheRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.box("279035121518989@patient.example", mailbox.Patient, nil)
		w.write(func(tx *store.Tx) error {
			if _, err := mailbox.CreateFolder(tx, h.ring, h.ID, "Diabetes", ""); err != nil {
				return err
			}
			_, err := mailbox.AddKeywords(tx, h.ring, h.ID, "Urgences")
			return err
		})
		for _, table := range []string{"box", "space", "folder", "keyword"} {
			// The search itself works: ids are in clear.
			if occurrences(t, db, table, string(h.ID)) == 0 && occurrences(t, db, table, string(h.Space)) == 0 {
				t.Errorf("no row of %s is the box's", table)
			}
			for _, secret := range []string{"279035121518989", "MARTIN", "Diabetes", "Urgences"} {
				if n := occurrences(t, db, table, secret); n > 0 {
					t.Errorf("%d rows of %s show %q", n, table, secret)
				}
			}
		}
	})
}

// occurrences counts the rows of a table with a text in any column.
func occurrences(t *testing.T, db *store.DB, table, secret string) int {
	t.Helper()
	n := 0
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(`SELECT * FROM ` + table)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		cells, dest := make([][]byte, len(columns)), make([]any, len(columns))
		for i := range cells {
			dest[i] = &cells[i]
		}
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			if bytes.Contains(bytes.Join(cells, nil), []byte(secret)) {
				n++
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestABoxChangesStateAndLimitsOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		boxes := w.boxes(2)
		w.write(func(tx *store.Tx) error {
			if err := mailbox.SetState(tx, boxes[1].ID, mailbox.Suspended); err != nil {
				return err
			}
			return mailbox.SetLimits(tx, boxes[1].ID, 1000, 10)
		})
		var got []mailbox.Box
		w.read(func(tx *store.Tx) error {
			return mailbox.Boxes(tx, func(b mailbox.Box) error {
				got = append(got, b)
				return nil
			})
		})
		want := []mailbox.Box{boxes[0].Box, boxes[1].Box}
		want[1].State, want[1].Quota, want[1].MaxLetters = mailbox.Suspended, 1000, 10
		for i := range want { // Boxes opens no record
			want[i].Address, want[i].Name = identity.Address{}, ""
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(identity.Address.Equal)); diff != "" {
			t.Errorf("boxes (-want +got)\n%s", diff)
		}
		for _, c := range []struct {
			act    func(tx *store.Tx) error
			reason string
		}{
			{func(tx *store.Tx) error { return mailbox.SetState(tx, "nobox", mailbox.Active) }, "box-unknown"},
			{func(tx *store.Tx) error { return mailbox.SetState(tx, boxes[0].ID, "asleep") }, "box-malformed"},
			{func(tx *store.Tx) error { return mailbox.SetLimits(tx, boxes[0].ID, 0, 1) }, "box-malformed"},
		} {
			if err := db.Write(t.Context(), c.act); fault.Reason(err) != c.reason {
				t.Errorf("got %v, want %q", err, c.reason)
			}
		}
	})
}
