package bustest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vaguemestre/vaguemestre/bus"
)

const (
	// patience is how long a poke may take.
	patience = 5 * time.Second
	// quiet is how long no poke must come.
	quiet = 20 * time.Millisecond
)

// Run holds a bus to the contract. Each call of open returns a new bus, which the
// suite closes. It is not parallel: it counts goroutines.
func Run(t *testing.T, open func(t *testing.T) bus.Bus) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, bus.Bus){
		"a poke reaches its subscribers":         reaches,
		"other topics do not poke":               otherTopics,
		"pokes are coalesced":                    coalesced,
		"one publication pokes once":             onePoke,
		"a publisher never waits":                neverWaits,
		"the last change is never missed":        lastChange,
		"a closed subscription is quiet":         closedSubscription,
		"unsubscribing while publishing":         unsubscribeWhilePublishing,
		"many topics":                            manyTopics,
		"a closed bus is quiet and never blocks": closedBus,
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			b := open(t)
			test(t, b)
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if err := b.Close(); err != nil {
				t.Errorf("closing twice: %v", err)
			}
			goleak.VerifyNone(t, before)
		})
	}
}

// mustPoke waits for a poke.
func mustPoke(t *testing.T, s bus.Subscription) {
	t.Helper()
	select {
	case _, open := <-s.C():
		if !open {
			t.Fatal("the channel is closed: that looks like a poke")
		}
	case <-time.After(patience):
		t.Fatal("no poke came")
	}
}

// mustBeQuiet wants no poke, and no closed channel.
func mustBeQuiet(t *testing.T, s bus.Subscription) {
	t.Helper()
	select {
	case _, open := <-s.C():
		t.Errorf("a poke came (channel open: %v)", open)
	case <-time.After(quiet):
	}
}

func reaches(t *testing.T, b bus.Bus) {
	one, both, other := b.Subscribe("folder:1"), b.Subscribe("folder:1", "box:9"), b.Subscribe("folder:1")
	defer other.Close()
	defer both.Close()
	defer one.Close()
	b.Publish("folder:1")
	mustPoke(t, one)
	mustPoke(t, both)
	mustPoke(t, other)
	b.Publish("box:9")
	mustPoke(t, both)
	mustBeQuiet(t, one)
}

func otherTopics(t *testing.T, b bus.Bus) {
	s, none := b.Subscribe("folder:1"), b.Subscribe()
	defer none.Close()
	defer s.Close()
	b.Publish("folder:2", "folder:", "folder:11", "", "FOLDER:1")
	b.Publish()
	mustBeQuiet(t, s)
	mustBeQuiet(t, none)
}

func coalesced(t *testing.T, b bus.Bus) {
	s := b.Subscribe("folder:1")
	defer s.Close()
	if got := cap(s.C()); got != 1 {
		t.Errorf("capacity %d, want 1", got)
	}
	for range 1000 {
		b.Publish("folder:1")
	}
	mustPoke(t, s)
	// A late bus may still be handing over; a bounded number of pokes is coalesced.
	pokes := 0
	for done := false; !done; {
		select {
		case <-s.C():
			pokes++
		case <-time.After(quiet):
			done = true
		}
	}
	if pokes >= 999 {
		t.Errorf("%d pokes for 1000 publications", pokes+1)
	}
}

func onePoke(t *testing.T, b bus.Bus) {
	s := b.Subscribe("folder:1", "folder:2", "folder:1")
	defer s.Close()
	b.Publish("folder:1", "folder:2", "folder:1")
	mustPoke(t, s)
	mustBeQuiet(t, s)
}

func neverWaits(t *testing.T, b bus.Bus) {
	for range 10 { // subscribers that never look
		defer b.Subscribe("folder:1").Close()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10_000 {
			b.Publish("folder:1")
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("a publisher waits for its subscribers")
	}
}

// lastChange is the promise that IDLE stands on: who reads the state after each poke
// ends with the last one.
func lastChange(t *testing.T, b bus.Bus) {
	s := b.Subscribe("folder:1")
	defer s.Close()
	var (
		mu    sync.Mutex
		state int
	)
	const last = 5000
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1; i <= last; i++ {
			mu.Lock()
			state = i
			mu.Unlock()
			b.Publish("folder:1")
		}
	})
	deadline := time.After(patience)
	for seen := 0; seen < last; {
		select {
		case <-s.C():
			mu.Lock()
			seen = state
			mu.Unlock()
		case <-deadline:
			t.Fatalf("stuck at state %d of %d", seen, last)
		}
	}
	wg.Wait()
}

func closedSubscription(t *testing.T, b bus.Bus) {
	s, other := b.Subscribe("folder:1"), b.Subscribe("folder:1")
	defer other.Close()
	s.Close()
	s.Close()
	b.Publish("folder:1")
	mustPoke(t, other)
	mustBeQuiet(t, s)
}

func unsubscribeWhilePublishing(t *testing.T, b bus.Bus) {
	stop := make(chan struct{})
	var publishers, sessions sync.WaitGroup
	for range 2 {
		publishers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.Publish("folder:1", "folder:2")
				}
			}
		})
	}
	for range 4 {
		sessions.Go(func() {
			for range 50 {
				s := b.Subscribe("folder:1", "folder:2")
				mustPokeSoon(t, s)
				s.Close()
			}
		})
	}
	sessions.Wait()
	close(stop)
	publishers.Wait()
}

// mustPokeSoon is mustPoke for goroutines of a test.
func mustPokeSoon(t *testing.T, s bus.Subscription) {
	t.Helper()
	select {
	case <-s.C():
	case <-time.After(patience):
		t.Error("no poke came")
	}
}

func manyTopics(t *testing.T, b bus.Bus) {
	const topics = 2000
	subs := make([]bus.Subscription, topics)
	for i := range subs {
		subs[i] = b.Subscribe(fmt.Sprintf("folder:%d", i), "all")
	}
	for i := 0; i < topics; i += 2 {
		b.Publish(fmt.Sprintf("folder:%d", i))
	}
	for i := 0; i < topics; i += 2 {
		mustPoke(t, subs[i])
	}
	for i := 1; i < topics; i += 2 {
		if len(subs[i].C()) != 0 {
			t.Errorf("topic %d was poked", i)
		}
	}
	b.Publish("all")
	for _, s := range subs {
		mustPoke(t, s)
		s.Close()
	}
}

func closedBus(t *testing.T, b bus.Bus) {
	s := b.Subscribe("folder:1")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.Publish("folder:1")
	late := b.Subscribe("folder:1")
	b.Publish("folder:1")
	mustBeQuiet(t, s)
	mustBeQuiet(t, late)
	s.Close()
	late.Close()
}
