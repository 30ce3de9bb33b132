package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// flushCalls are the system calls that flush to a disk.
const flushCalls = "fsync,fdatasync,msync,sync,syncfs,sync_file_range"

// traced puts a program under strace, which writes each of its flushes with its
// time to a file. With --seccomp-bpf only those calls stop the program; with -D
// the program stays our child. An error says that strace is not there.
func traced(file, program string, args ...string) (*exec.Cmd, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, fmt.Errorf("flushes are counted with strace, which is not installed: %w", err)
	}
	return exec.Command(strace, append([]string{
		"-D", "-f", "--seccomp-bpf", "-qq", "-ttt", "-e", "trace=" + flushCalls, "-e", "signal=none", "-o", file, program,
	}, args...)...), nil
}

// countFlushes counts the flushes in a trace that began in a window. A call that
// is interrupted in the trace by another thread's has two lines; the second is
// "resumed".
func countFlushes(file string, from, to time.Time) (n int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	seen := false
	for lines.Scan() {
		at, call, ok := traceLine(lines.Text())
		if !ok {
			continue
		}
		seen = true
		if strings.HasPrefix(call, "<...") || at.Before(from) || !at.Before(to) {
			continue
		}
		n++
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if !seen {
		return 0, errors.New("strace wrote nothing")
	}
	return n, nil
}

// traceLine cuts "PID SECONDS.MICROS CALL…".
func traceLine(line string) (at time.Time, call string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return at, "", false
	}
	whole, part, ok := strings.Cut(fields[1], ".")
	if !ok || len(part) != 6 {
		return at, "", false
	}
	s, err1 := strconv.ParseInt(whole, 10, 64)
	us, err2 := strconv.ParseInt(part, 10, 64)
	if err1 != nil || err2 != nil {
		return at, "", false
	}
	return time.Unix(s, us*1000), fields[2], true
}
