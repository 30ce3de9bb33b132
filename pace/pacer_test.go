package pace_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/pace"
)

func TestBucketEmptiesAndFillsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Rate{Every: time.Second, Burst: 3}, 10)
		for range 3 {
			if err := p.Allow("a"); err != nil {
				t.Fatalf("within the burst: %v", err)
			}
		}
		if err := p.Allow("a"); !fault.Is(err, fault.OverQuota) {
			t.Fatalf("over the burst: got %v, want over quota", err)
		}
		if !p.Empty("a") {
			t.Error("an emptied bucket does not say so")
		}
		if err := p.Allow("b"); err != nil {
			t.Errorf("another key pays for the first one: %v", err)
		}
		time.Sleep(time.Second)
		if err := p.Allow("a"); err != nil {
			t.Errorf("after one interval: %v", err)
		}
	})
}

func TestTableIsBounded(t *testing.T) {
	t.Parallel()
	p := pace.New(pace.Rate{Every: time.Hour, Burst: 1}, 100)
	for i := range 10_000 {
		if err := p.Allow(fmt.Sprint(i)); err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	if err := p.Allow("9999"); err == nil {
		t.Error("the newest key was forgotten although the table had room for it")
	}
}
