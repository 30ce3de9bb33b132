package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tap tells what the server reaches out for: names that it looks up, peers that are
// not on loopback, ports of loopback that only a vector names, and files that only a
// vector names.
//
// Names come from Go's own resolver (GODEBUG=netdns=2 prints each). Sockets are
// sampled, so a connection that is refused within a sample is missed; a look-up or a
// connection abroad takes longer.
type tap struct {
	pid int

	mu    sync.Mutex // guards the fields below
	seen  []string
	blind []string // what cannot be watched here, and why
	ended bool

	traps []net.Listener
	files int // fanotify, -1 for none
	stop  context.CancelFunc
	wg    sync.WaitGroup
}

// newTap watches a server; stderr is where it prints.
func newTap(pid int) *tap {
	ctx, stop := context.WithCancel(context.Background())
	t := &tap{pid: pid, files: -1, stop: stop}
	t.wg.Go(func() { t.sockets(ctx) })
	return t
}

// close ends the watch.
func (t *tap) close() {
	t.stop()
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	for _, l := range t.traps {
		l.Close()
	}
	t.wg.Wait()
	if t.files >= 0 {
		_ = unix.Close(t.files) // nothing is left in it
	}
}

// note keeps what was seen.
func (t *tap) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(t.seen, text) {
		t.seen = append(t.seen, text)
	}
}

// quiet wants nothing new since the last call.
func (t *tap) quiet() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.seen) == 0 {
		return nil
	}
	err := fmt.Errorf("no-fetch: %s", strings.Join(t.seen, ", "))
	t.seen = nil
	return err
}

// blindness is what cannot be watched here.
func (t *tap) blindness() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.blind)
}

var lookedUp = regexp.MustCompile(`^go package net: hostLookupOrder\(([^)]*)\)`)

// listen reads what the server prints and passes on what is not the resolver's.
func (t *tap) listen(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if m := lookedUp.FindStringSubmatch(line); m != nil && m[1] != "localhost" {
			t.note("the server looked up the name %q", m[1])
		}
		if !strings.HasPrefix(line, "go package net:") {
			fmt.Fprintln(os.Stderr, line)
		}
	}
}

// sockets samples the kernel's tables: often those of UDP, which are short and show
// questions to a name server, seldom those of TCP, which take milliseconds to walk.
func (t *tap) sockets(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.sample("udp")
			t.sample("udp6")
			if n%10 == 0 {
				t.sample("tcp")
				t.sample("tcp6")
			}
		}
	}
}

// home are the addresses that are no peer abroad: none yet, and loopback.
func home(remote string) bool {
	switch remote {
	case "00000000", "00000000000000000000000000000000", "00000000000000000000000001000000":
		return true
	}
	return strings.HasSuffix(remote, "7F") && (len(remote) == 8 || strings.HasPrefix(remote, "0000000000000000FFFF0000"))
}

// sample looks for a peer abroad in one table.
func (t *tap) sample(table string) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", t.pid, table))
	if err != nil {
		return // this kernel has no such table, or the server is gone
	}
	defer f.Close()
	var ours map[string]bool
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			continue
		}
		remote, _, ported := strings.Cut(fields[2], ":")
		if !ported || home(remote) {
			continue
		}
		if ours == nil {
			ours = t.inodes()
		}
		if ours[fields[9]] {
			t.note("the server has a %s socket towards %s", table, fields[2])
		}
	}
}

// inodes are the server's sockets.
func (t *tap) inodes() map[string]bool {
	ours := make(map[string]bool)
	dir := fmt.Sprintf("/proc/%d/fd", t.pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return ours // the server is gone
	}
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join(dir, fd.Name()))
		if inode, is := strings.CutPrefix(target, "socket:["); err == nil && is {
			ours[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return ours
}

// trap listens where a vector wants the server to connect to.
func (t *tap) trap(addr string) error {
	if slices.ContainsFunc(t.traps, func(l net.Listener) bool { return l.Addr().String() == addr }) {
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	t.traps = append(t.traps, l)
	t.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
			t.note("somebody connected to %s", addr)
		}
	})
	return nil
}

// watch reports when the server opens one of the files.
func (t *tap) watch(paths []string) {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC)
	for _, path := range paths {
		if err == nil {
			err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN, unix.AT_FDCWD, path)
		}
	}
	if err != nil {
		t.blind = append(t.blind, fmt.Sprintf("no-fetch: a file that is read and never shown is not seen here (fanotify: %v)", err))
		return
	}
	t.files = fd
	t.wg.Go(func() { t.openings(fd) })
}

// openings reads the kernel's events until stop.
func (t *tap) openings(fd int) {
	buf := make([]byte, 8<<10)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			if t.over() {
				return
			}
			time.Sleep(20 * time.Millisecond)
			continue
		case err != nil:
			return
		}
		for rest := buf[:n]; len(rest) >= unix.FAN_EVENT_METADATA_LEN; {
			size, file, pid := opening(rest)
			if pid == t.pid {
				path, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", file)) // its name is only for the report
				t.note("the server opened %s", path)
			}
			if file >= 0 {
				_ = unix.Close(file) // it was only named
			}
			rest = rest[min(max(size, unix.FAN_EVENT_METADATA_LEN), len(rest)):]
		}
	}
}

// opening reads fanotify_event_metadata (fanotify(7)): length, then at 16 the file and
// at 20 the process.
func opening(b []byte) (size, file, pid int) {
	word := func(at int) int {
		return int(int32(uint32(b[at]) | uint32(b[at+1])<<8 | uint32(b[at+2])<<16 | uint32(b[at+3])<<24))
	}
	return word(0), word(16), word(20)
}

// over reports whether the watch has ended.
func (t *tap) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}
