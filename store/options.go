package store

import (
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// Options are the optional parts of a store. The zero value is safe for production.
type Options struct {
	// Logger receives the store's events: "store.opened", "store.rerun",
	// "store.retry", "store.fatal" and a few warnings. No query argument is
	// ever logged. Nil discards all but "store.fatal", which goes to the
	// standard error.
	Logger *slog.Logger
	// Readers is how many snapshots SQLite serves at once; 0 is 4.
	Readers int
	// Conns is how many connections PostgreSQL is given, for reads and writes
	// together; 0 is 16. Beyond it callers wait.
	Conns int
	// MaxBatch is how many functions SQLite's writer commits together at most; 0 is 64.
	MaxBatch int
	// Publish is called with the topics changed by what was just committed,
	// sorted, each once: once per batch on SQLite, once per function on
	// PostgreSQL. It is called after the commit, outside locks, and must not
	// block: on SQLite the next batch waits for it. Nil publishes nothing.
	Publish func(topics []string)
	// Fatal is called when SQLite reports an input/output, fsync or corruption
	// error: what is on the disk is then unknown until the file is opened anew,
	// so nobody is answered. Nil logs "store.fatal" and ends the process with
	// status 1. If Fatal returns, the store answers "store-broken" ever after.
	Fatal func(error)
	// Clock gives the time of Tx.Now. Nil is time.Now.
	Clock func() time.Time
	// Migrations replaces the embedded migrations, for tests of this package.
	// An empty folder is a database without tables. Nil is store/migrations.
	Migrations fs.FS
}

// withDefaults fills what was left out.
func (o Options) withDefaults() Options {
	last := o.Logger // hears why the process ends
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
		last = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	o.Logger, last = o.Logger.With("component", "store"), last.With("component", "store")
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Conns <= 0 {
		o.Conns = 16
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 64
	}
	if o.Publish == nil {
		o.Publish = func([]string) {}
	}
	if o.Fatal == nil {
		o.Fatal = func(err error) {
			last.Error("store.fatal", "error", err)
			os.Exit(1)
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Migrations == nil {
		o.Migrations = embedded()
	}
	return o
}
