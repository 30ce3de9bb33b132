package porter_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestWhoFailsTooOftenIsNotListenedTo(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := openAll(t, op)
	right := attempt(nil, "PLAIN", marie, h.marie.Password.Reveal())
	for range 30 { // success costs nothing
		s, err := op.Porter.Open(t.Context(), right)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	wrong := attempt(nil, "PLAIN", marie, "x")
	failures := 0
	for ; failures < 40; failures++ {
		wrong.Login = marie
		if failures%2 == 1 {
			wrong.Login = strings.ToUpper(marie) // another spelling is no other box
		}
		_, err := op.Porter.Open(t.Context(), wrong)
		if fault.Is(err, fault.OverQuota) && reason(err) == "too-fast" {
			break
		}
		if reason(err) != "login-failed" {
			t.Fatalf("failure %d: %v", failures, err)
		}
	}
	if failures < 5 || failures > 20 {
		t.Errorf("%d failures before somebody stops listening", failures)
	}
	if _, err := op.Porter.Open(t.Context(), right); reason(err) != "too-fast" {
		t.Errorf("even the right password is not looked at: %v", err)
	}
	leaves := op.Leaves("login")
	if len(leaves) != failures+2 || !strings.Contains(leaves[len(leaves)-1], `"reason":"too-fast"`) {
		t.Errorf("%d leaves for %d failures", len(leaves), failures)
	}

	// Neither the holder elsewhere nor others in the same place pay for it.
	elsewhere := right
	elsewhere.Remote = netip.MustParseAddr("198.51.100.1")
	if s, err := op.Porter.Open(t.Context(), elsewhere); err != nil {
		t.Errorf("from another network: %v", err)
	} else {
		s.Close()
	}
	if s, err := op.Porter.Open(t.Context(), attempt(h.anne.Certificate.Leaf, "EXTERNAL", "", "")); err != nil {
		t.Errorf("another box from the same network: %v", err)
	} else {
		s.Close()
	}
}

func TestANetworkThatTriesEverybodyIsNotListenedTo(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	h := openAll(t, op)
	place := netip.MustParsePrefix("2001:db8:1:2::/64").Addr()
	tried := 0
	for ; tried < 400; tried++ {
		a := attempt(nil, "PLAIN", strings.Repeat("x", tried%60+1)+string(rune('a'+tried/60))+"@"+deliverytest.Patients, "x")
		place = place.Next()
		a.Remote = place
		if _, err := op.Porter.Open(t.Context(), a); reason(err) == "too-fast" {
			break
		}
	}
	if tried < 100 || tried > 300 {
		t.Errorf("%d boxes were tried", tried)
	}
	a := attempt(nil, "PLAIN", marie, h.marie.Password.Reveal())
	a.Remote = place.Next()
	if _, err := op.Porter.Open(t.Context(), a); reason(err) != "too-fast" {
		t.Errorf("from the same /64: %v", err)
	}
}

// An unknown box is answered in the same words as a wrong password, after the same
// statements.
func TestAnUnknownBoxLooksLikeAWrongPassword(t *testing.T) {
	t.Parallel()
	counter := deliverytest.CountStatements(t, storetest.PostgresDSN(t))
	op := deliverytest.New(t, storetest.Open(t, counter.DSN, store.Options{}), deliverytest.Options{})
	h := openAll(t, op)
	var texts []string
	var counts []int64
	for _, login := range []string{marie, "personne@" + deliverytest.Patients, robot, h.closed.Address.String()} {
		before := counter.Count()
		_, err := op.Porter.Open(t.Context(), attempt(nil, "PLAIN", login, h.anne.Password.Reveal()))
		counts = append(counts, counter.Count()-before)
		texts = append(texts, err.Error())
	}
	for i := range texts {
		if texts[i] != texts[0] || counts[i] != counts[0] {
			t.Errorf("answers %q after %v statements", texts, counts)
			break
		}
	}
}
