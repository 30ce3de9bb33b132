package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
)

func main() {
	binary := flag.String("server", "bin/vaguemestre", "the program under test")
	dir := flag.String("dir", "", "folder with MANIFEST.json")
	kinds := flag.String("kinds", "smtp", "comma list of first path elements")
	only := flag.String("only", "", "run only vectors whose file holds this text")
	flag.Parse()
	broken, err := run(*binary, *dir, strings.Split(*kinds, ","), *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(2)
	}
	if broken > 0 {
		os.Exit(1)
	}
}

// run plays the vectors and returns how many broke an invariant.
func run(binary, dir string, kinds []string, only string) (int, error) {
	if dir == "" {
		return 0, errors.New("--dir is missing: name the folder with MANIFEST.json")
	}
	m, err := readManifest(dir, kinds)
	if err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	srv, f, err := cast(binary, tmp, dir, m)
	if err != nil {
		return 0, err
	}
	defer srv.stop()
	w := &witness{f: f, run: srv}
	for _, o := range f.ready.Operators {
		w.dirs = append(w.dirs, filepath.Join(tmp, "keep", "operators", o.Name))
	}
	c := &court{m: m, f: f, w: w, binary: binary, mapping: newMapping(m.Identities, f)}
	broken, played := 0, 0
	var slow []vector
	for _, v := range m.Vectors {
		switch {
		case only != "" && !strings.Contains(v.File, only):
		case v.slow():
			slow = append(slow, v)
		default:
			played++
			broken += report(v, c.try(v))
		}
	}
	verdicts := make([]verdict, len(slow))
	var wg sync.WaitGroup
	for i, v := range slow { // they wait, mostly: all at once
		wg.Go(func() { verdicts[i] = c.try(v) })
	}
	wg.Wait()
	for i, v := range slow {
		played++
		broken += report(v, verdicts[i])
	}
	fmt.Printf("%d passed, %d failed\n", played-broken, broken)
	if played == 0 {
		return 0, fmt.Errorf("no vector of kinds %v in %s", kinds, dir)
	}
	return broken, nil
}

// slow reports whether the vector mostly waits.
func (v vector) slow() bool {
	for _, step := range v.script.Steps {
		if _, drips := step["drip"]; drips {
			return true
		}
	}
	return v.Expect.MaxS > 20
}

// verdict is the outcome of one vector.
type verdict struct {
	err   error
	notes []string
}

func report(v vector, got verdict) int {
	if got.err != nil {
		fmt.Printf("broken %s: %v\n", v.File, got.err)
		return 1
	}
	line := "ok " + v.File
	if len(got.notes) > 0 {
		line += " (" + strings.Join(got.notes, "; ") + ")"
	}
	fmt.Println(line)
	return 0
}

// court tries vectors.
type court struct {
	m       *manifest
	f       *fixture
	w       *witness
	binary  string
	mapping mapping
}

// try plays a vector and holds its invariants.
func (c *court) try(v vector) verdict {
	if v.carried() {
		return c.carry(v)
	}
	before, err := c.w.look()
	if err != nil {
		return verdict{err: err}
	}
	begin := time.Now()
	notes, err := c.session(v)
	if err != nil {
		return verdict{err: err, notes: notes}
	}
	if v.Expect.Then != "" { // a second, undisturbed run
		again := v
		again.script.Steps = withoutReset(v.script.Steps)
		if _, err := c.session(again); err != nil {
			return verdict{err: fmt.Errorf("no-loss: the retry: %w", err)}
		}
		outer, _, _, err := c.w.delivered(v)
		if err != nil {
			return verdict{err: err}
		}
		if outer != 1 {
			return verdict{err: fmt.Errorf("no-loss: after the retry %d letters, wanted 1", outer)}
		}
	}
	checks := []func() error{
		c.w.alive,
		func() error { return c.w.mail(v) },
		func() error { return c.w.logs(before) },
		func() error { return c.audited(v, begin) },
	}
	if v.holds("mem") {
		checks = append(checks, func() error {
			after, err := c.w.look()
			if err != nil {
				return err
			}
			return c.w.mem(v, before, after, c.m.Limits.MaxRSSMB)
		})
	}
	if v.holds("no-leak-fd") {
		checks = append(checks, func() error { return c.w.files(before) })
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return verdict{err: err, notes: notes}
		}
	}
	return verdict{notes: notes}
}

// session plays the script over one connection.
func (c *court) session(v vector) ([]string, error) {
	addr, implicit, err := c.f.target(v)
	if err != nil {
		return nil, err
	}
	cert, key := c.f.hospital.CertFile, c.f.hospital.KeyFile
	if v.Target != "operator-mx" {
		cert, key = c.f.hospital.Boxes[0].CertFile, c.f.hospital.Boxes[0].KeyFile
	}
	conf, err := clientTLS(c.f.ready.Authority.CAFile, cert, key)
	if err != nil {
		return nil, err
	}
	timeout := time.Duration(c.m.Limits.MaxMS) * time.Millisecond
	if v.Expect.MaxS > 0 {
		timeout = time.Duration(v.Expect.MaxS * float64(time.Second))
	}
	parallel := 1
	for _, step := range v.script.Steps {
		if n := int(num(step["parallel"])); n > parallel {
			parallel = min(n, 2000)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var notes []string
	for i := range parallel {
		wg.Go(func() {
			p := &peer{v: v, m: c.mapping, tls: conf, timeout: timeout, users: map[string]demo.Person{
				"user1": c.f.hospital.Boxes[0], "user2": c.f.hospital.Boxes[1],
			}}
			failed := p.dial(addr, implicit)
			if failed == nil {
				defer func() { _ = p.raw.Close() }()
				failed = p.play()
			}
			mu.Lock()
			defer mu.Unlock()
			if i == 0 {
				notes = p.notes
			}
			if failed != nil && parallel == 1 { // of many, some may be turned away
				err = failed
			}
		})
	}
	wg.Wait()
	return notes, err
}

// withoutReset is the script played to its proper end: the letter's 250 is read.
func withoutReset(steps []map[string]json.RawMessage) []map[string]json.RawMessage {
	out := make([]map[string]json.RawMessage, 0, len(steps)+1)
	for _, step := range steps {
		if _, closes := step["close"]; closes {
			step = map[string]json.RawMessage{"x": json.RawMessage(`"^250"`)}
		}
		out = append(out, step)
	}
	return out
}

// audited wants one leaf that says what was refused, where something was.
func (c *court) audited(v vector, since time.Time) error {
	if !v.holds("audit") || v.control() || v.slow() {
		return nil
	}
	config := filepath.Join(c.w.dirs[c.operator(v)], "vaguemestre.toml")
	var seen int
	for range 30 { // the leaf is written when the connection has ended
		out, err := exec.Command(c.binary, "audit", "list", "--config", config,
			"--since", since.UTC().Format(time.RFC3339Nano), "--act", "smtp.refused").Output()
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if seen = strings.Count(string(out), "\n"); seen > 0 {
			break
		}
		if v.Expect.Outcome != "reject-smtp" && v.Expect.Outcome != "close" {
			return nil // nothing had to be refused
		}
		time.Sleep(100 * time.Millisecond)
	}
	if seen != 1 {
		return fmt.Errorf("audit: %d leaves tell of a refusal, wanted one", seen)
	}
	return nil
}

func (c *court) operator(v vector) int {
	if v.Target == "operator-mx" {
		return 2
	}
	return 0
}

// server is the demo under test.
type server struct{ cmd *exec.Cmd }

func (s *server) pid() int { return s.cmd.Process.Pid }

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// cast starts a demo whose cast holds the patient that the vectors name. The
// demo's own domains are known only once it has run.
func cast(binary, tmp, dir string, m *manifest) (*server, *fixture, error) {
	srv, f, err := start(binary, tmp)
	if err != nil {
		return nil, nil, err
	}
	person, found := fictitious(dir, m.all)
	if !found {
		return srv, f, nil
	}
	srv.stop()
	file := filepath.Join(tmp, "people.json")
	if err := people(file, person, f.patients.Domains[0]); err != nil {
		return nil, nil, err
	}
	if srv, f, err = start(binary, tmp, "--people", file); err != nil {
		return nil, nil, err
	}
	f.fictitious = f.patients.Boxes[len(f.patients.Boxes)-1]
	return srv, f, nil
}

// start runs a demo in a folder of its own and waits until it is ready.
func start(binary, tmp string, more ...string) (*server, *fixture, error) {
	ready := filepath.Join(tmp, "ready.json")
	if err := os.RemoveAll(ready); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(binary, append([]string{"demo", "--no-walk", "--keep", filepath.Join(tmp, "keep"), "--ready", ready}, more...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("%w (build it first: make build)", err)
	}
	s := &server{cmd}
	f := new(fixture)
	for range 600 {
		if data, err := os.ReadFile(ready); err == nil {
			if err := json.Unmarshal(data, &f.ready); err != nil {
				return nil, nil, err
			}
			for _, o := range f.ready.Operators {
				switch o.Name {
				case "hospital":
					f.hospital = o
				case "city":
					f.city = o
				case "patients":
					f.patients = o
				}
			}
			return s, f, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.stop()
	return nil, nil, errors.New("the demo was not ready within a minute")
}
