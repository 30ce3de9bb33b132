package porter_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// DESIGN section 4: a login opens the letters of its space, in that session.
func TestALoginOpensItsOwnSpaceAndNoOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		h := openAll(t, op)
		text := deliverytest.Text("bob@"+deliverytest.City, "x")
		if err := deliverytest.Send(op.Peer(deliverytest.City), "bob@"+deliverytest.City, []string{anne}, text); err != nil {
			t.Fatal(err)
		}
		letter := op.Inbox(h.anne)[0]
		op.Platform.Opened()
		s, err := op.Porter.Open(t.Context(), attempt(h.anne.Certificate.Leaf, "EXTERNAL", anne, ""))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"space/" + string(h.anne.Space)}, op.Platform.Opened()); diff != "" {
			t.Errorf("opened (-want +got)\n%s", diff)
		}
		leaves := op.Leaves("keys.release")
		if len(leaves) != 1 || !strings.Contains(leaves[0], `"object":"box:`+string(h.anne.ID)+`"`) || !strings.Contains(leaves[0], `"purpose":"imap"`) {
			t.Errorf("leaves: %s", leaves)
		}
		key, err := s.Keys().Unwrap(letter.Key, string(letter.Message.Body))
		if err != nil {
			t.Fatal(err)
		}
		key.Zero()
		if s.Box().ID != h.anne.ID {
			t.Errorf("box %s", s.Box().ID)
		}

		s.Close()
		s.Close()
		select {
		case <-s.Over():
		default:
			t.Error("a closed session is not over")
		}
		if _, err := s.Keys().Unwrap(letter.Key, string(letter.Message.Body)); reason(err) != "space-locked" {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestWithoutItsLeafNothingIsReleased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		h := openAll(t, op)
		op.Write(func(tx *store.Tx) error { _, err := tx.Exec(`DROP TABLE audit_pending`); return err })
		op.Platform.Opened()
		_, err := op.Porter.Open(t.Context(), attempt(h.anne.Certificate.Leaf, "EXTERNAL", anne, ""))
		if err == nil || len(op.Platform.Opened()) != 0 {
			t.Errorf("got %v; opened %v", err, op.Platform.Opened())
		}
		if s, err := op.Porter.Sender(t.Context(), deliverytest.Caller("c", h.anne.Certificate.Leaf), external()); err == nil {
			t.Errorf("submission without a leaf: %+v", s)
		}
	})
}

// DESIGN section 4: released keys are gone after eight hours.
func TestASessionEndsAfterEightHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys, err := seal.NewSpace("space-1", false)
		if err != nil {
			t.Fatal(err)
		}
		s := porter.NewSession(keys)
		time.Sleep(8*time.Hour - time.Second)
		synctest.Wait()
		if _, err := s.Keys().SealRecord("p", "id", nil); err != nil {
			t.Errorf("before: %v", err)
		}
		time.Sleep(2 * time.Second)
		<-s.Over()
		if _, err := s.Keys().SealRecord("p", "id", nil); reason(err) != "space-locked" {
			t.Errorf("after: %v", err)
		}
	})
}
