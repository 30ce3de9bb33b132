package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	c, err := convene(binary, tmp, dir, m)
	if err != nil {
		return 0, err
	}
	defer c.adjourn()
	var results []result
	for _, play := range []func() ([]result, error){
		func() ([]result, error) {
			return c.scripts(m.pick(only, func(v vector) bool { return !v.carried() && !v.listed() })), nil
		},
		func() ([]result, error) { return c.letters(m.pick(only, vector.carried)) },
		func() ([]result, error) { return c.webCases(m.pick(only, vector.listed)) },
	} {
		more, err := play()
		if err != nil {
			return 0, err
		}
		results = append(results, more...)
	}
	broken := 0
	for _, r := range results {
		if r.err != nil {
			broken++
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(results)-broken, broken)
	if len(results) == 0 {
		return 0, fmt.Errorf("no vector of kinds %v in %s", kinds, dir)
	}
	return broken, nil
}

// pick returns the vectors of a sort whose file holds a text.
func (m *manifest) pick(only string, sort func(vector) bool) (some []vector) {
	for _, v := range m.Vectors {
		if sort(v) && strings.Contains(v.File, only) {
			some = append(some, v)
		}
	}
	return some
}

// scripts plays vectors that are scripts of one connection.
func (c *court) scripts(vectors []vector) (all []result) {
	var slow []vector
	for _, v := range vectors {
		if v.slow() {
			slow = append(slow, v)
			continue
		}
		all = append(all, report(v, c.try(v)))
	}
	verdicts := make([]verdict, len(slow))
	var wg sync.WaitGroup
	for i, v := range slow { // they wait, mostly: all at once
		wg.Go(func() { verdicts[i] = c.try(v) })
	}
	wg.Wait()
	for i, v := range slow {
		all = append(all, report(v, verdicts[i]))
	}
	return all
}

// letters plays vectors that letters carry. They are reported together, because the
// audit lists are read at the end.
func (c *court) letters(vectors []vector) (all []result, err error) {
	trials, err := c.carryAll(vectors)
	for _, t := range trials {
		all = append(all, report(t.v, verdict{t.err, t.notes}))
	}
	return all, err
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

// result is a verdict that was reported.
type result struct{ verdict }

func report(v vector, got verdict) result {
	if got.err != nil {
		fmt.Printf("broken %s: %v\n", v.File, got.err)
		return result{got}
	}
	line := "ok " + v.File
	if len(got.notes) > 0 {
		line += " (" + strings.Join(got.notes, "; ") + ")"
	}
	fmt.Println(line)
	return result{got}
}

// court tries vectors.
type court struct {
	m       *manifest
	f       *fixture
	w       *witness
	binary  string
	mapping mapping
	grounds grounds
	run     *server
	tap     *tap
	spaces  *spaces

	// of vectors that letters carry
	receipts   *receipts
	traces     map[string]*traces // by address
	bystanders []*space           // to whom nothing is sent
}

// try plays a vector and holds its invariants.
func (c *court) try(v vector) verdict {
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
type server struct {
	cmd *exec.Cmd
	tap *tap
}

func (s *server) pid() int { return s.cmd.Process.Pid }

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	s.tap.close()
}

// convene starts a demo whose cast holds the people whom the vectors name, and all that
// looks at it. Where nobody is named one start is enough; else the demo's own domains
// are known only once it has run.
func convene(binary, tmp, dir string, m *manifest) (*court, error) {
	c := &court{m: m, grounds: grounds{root: tmp}}
	for _, dir := range []string{c.grounds.working(), c.grounds.temp()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	if c.binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	if c.run, c.f, err = start(c.binary, c.grounds); err != nil {
		return nil, err
	}
	own, strangers, err := company(dir, m.all)
	if err == nil && len(own) > 0 && slices.ContainsFunc(m.Vectors, vector.carried) {
		err = c.again(own, strangers)
	}
	if err != nil {
		c.run.stop()
		return nil, err
	}
	conf, err := clientTLS(c.f.ready.Authority.CAFile, "", "")
	if err != nil {
		c.run.stop()
		return nil, err
	}
	c.tap = c.run.tap
	c.w = &witness{f: c.f, run: c.run, conf: conf}
	for _, o := range c.f.ready.Operators {
		c.w.dirs = append(c.w.dirs, filepath.Join(c.grounds.keep(), "operators", o.Name))
	}
	c.grounds.operators = c.w.dirs
	c.mapping = newMapping(m.Identities, c.f)
	c.spaces = &spaces{f: c.f, of: make(map[string]*space)}
	return c, nil
}

// adjourn ends the demo.
func (c *court) adjourn() { c.run.stop() }

// again starts the demo anew with more people.
func (c *court) again(own map[string]demo.Person, strangers []demo.Person) (err error) {
	domain := c.f.patients.Domains[0]
	c.run.stop()
	file := filepath.Join(c.grounds.root, "people.json")
	if err := people(file, domain, own, strangers); err != nil {
		return err
	}
	if c.run, c.f, err = start(c.binary, c.grounds, "--people", file); err != nil {
		return err
	}
	return c.f.enter(own, strangers)
}

// start runs a demo in folders of its own and waits until it is ready.
func start(binary string, g grounds, more ...string) (*server, *fixture, error) {
	ready := filepath.Join(g.root, "ready.json")
	if err := os.RemoveAll(ready); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(binary, append([]string{"demo", "--no-walk", "--keep", g.keep(), "--ready", ready}, more...)...)
	cmd.Dir = g.working()
	// Go's own resolver then prints every name that is looked up.
	cmd.Env = append(os.Environ(), "TMPDIR="+g.temp(), "GODEBUG=netdns=go+2")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	printed, err := cmd.StderrPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("%w (build it first: make build)", err)
	}
	s := &server{cmd, newTap(cmd.Process.Pid)}
	s.tap.wg.Go(func() { s.tap.listen(printed) })
	for range 600 {
		data, err := os.ReadFile(ready)
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		f, err := newFixture(data)
		if err != nil {
			s.stop()
		}
		return s, f, err
	}
	s.stop()
	return nil, nil, errors.New("the demo was not ready within a minute")
}

// newFixture reads the demo's own account of itself.
func newFixture(ready []byte) (*fixture, error) {
	f := new(fixture)
	if err := json.Unmarshal(ready, &f.ready); err != nil {
		return nil, err
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
	return f, nil
}
