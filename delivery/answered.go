package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// window is the time in which a letter in a box can be repeated: open until its
// sender is known to have its 250.
type window struct {
	box  mailbox.BoxID
	hash []byte
}

// answered collects the replay hashes of letters whose 250 the peer has seen,
// and closes their replay windows in batches: one write a second instead of one a
// letter. What is lost in a crash only leaves windows open: an identical letter
// within five days is then taken for a repetition.
type answered struct {
	mu   sync.Mutex
	due  map[mailbox.BoxID][][]byte
	held int
	wake chan struct{}
}

// Bounds of the collection.
const (
	answeredEvery = time.Second
	answeredMost  = 1024
)

func (a *answered) init() {
	a.due = make(map[mailbox.BoxID][][]byte)
	a.wake = make(chan struct{}, 1)
}

// add takes windows to close.
func (a *answered) add(windows []window) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range windows {
		a.due[w.box] = append(a.due[w.box], w.hash)
		a.held++
	}
	if a.held >= answeredMost {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// take empties the collection.
func (a *answered) take() map[mailbox.BoxID][][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	due := a.due
	a.due, a.held = make(map[mailbox.BoxID][][]byte), 0
	return due
}

// Run closes replay windows until ctx ends, and once more then.
func (o *Office) Run(ctx context.Context) {
	tick := time.NewTicker(answeredEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			o.closeWindows(context.WithoutCancel(ctx))
			return
		case <-tick.C:
		case <-o.answered.wake:
		}
		o.closeWindows(ctx)
	}
}

// closeWindows writes what was collected, boxes in ascending order.
func (o *Office) closeWindows(ctx context.Context) {
	due := o.answered.take()
	if len(due) == 0 {
		return
	}
	boxes := make([]mailbox.BoxID, 0, len(due))
	for box := range due {
		boxes = append(boxes, box)
	}
	slices.Sort(boxes)
	for part := range slices.Chunk(boxes, 256) {
		err := o.DB.Write(ctx, func(tx *store.Tx) error {
			for _, box := range part {
				if err := mailbox.Answered(tx, box, due[box]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			o.Log.Warn("replay.window.open", "component", "delivery", "boxes", len(part), "error", err)
		}
	}
}
