package mailbox_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestKeywordsHaveBitsOfTheirBox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		var k mailbox.Keywords
		w.write(func(tx *store.Tx) (err error) {
			if _, err = mailbox.AddKeywords(tx, h.ring, h.ID, "Urgent", "$Forwarded"); err != nil {
				return err
			}
			k, err = mailbox.AddKeywords(tx, h.ring, h.ID, "URGENT", "Lu-par-AM")
			return err
		})
		urgent, ok := k.Bit("urgent")
		if !ok || urgent == 0 {
			t.Fatal("urgent has no bit")
		}
		forwarded, _ := k.Bit("$forwarded")
		seen, _ := k.Bit(`\SEEN`)
		got := k.Names(urgent | forwarded | seen)
		if diff := cmp.Diff([]string{`\Seen`, "$Forwarded", "Urgent"}, got); diff != "" {
			t.Errorf("names (-want +got)\n%s", diff)
		}
		w.read(func(tx *store.Tx) error {
			again, err := mailbox.ReadKeywords(tx, h.ring, h.ID)
			if diff := cmp.Diff(k.Names(k.All()), again.Names(again.All())); diff != "" {
				t.Errorf("read again\n%s", diff)
			}
			return err
		})
	})
}

func TestKeywordsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		add := func(name string) (k mailbox.Keywords, err error) {
			err = db.Write(t.Context(), func(tx *store.Tx) (err error) {
				k, err = mailbox.AddKeywords(tx, h.ring, h.ID, name)
				return err
			})
			return k, err
		}
		for _, bad := range []string{"", "a b", `\Other`, "a(b", "é", "a]"} {
			if _, err := add(bad); !fault.Is(err, fault.Invalid) || fault.Reason(err) != "keyword-malformed" {
				t.Errorf("%q: %v", bad, err)
			}
		}
		n := 0
		for ; ; n++ {
			k, err := add(fmt.Sprintf("k%d", n))
			if err != nil {
				if fault.Reason(err) != "keywords-limit" || !fault.Is(err, fault.OverQuota) {
					t.Error(err)
				}
				break
			}
			if got, want := k.Full(), n == 45; got != want {
				t.Errorf("full after %d: %v", n+1, got)
			}
			if k.All()&^mailbox.AllFlags != 0 {
				t.Fatalf("keyword %d has a bit outside the mask", n)
			}
		}
		if n != 46 {
			t.Errorf("%d keywords fit, want 46", n)
		}
		if _, err := add("K7"); err != nil {
			t.Errorf("a keyword that is there: %v", err)
		}
	})
}
