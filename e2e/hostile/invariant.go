package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
)

// witness looks at the server from outside, before and after a vector.
type witness struct {
	f    *fixture
	run  *server
	dirs []string // operators' folders
	conf *tls.Config
	// baseKB is the resident size before the first vector that a letter carries.
	baseKB int64
}

// state is what can be compared before and after.
type state struct {
	rssKB, peakKB, cpuMS int64
	files                int
	logs                 map[string]int64
	leaves               map[string]int
}

func (w *witness) look() (state, error) {
	s := state{logs: map[string]int64{}, leaves: map[string]int{}}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.run.pid()))
	if err != nil {
		return s, fmt.Errorf("alive: the server is gone: %w", err)
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			s.rssKB, _ = strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			s.peakKB, _ = strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.run.pid()))
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	s.cpuMS = (user + system) * 10 // clock ticks of 10 ms
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.run.pid()))
	if err != nil {
		return s, err
	}
	s.files = len(fds)
	for _, dir := range w.dirs {
		if info, err := os.Stat(filepath.Join(dir, "log.jsonl")); err == nil {
			s.logs[dir] = info.Size()
		}
	}
	return s, nil
}

// alive holds a control session on every listener: each answers within two seconds.
func (w *witness) alive() error {
	for _, o := range w.f.ready.Operators {
		for name, addr := range map[string]string{"mx": o.MX, "submission": o.Submission, "imap": o.IMAP} {
			begin := time.Now()
			conn, err := net.DialTimeout("tcp", addr, 2*time.Second)
			if err != nil {
				return fmt.Errorf("alive: %s of %s: %w", name, o.Name, err)
			}
			conn.SetDeadline(begin.Add(2 * time.Second))
			line, err := bufio.NewReader(conn).ReadString('\n')
			conn.Close()
			if err != nil {
				return fmt.Errorf("alive: %s of %s did not greet within %v: %w", name, o.Name, time.Since(begin), err)
			}
			if !strings.HasPrefix(line, "220 ") && !strings.HasPrefix(line, "* OK") {
				return fmt.Errorf("alive: %s of %s greeted with %q", name, o.Name, line)
			}
		}
		if err := w.healthy(o); err != nil {
			return fmt.Errorf("alive: https of %s: %w", o.Name, err)
		}
	}
	return nil
}

// healthy asks over a connection of its own whether the web door works.
func (w *witness) healthy(o demo.Operator) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: w.conf, DisableKeepAlives: true}}
	answer, err := client.Get("https://" + o.HTTPS + "/healthz")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

// resetPeak lets the kernel forget the highest resident size (proc(5), clear_refs).
func (w *witness) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", w.run.pid()), []byte("5"), 0)
}

// calm remembers the resident size before the first vector: what one vector leaves
// allocated must not hide the growth of the next.
func (w *witness) calm() error {
	s, err := w.look()
	w.baseKB = s.rssKB
	return err
}

// peak compares the highest resident size during a vector with the one before it, and
// the processor time that it cost.
func (w *witness) peak(t *trial, before, after state, maxMB int64) error {
	if grown := (after.peakKB - before.rssKB) / 1024; grown > maxMB {
		return fmt.Errorf("mem: the server grew by %d MiB", grown)
	}
	if grown := (after.peakKB - w.baseKB) / 1024; grown > maxMB {
		t.note("mem: %d MiB above the start of the run", grown)
	}
	if spent := after.cpuMS - before.cpuMS; spent > 2000 && t.v.Expect.MaxS == 0 {
		return fmt.Errorf("mem: %d ms of processor time", spent)
	}
	return nil
}

// mem compares memory and processor time.
func (w *witness) mem(v vector, before, after state, maxMB int64) error {
	if grown := (after.rssKB - before.rssKB) / 1024; grown > maxMB {
		return fmt.Errorf("mem: the server grew by %d MiB", grown)
	}
	if spent := after.cpuMS - before.cpuMS; spent > 2000 && v.Expect.MaxS == 0 {
		return fmt.Errorf("mem: %d ms of processor time", spent)
	}
	return nil
}

// files waits for file descriptors to return to where they were.
func (w *witness) files(before state) error {
	var last int
	for range 50 {
		now, err := w.look()
		if err != nil {
			return err
		}
		if last = now.files; last <= before.files+1 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("no-leak-fd: %d descriptors where there were %d", last, before.files)
}

// logs wants one JSON object a line, without control characters, since before.
func (w *witness) logs(before state) error {
	for _, dir := range w.dirs {
		data, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
		if err != nil {
			return fmt.Errorf("log-clean: %w", err)
		}
		for line := range bytes.SplitSeq(data[min(before.logs[dir], int64(len(data))):], []byte("\n")) {
			if len(line) == 0 {
				continue
			}
			if !json.Valid(line) {
				return fmt.Errorf("log-clean: a log line is no JSON object")
			}
			if bytes.ContainsFunc(line, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
				return fmt.Errorf("log-clean: a control character in a log line")
			}
		}
	}
	return nil
}

// delivered counts the letters whose subject holds the marker, in the boxes of
// the vector's people, and those that were smuggled.
func (w *witness) delivered(v vector) (outer, smuggled int, text string, err error) {
	for _, at := range []struct {
		operator, person int
	}{{0, 0}, {1, 0}, {2, 0}, {2, 1}} {
		o := w.f.ready.Operators[at.operator]
		b, err := openBox(w.f.ready.Authority.CAFile, o, o.Boxes[at.person])
		if err != nil {
			return 0, 0, "", fmt.Errorf("read the boxes: %w", err)
		}
		uids, err := b.search(v.Marker)
		var bad []string
		if err == nil {
			bad, err = b.search("SMUGGLED " + v.Marker)
		}
		for _, uid := range uids {
			if err != nil || slices.Contains(bad, uid) {
				continue
			}
			outer++
			text, err = b.text(uid)
		}
		smuggled += len(bad)
		b.close()
		if err != nil {
			return 0, 0, "", fmt.Errorf("read the boxes: %w", err)
		}
	}
	return outer, smuggled, text, nil
}

// mail holds what was delivered against what the vector allows.
func (w *witness) mail(v vector) error {
	outer, smuggled, text, err := w.delivered(v)
	if err != nil {
		return err
	}
	a := v.script.Assert
	switch {
	case smuggled > 0:
		return fmt.Errorf("no-smuggle: %d smuggled letters arrived", smuggled)
	case a.Delivered != nil && outer != *a.Delivered:
		return fmt.Errorf("no-loss: %d letters arrived, wanted %d", outer, *a.Delivered)
	case a.MaxDelivered != nil && outer > *a.MaxDelivered && !strings.Contains(text, "SMUGGLED"):
		return fmt.Errorf("no-smuggle: %d letters arrived and the second one is not inside the first", outer)
	case v.Expect.Outcome == "no-delivery" && outer > 0:
		return fmt.Errorf("no-delivery: %d letters arrived", outer)
	case v.Expect.Outcome == "accept" && outer != 1:
		return fmt.Errorf("accept: %d letters arrived, wanted 1", outer)
	case v.Expect.Outcome == "reject-smtp" && outer > 0 && a.MaxDelivered == nil:
		return fmt.Errorf("reject-smtp: %d letters arrived", outer)
	case v.holds("no-spoof") && outer > 1:
		return fmt.Errorf("no-spoof: %d letters arrived", outer)
	}
	if a.BodyB64 != nil {
		want, err := base64.StdEncoding.DecodeString(*a.BodyB64)
		if err != nil {
			return err
		}
		if text != string(want) {
			return fmt.Errorf("bytes: the body came back as %q, sent %q", clip(text), clip(string(want)))
		}
	}
	return nil
}
