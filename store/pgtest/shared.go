package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// shared is the one server of a test binary, started when first asked for.
//
//nolint:gochecknoglobals // a test binary has no place of its own to keep it: it lives as long as the process
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// TB is what a server needs of a test or benchmark. The package does not import
// testing, so that programs may use it too.
type TB interface {
	Helper()
	Cleanup(end func())
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// Shared returns the test binary's own server, fast and not durable, started
// when first asked for; it ends with the process. PostgreSQL not being there is
// a failure of the test, not a skip.
func Shared(tb TB) *Server {
	tb.Helper()
	shared.once.Do(func() { shared.server, shared.err = startScratch(Options{}) })
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server
}

// New starts a server of the test's own.
func New(tb TB, o Options) *Server {
	tb.Helper()
	server, err := startScratch(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return server
}

// startScratch starts a server in a folder of its own below the system's
// folder for temporary files.
func startScratch(o Options) (*Server, error) {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return Start(ctx, dir, o)
}
