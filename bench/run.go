package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"
)

const (
	// warmth is how long a load runs before its window.
	warmth = 300 * time.Millisecond
	// reportTime is how often PostgreSQL's processes report their flushes: a load that
	// counts them is warm after that, and lasts at least as long.
	reportTime = 1200 * time.Millisecond
)

// grid are the cells to be measured.
func (b *bench) grid() []cell {
	var all []cell
	for _, size := range b.o.Sizes {
		for _, conns := range b.o.Conns {
			all = append(all, cell{size, conns})
		}
	}
	return all
}

// targets are the floor and the servers, in a fixed order.
func (b *bench) targets() ([]target, error) {
	var all []target
	for i, s := range b.servers {
		t, err := s.target()
		if err != nil {
			return nil, err
		}
		if i == 0 && b.floor != nil {
			all = append(all, b.floor.target(t))
		}
		all = append(all, t)
	}
	return all, nil
}

// target is the floor, loaded as a server's target is.
func (f *floorChild) target(like target) target {
	like.name, like.addr, like.read = "floor", f.addr, func(context.Context) (r reading, err error) {
		r.at, r.own = time.Now(), own()
		if r.machine, err = machine(); err != nil {
			return r, err
		}
		if _, r.cpu, err = stat(f.pid()); err != nil {
			return r, err
		}
		r.flushes, err = f.flushes()
		return r, err
	}
	return like
}

// cells measures each cell on each target, round by round and taking turns, so
// that what else the machine does falls on all of them.
func (b *bench) cells(ctx context.Context) error {
	targets, err := b.targets()
	if err != nil {
		return err
	}
	for _, c := range b.grid() {
		rounds := make([][]round, len(targets))
		for i := range b.o.Rounds {
			for j := range targets {
				at := (i + j) % len(targets)
				r, err := play(ctx, targets[at], c, warmth, b.o.Window, b.profiled(targets[at], c, i))
				if err != nil {
					return err
				}
				rounds[at] = append(rounds[at], r)
			}
		}
		b.tell("%s", b.report.add(c, targets, rounds))
	}
	return nil
}

// profiled returns what profiles the last round of a cell, nil if nothing is to be.
func (b *bench) profiled(t target, c cell, i int) func() (func() error, error) {
	if b.o.Profiles == "" || i < b.o.Rounds-1 {
		return nil
	}
	name := fmt.Sprintf("%s-%s-%d.pprof", t.name, strings.ReplaceAll(sizeText(c.size), " ", ""), c.conns)
	return func() (func() error, error) {
		f, err := os.Create(filepath.Join(b.o.Profiles, name))
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			f.Close()
			return nil, err
		}
		return func() error {
			pprof.StopCPUProfile()
			return f.Close()
		}, nil
	}
}

// pushes measures the push to IDLE and looks for letters at their 250, on a quiet
// server and on a loaded one.
func (b *bench) pushes(ctx context.Context) error {
	letters := 200
	if b.o.Quick {
		letters = 30
	}
	for _, s := range b.servers {
		for _, conns := range []int{0, 8} {
			p, err := push(ctx, s, conns, letters)
			if err != nil {
				return err
			}
			b.report.Push = append(b.report.Push, p)
			b.tell("%s", p.line())
		}
	}
	return nil
}

// flushes runs each world again, under strace, and counts its flushes. The speed
// of those rounds does not count.
func (b *bench) flushes(ctx context.Context) error {
	for _, w := range b.worlds {
		s, err := w.start(ctx, manner{trace: true})
		if err != nil {
			b.report.Notes = append(b.report.Notes, err.Error())
			return nil
		}
		b.servers = append(b.servers, s)
		t, err := s.target()
		if err != nil {
			return err
		}
		var all []round
		warm, window := warmth, b.o.Window
		if w.pg != nil {
			warm, window = reportTime, max(window, reportTime)
		}
		for _, c := range b.grid() {
			r, err := play(ctx, t, c, warm, window, nil)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		if err := b.halt(); err != nil { // and strace has written everything
			return err
		}
		for i, c := range b.grid() {
			n, err := countFlushes(w.file("trace"), all[i].from, all[i].to)
			if err != nil {
				return err
			}
			b.report.flushed(c, w.engine, all[i].flushes+float64(n)/float64(all[i].letters), all[i].rate)
		}
		b.tell("flushes on %s are counted", w.engine)
	}
	return nil
}

// larges measures the large letter.
func (b *bench) larges(ctx context.Context) error {
	for i, w := range b.worlds {
		if b.o.Quick && i > 0 {
			return nil
		}
		g, err := large(ctx, w)
		if err != nil {
			return err
		}
		b.report.Large = append(b.report.Large, g)
		b.tell("%s", g.line())
	}
	return nil
}
