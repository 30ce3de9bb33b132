package queue

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

// wish is how many jobs of a group to claim.
type wish struct {
	kind, group string
	n           int
}

// round claims what is due and has a free slot, starts it, and returns how long
// nothing more is to be done unless the worker is poked.
func (w *Worker) round(ctx context.Context) (time.Duration, error) {
	now := w.o.Now()
	groups, err := w.look(ctx)
	if err != nil {
		return 0, err
	}
	var wishes []wish
	next := now.Add(w.o.Idle)
	for _, kind := range w.names {
		wished, soonest := w.choose(kind, groups[kind], now)
		wishes = append(wishes, wished...)
		if !soonest.IsZero() && soonest.Before(next) {
			next = soonest
		}
	}
	if len(wishes) == 0 {
		return next.Sub(now), nil
	}
	again, err := w.take(ctx, wishes, now)
	if again {
		return 0, err
	}
	return next.Sub(now), err
}

// look reads the groups of each kind that has a free slot.
func (w *Worker) look(ctx context.Context) (groups map[string][]group, err error) {
	var open []string
	w.mu.Lock()
	for _, kind := range w.names {
		if w.busy[slot{kind: kind, whole: true}] < w.kinds[kind].Concurrency {
			open = append(open, kind)
		}
	}
	w.mu.Unlock()
	groups = map[string][]group{}
	if len(open) == 0 {
		return groups, nil
	}
	err = w.db.Read(ctx, func(tx *store.Tx) error {
		for _, kind := range open {
			if groups[kind], err = readGroups(tx, kind); err != nil {
				return err
			}
		}
		return nil
	})
	return groups, err
}

// choose shares the free slots of a kind among the groups that are due, one to each
// in turn, the longest due first; so that no group waits behind another's backlog.
// soonest is when the first of the others is due.
func (w *Worker) choose(kind string, groups []group, now time.Time) (wishes []wish, soonest time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kinds[kind]
	free := k.Concurrency - w.busy[slot{kind: kind, whole: true}]
	room := make([]int, 0, len(groups))
	for _, g := range groups {
		if g.wake > store.Micros(now) {
			soonest = store.Time(g.wake) // groups are sorted: the rest is later
			break
		}
		wishes = append(wishes, wish{kind: kind, group: g.name})
		room = append(room, k.PerGroup-w.busy[slot{kind: kind, group: g.name}])
	}
	for given := true; given && free > 0; {
		given = false
		for i := range wishes {
			if free > 0 && wishes[i].n < room[i] {
				wishes[i].n++
				free--
				given = true
			}
		}
	}
	return slices.DeleteFunc(wishes, func(w wish) bool { return w.n == 0 }), soonest
}

// take claims what was wished for and starts it. again says that more may be due
// and could run at once.
func (w *Worker) take(ctx context.Context, wishes []wish, now time.Time) (again bool, err error) {
	// Lock order: rows of one group after another, the groups in one order everywhere.
	slices.SortFunc(wishes, func(a, b wish) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.group, b.group)) })
	var jobs []Job
	full := 0
	err = w.db.Write(ctx, func(tx *store.Tx) error {
		jobs, full = jobs[:0], 0 // the function may run twice
		for _, wish := range wishes {
			claimed, err := w.claim(tx, wish.kind, wish.group, wish.n, now)
			if err != nil {
				return err
			}
			if len(claimed) == wish.n {
				full++
			}
			jobs = append(jobs, claimed...)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return a.Due.Compare(b.Due) })
	for _, j := range jobs {
		w.start(ctx, j)
	}
	// A group that gave all it was asked for may have more; if another gave less,
	// there is room for it. A saturated one waits for a free slot.
	return full > 0, nil
}
