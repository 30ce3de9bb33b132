package bench

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
)

const (
	// moreBoxes are the boxes an operator has beside the troupe's: letters are spread
	// over them, as at a real operator.
	moreBoxes = 60
	// readyWithin is how long a server may take to listen (issue: 30 s).
	readyWithin = 60 * time.Second
)

// world is a whole trust space on one engine, kept in one folder. It is started
// several times: plainly, under strace, with a larger size limit.
type world struct {
	engine  string
	dir     string
	program string // of our own; "" runs it in this process
	pg      *postgres
}

// manner is how a world is started.
type manner struct {
	trace   bool  // count its flushes
	heap    bool  // let its collector tell what it does
	maxSize int64 // of a letter; 0 is the default
}

// server is a world that runs.
type server struct {
	world *world
	ready demo.Ready
	child *child      // nil in this process
	space *demo.Space // nil in a child
}

func (w *world) file(name string) string { return filepath.Join(w.dir, name) }

// start starts a world and returns once everything listens.
func (w *world) start(ctx context.Context, m manner) (*server, error) {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	s := &server{world: w}
	run := s.spawn
	if w.program == "" {
		run = s.host
	}
	if err := run(ctx, m); err != nil {
		return nil, fmt.Errorf("start the demo on %s: %w", w.engine, err)
	}
	return s, nil
}

// spawn runs "demo --no-walk --ready" of our own program.
func (s *server) spawn(ctx context.Context, m manner) error {
	w := s.world
	ready := w.file("ready.json")
	os.Remove(ready) // of an earlier start
	args := []string{"demo", "--no-walk", "--keep", w.file("demo"), "--boxes", strconv.Itoa(moreBoxes), "--ready", ready}
	if w.pg != nil {
		args = append(args, "--store", w.pg.dsn)
	}
	if m.maxSize > 0 {
		args = append(args, "--max-size", strconv.FormatInt(m.maxSize, 10))
	}
	cmd := exec.Command(w.program, args...)
	if m.trace {
		var err error
		if cmd, err = traced(w.file("trace"), w.program, args...); err != nil {
			return err
		}
	}
	if m.heap {
		cmd.Env = append(os.Environ(), "GODEBUG=gctrace=1")
	}
	var err error
	if s.child, err = spawn(cmd, w.file("demo.out")); err != nil {
		return err
	}
	err = s.child.await(ctx, ready)
	var data []byte
	if err == nil {
		data, err = os.ReadFile(ready)
	}
	if err == nil {
		err = json.Unmarshal(data, &s.ready)
	}
	if err != nil {
		return errors.Join(err, s.child.stop())
	}
	return nil
}

// host runs the demo in this process. Its goroutines are labelled, so that a
// profile tells them from the client's.
func (s *server) host(ctx context.Context, m manner) (err error) {
	o := demo.Options{Keep: s.world.file("demo"), Boxes: moreBoxes, MaxSize: m.maxSize}
	if s.world.pg != nil {
		o.Store = s.world.pg.dsn
	}
	pprof.Do(ctx, pprof.Labels("side", "server"), func(ctx context.Context) {
		s.space, err = demo.Open(ctx, o)
	})
	if err == nil {
		s.ready = s.space.Ready()
	}
	return err
}

// stop stops the server and waits for its end.
func (s *server) stop() error {
	if s.child != nil {
		return s.child.stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return s.space.Close(ctx)
}

// read tells what the server has used so far.
func (s *server) read(ctx context.Context) (r reading, err error) {
	r.at, r.own = time.Now(), own()
	if r.machine, err = machine(); err != nil {
		return r, err
	}
	if s.child != nil {
		if _, r.cpu, err = stat(s.child.pid()); err != nil {
			return r, err
		}
	}
	if s.world.pg != nil {
		r.database = s.world.pg.used()
		r.flushes, err = s.world.pg.flushes(ctx)
	}
	return r, err
}

// parties are the hospital, which sends, and the city's operator, which takes.
func (s *server) parties() (from, to demo.Operator, err error) {
	var found []demo.Operator
	for _, o := range s.ready.Operators {
		if o.Kind == "professional" && len(o.Boxes) > 1 {
			found = append(found, o)
		}
	}
	if len(found) < 2 {
		return from, to, errors.New("the demo has no two professional operators")
	}
	return found[0], found[1], nil
}

// target returns the city's MX as the hospital sees it. The first box of the city
// gets no letters: it is kept for what is looked at over IMAP.
func (s *server) target() (target, error) {
	from, to, err := s.parties()
	if err != nil {
		return target{}, err
	}
	config, err := s.config(from.CertFile, from.KeyFile)
	if err != nil {
		return target{}, err
	}
	t := target{name: s.world.engine, addr: to.MX, config: config, from: from.Boxes[0].Address, read: s.read}
	for _, b := range to.Boxes[1:] {
		t.to = append(t.to, b.Address)
	}
	return t, nil
}

// config is the TLS of a client with a certificate.
func (s *server) config(certFile, keyFile string) (*tls.Config, error) {
	roots, err := readRoots(s.ready.Authority.CAFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12,
	}, nil
}
