package identity_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

func TestIDsSortInTheOrderTheyWereMade(t *testing.T) {
	t.Parallel()
	ids := make([]string, 20_000)
	for i := range ids {
		ids[i] = identity.NewID()
		if len(ids[i]) != 26 || strings.Trim(ids[i], "0123456789abcdefghjkmnpqrstvwxyz") != "" {
			t.Fatalf("%q is no id", ids[i])
		}
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 20_000 {
		t.Error("ids repeat or go back")
	}
}

// TestIDsSortWhenTheClockStepsBack: inside the bubble the year is 2000.
func TestIDsSortWhenTheClockStepsBack(t *testing.T) {
	before := identity.NewID()
	synctest.Test(t, func(t *testing.T) {
		if time.Now().Year() != 2000 {
			t.Fatal("the clock did not step back")
		}
		if id := identity.NewID(); id <= before {
			t.Errorf("%s after %s", id, before)
		}
	})
	time.Sleep(2 * time.Millisecond)
	a, b := identity.NewID(), identity.NewID()
	if a <= before || b <= a {
		t.Error("ids go back after the clock came forward")
	}
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				id := identity.NewID()
				mu.Lock()
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(seen) != 8000 {
		t.Errorf("%d ids of 8000", len(seen))
	}
}
