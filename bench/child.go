package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// grace is how long a child may take to stop before it is killed.
const grace = 10 * time.Second

// child is a process of our own program that serves what is measured.
type child struct {
	cmd   *exec.Cmd
	log   string // the file of what it said
	ended chan struct{}
}

// spawn starts a program whose output goes to the file log. It ends with us,
// however we end.
func spawn(cmd *exec.Cmd, log string) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	if cmd.Stdout == nil {
		cmd.Stdout = out
	}
	cmd.Stderr = out
	cmd.SysProcAttr = bound()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() { // ends with the child, which stop waits for
		_ = cmd.Wait() // its state tells
		close(c.ended)
	}()
	return c, nil
}

// pid is the child's process number.
func (c *child) pid() int { return c.cmd.Process.Pid }

// await waits until a file appears that the child makes.
func (c *child) await(ctx context.Context, file string) error {
	for {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return fmt.Errorf("it ended before it was ready (%v): %s", c.cmd.ProcessState, c.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lastWords are the last lines that the child printed.
func (c *child) lastWords() string {
	data, err := os.ReadFile(c.log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}

// stop asks the child to end, and insists after a while.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-c.ended:
		return nil
	case <-time.After(grace):
		_ = c.cmd.Process.Kill()
		<-c.ended
		return errors.New("it did not stop and was killed")
	}
}

// floorChild is the floor in a process of its own.
type floorChild struct {
	*child
	addr string
	ask  io.WriteCloser
	told *bufio.Reader
}

// startFloor runs "bench floor" of a program.
func startFloor(ctx context.Context, program string, f FloorFiles) (*floorChild, error) {
	cmd := exec.CommandContext(ctx, program, "bench", "floor", "--cert", f.Cert, "--key", f.Key, "--ca", f.CA, "--dir", f.Dir)
	ask, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c, err := spawn(cmd, filepath.Join(f.Dir, "floor.err"))
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	fc := &floorChild{child: c, ask: ask, told: bufio.NewReader(told)}
	line, err := fc.told.ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("floor: %s: %w", c.lastWords(), err), c.stop())
	}
	fc.addr = strings.TrimSpace(line)
	return fc, nil
}

// stop ends the floor by the end of its input.
func (f *floorChild) stop() error {
	f.ask.Close() // closed already if it ended before
	return f.child.stop()
}

// flushes asks for the number of flushes so far.
func (f *floorChild) flushes() (n int64, err error) {
	if _, err := io.WriteString(f.ask, "\n"); err != nil {
		return 0, err
	}
	line, err := f.told.ReadString('\n')
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(line, &n)
	return n, err
}
