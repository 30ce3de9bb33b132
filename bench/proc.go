package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of processor time in /proc (proc_pid_stat(5)): Linux shows
// 1/100 s on every architecture that Go knows.
const tick = 10 * time.Millisecond

// processors is how many processors the machine has.
func processors() float64 { return float64(runtime.NumCPU()) }

// stat returns the parent and the processor time, user and system, of a process.
func stat(pid int) (parent int, used time.Duration, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	return parseStat(string(data))
}

// parseStat reads /proc/PID/stat; the command's name in it may hold anything.
func parseStat(data string) (parent int, used time.Duration, err error) {
	at := strings.LastIndexByte(data, ')')
	if at < 0 {
		return 0, 0, errors.New("/proc: a stat without a name")
	}
	fields := strings.Fields(data[at+1:]) // from field 3 of proc_pid_stat(5) on
	if len(fields) < 13 {
		return 0, 0, errors.New("/proc: a short stat")
	}
	parent, err1 := strconv.Atoi(fields[1])              // field 4
	user, err2 := strconv.ParseInt(fields[11], 10, 64)   // field 14
	system, err3 := strconv.ParseInt(fields[12], 10, 64) // field 15
	if err := errors.Join(err1, err2, err3); err != nil {
		return 0, 0, fmt.Errorf("/proc: %w", err)
	}
	return parent, time.Duration(user+system) * tick, nil
}

// family returns the processor time of a process and its living children.
func family(pid int) (time.Duration, error) {
	_, sum, err := stat(pid)
	if err != nil {
		return 0, err
	}
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, file := range found {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		if parent, used, err := parseStat(string(data)); err == nil && parent == pid {
			sum += used
		}
	}
	return sum, nil
}

// own returns the processor time of this process.
func own() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machine returns the time that all processors together were not idle.
func machine() (time.Duration, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, errors.New("/proc/stat: no line of all processors")
	}
	var busy int64
	for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		if i != 3 && i != 4 {
			busy += n
		}
	}
	return time.Duration(busy) * tick, nil
}

// memory returns a process's resident octets: now, and at most since it began or
// since forgetPeak.
func memory(pid int) (now, peak int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	value := func(key string) int64 {
		for line := range bytes.Lines(data) {
			fields := strings.Fields(string(line))
			if len(fields) == 3 && fields[0] == key {
				n, err := strconv.ParseInt(fields[1], 10, 64)
				if err == nil {
					return n << 10
				}
			}
		}
		return 0
	}
	return value("VmRSS:"), value("VmHWM:"), nil
}

// forgetPeak lets a process's peak begin anew from what it has now (proc(5),
// clear_refs).
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// model returns the name of the processor.
func model() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
