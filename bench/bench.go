package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// smallLetter is a short letter: the size that the goals are about.
const smallLetter = 2 << 10

// Options say what is measured. The zero value measures everything on both engines.
type Options struct {
	// Engines are "sqlite" and "postgres"; none: both.
	Engines []string
	// Postgres is the DSN of a server for the engine postgres; empty: one of our own
	// for the time being, with durable settings.
	Postgres string
	// Sizes are letters' sizes in octets; none: 2 KiB, 50 KiB and 1 MiB.
	Sizes []int
	// Conns are numbers of connections; none: 1, 8 and 32.
	Conns []int
	// Window is the time measured of each round; zero: 2 s.
	Window time.Duration
	// Rounds is how often each cell is measured; its median counts. Zero: 3.
	Rounds int
	// Quick measures less, in under a minute, where the fields above are zero.
	Quick bool
	// Dir is a folder on the disk that is to be measured; empty: the system's folder
	// for temporary files.
	Dir string
	// Profiles, if not empty, runs the servers in this process and writes a CPU
	// profile of each cell to this folder: no floor, no CPU per letter, no flushes.
	Profiles string
	// Program is our own program, whose commands "demo" and "bench floor" serve what
	// is measured; empty: this process's.
	Program string
	// Progress is told what goes on; nil: nobody.
	Progress io.Writer
}

// withDefaults fills what is zero.
func (o Options) withDefaults() (Options, error) {
	if len(o.Engines) == 0 {
		o.Engines = []string{"sqlite", "postgres"}
	}
	for _, e := range o.Engines {
		if e != "sqlite" && e != "postgres" {
			return o, fmt.Errorf("engine %q: write sqlite, postgres or both", e)
		}
	}
	sizes, conns, window := []int{smallLetter, 50 << 10, 1 << 20}, []int{1, 8, 32}, 2*time.Second
	if o.Quick {
		sizes, conns, window = []int{smallLetter}, []int{8, 32}, 700*time.Millisecond
	}
	if len(o.Sizes) == 0 {
		o.Sizes = sizes
	}
	if len(o.Conns) == 0 {
		o.Conns = conns
	}
	if o.Window <= 0 {
		o.Window = window
	}
	if o.Rounds <= 0 {
		o.Rounds = 3
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Dir == "" {
		o.Dir = os.TempDir()
	}
	if slices.Min(o.Sizes) < leastSize || slices.Max(o.Sizes) > 20<<20 || slices.Min(o.Conns) < 1 || slices.Max(o.Conns) > 60 {
		return o, errors.New("sizes go from 1 KiB to 20 MiB, connections from 1 to 60") // the demo takes 64 from one peer
	}
	var err error
	if o.Program == "" && o.Profiles == "" {
		o.Program, err = os.Executable()
	}
	return o, err
}

// limit is a time after which something is wrong: four times what is planned.
func (o Options) limit() time.Duration {
	rounds := len(o.Sizes) * len(o.Conns) * (o.Rounds + 1) * (len(o.Engines) + 1)
	return 5*time.Minute + 4*time.Duration(rounds)*(o.Window+2*time.Second)
}

// bench is one run.
type bench struct {
	o       Options
	dir     string
	report  *Report
	pg      *postgres
	worlds  []*world
	servers []*server // of worlds, one each, when they run
	floor   *floorChild
}

// Run measures and stops everything that it started. With an error it returns
// what was measured so far.
func Run(ctx context.Context, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit())
	defer cancel()
	b := &bench{o: o}
	if b.dir, err = os.MkdirTemp(o.Dir, "vaguemestre-bench-"); err != nil {
		return nil, err
	}
	b.report = newReport(o, b.dir)
	err = b.run(ctx)
	err = errors.Join(err, b.close())
	b.report.conclude()
	return b.report, err
}

func (b *bench) run(ctx context.Context) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	if err := b.cells(ctx); err != nil {
		return err
	}
	if err := b.pushes(ctx); err != nil {
		return err
	}
	if err := b.halt(); err != nil || b.o.Profiles != "" {
		return err
	}
	if err := b.flushes(ctx); err != nil {
		return err
	}
	return b.larges(ctx)
}

// open starts a world on each engine, and the floor with the city's certificate.
func (b *bench) open(ctx context.Context) (err error) {
	for _, engine := range b.o.Engines {
		w := &world{engine: engine, dir: filepath.Join(b.dir, engine), program: b.o.Program}
		if engine == "postgres" {
			if b.pg, err = openPostgres(ctx, b.o.Postgres, b.o.Dir); err != nil {
				return err
			}
			w.pg = b.pg
			b.report.Notes = append(b.report.Notes, b.pg.notes...)
		}
		b.worlds = append(b.worlds, w)
		b.tell("starting a trust space on %s", engine)
		s, err := w.start(ctx, manner{})
		if err != nil {
			return err
		}
		b.servers = append(b.servers, s)
	}
	if b.o.Profiles != "" {
		return os.MkdirAll(b.o.Profiles, 0o755)
	}
	_, city, err := b.servers[0].parties()
	if err != nil {
		return err
	}
	b.floor, err = startFloor(ctx, b.o.Program, FloorFiles{
		Cert: city.CertFile, Key: city.KeyFile, CA: b.servers[0].ready.Authority.CAFile, Dir: b.dir,
	})
	return err
}

// halt stops the servers.
func (b *bench) halt() error {
	var all []error
	for _, s := range b.servers {
		all = append(all, s.stop())
	}
	b.servers = nil
	return errors.Join(all...)
}

// close stops and removes everything.
func (b *bench) close() error {
	err := b.halt()
	if b.floor != nil {
		err = errors.Join(err, b.floor.stop())
	}
	if b.pg != nil {
		err = errors.Join(err, b.pg.close())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func (b *bench) tell(format string, args ...any) {
	fmt.Fprintf(b.o.Progress, "%s  "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}
