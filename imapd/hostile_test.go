package imapd_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// hostileStep is one step of a vector; the grammar is in the corpus' manifest.
type hostileStep struct {
	S     *string                                         `json:"s"`
	B64   *string                                         `json:"b64"`
	Rep   []json.RawMessage                               `json:"rep"`
	X     string                                          `json:"x"`
	Any   []string                                        `json:"any"`
	Not   string                                          `json:"not"`
	XNone int                                             `json:"x_none"`
	Drain int                                             `json:"drain"`
	TLS   bool                                            `json:"tls"`
	Login string                                          `json:"login"`
	Plain *struct{ Tag, Authzid, Authcid, Secret string } `json:"sasl_plain"`
	Prev  string                                          `json:"if_prev"`
	Loop  []hostileStep                                   `json:"loop"`
	Count int                                             `json:"count"`
	May   bool                                            `json:"may_fail"`
}

// TestHostileVectors plays data/hostile/imap against the real server: every step
// answers as its vector allows, a control session works after each, and memory
// stays where it was.
func TestHostileVectors(t *testing.T) {
	t.Parallel()
	files := corpus(t, filepath.Join("hostile", "imap"))
	w := sqliteWorld(t, imapd.Options{})
	w.box(patient)
	for range 3 {
		w.deliver(patient, "", text("letter", strings.Repeat("line\n", 1000)))
	}
	w.deliver("patient2@patient.example", "", text("other", "MSSMARK-other"))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	t.Run("vectors", func(t *testing.T) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				t.Parallel()
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				var v struct{ Steps []hostileStep }
				if err := json.Unmarshal(b, &v); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				h := &hostile{t: t, w: w}
				h.open(strings.HasPrefix(filepath.Base(file), "starttls") || filepath.Base(file) == "login-clear.json")
				for _, s := range v.Steps {
					if !h.step(s) {
						break
					}
				}
				h.conn.Close()
				if took := time.Since(begin); took > 8*time.Second {
					t.Errorf("took %v", took)
				}
				h.control()
			})
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("the heap grew by %d octets", grown)
	}
	if log := w.log.String(); strings.Contains(log, "imap.panic") || strings.Contains(log, "\x1b") {
		t.Errorf("the log holds a panic, or what a client sent")
	}
}

// hostile is one vector being played.
type hostile struct {
	t    *testing.T
	w    *world
	conn net.Conn
	br   *bufio.Reader
	prev string
}

func (h *hostile) open(clear bool) {
	h.t.Helper()
	address := h.w.implicit
	if clear {
		address = h.w.starttls
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.conn = c; !clear {
		h.conn = tls.Client(c, h.w.pki.client(""))
	}
	h.br = bufio.NewReader(h.conn)
}

// step plays a step; false ends the vector: the server closed, as it may.
func (h *hostile) step(s hostileStep) bool {
	h.t.Helper()
	if s.Prev != "" && !regexp.MustCompile(s.Prev).MatchString(h.prev) {
		return false // what follows is the answer to what was not sent
	}
	switch {
	case s.S != nil:
		h.write([]byte(*s.S))
	case s.B64 != nil:
		b, err := base64.StdEncoding.DecodeString(*s.B64)
		if err != nil {
			h.t.Fatal(err)
		}
		h.write(b)
	case s.Rep != nil:
		var unit string
		var n int
		if json.Unmarshal(s.Rep[0], &unit) != nil || json.Unmarshal(s.Rep[1], &n) != nil {
			h.t.Fatal("rep")
		}
		h.write([]byte(strings.Repeat(unit, n)))
	case s.X != "":
		return h.expect([]string{s.X}, s.Not)
	case s.Any != nil:
		return h.expect(s.Any, s.Not)
	case s.XNone > 0:
		if line, err := h.read(time.Duration(s.XNone) * time.Millisecond); err == nil {
			h.t.Errorf("got %q, want silence", line)
		}
	case s.Drain > 0:
		h.drain(time.Duration(s.Drain) * time.Millisecond)
	case s.TLS:
		c := tls.Client(h.conn, h.w.pki.client(""))
		_ = c.SetDeadline(time.Now().Add(2 * time.Second))
		if err := c.Handshake(); err != nil {
			if !s.May {
				h.t.Errorf("handshake: %v", err)
			}
			return false
		}
		h.conn, h.br = c, bufio.NewReader(c)
	case s.Login != "":
		h.write([]byte("login LOGIN " + patient + " " + password + "\r\n"))
		return h.expect([]string{"^login OK"}, "")
	case s.Plain != nil:
		ir := base64.StdEncoding.EncodeToString([]byte("patient2@patient.example\x00" + patient + "\x00" + password))
		h.write([]byte(s.Plain.Tag + " AUTHENTICATE PLAIN " + ir + "\r\n"))
	case s.Loop != nil:
		for range s.Count {
			for _, inner := range s.Loop {
				if !h.step(inner) {
					return false
				}
			}
		}
	}
	return true
}

// write sends in the background of a bounded time: a server may refuse to read.
func (h *hostile) write(b []byte) {
	_ = h.conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	_, _ = h.conn.Write(b)
}

func (h *hostile) read(d time.Duration) (string, error) {
	_ = h.conn.SetReadDeadline(time.Now().Add(d))
	line, err := h.br.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// expect reads lines until one matches.
func (h *hostile) expect(want []string, not string) bool {
	h.t.Helper()
	for {
		line, err := h.read(5 * time.Second)
		if err != nil {
			if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() && !strings.Contains(err.Error(), "reset") {
				h.t.Errorf("no answer, want %q", want)
			}
			for _, w := range want {
				if w == "CLOSE" || strings.Contains(w, "BYE") {
					return false
				}
			}
			h.t.Errorf("closed, want %q after %q", want, h.prev)
			return false
		}
		if not != "" && regexp.MustCompile(not).MatchString(line) {
			h.t.Errorf("got %q", line)
		}
		if strings.Contains(line, "MSSMARK-other") {
			h.t.Errorf("another account: %q", line)
		}
		for _, w := range want {
			if regexp.MustCompile(w).MatchString(line) {
				h.prev = line
				return true
			}
		}
	}
}

func (h *hostile) drain(d time.Duration) {
	_ = h.conn.SetReadDeadline(time.Now().Add(min(d, 500*time.Millisecond)))
	_, _ = io.Copy(io.Discard, h.br)
}

// control is an ordinary session after the vector.
func (h *hostile) control() {
	h.t.Helper()
	begin := time.Now()
	c, br := h.w.raw(h.t)
	defer c.Close()
	fmt.Fprintf(c, "z SELECT INBOX\r\n")
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			h.t.Fatalf("control session: %v", err)
		}
		if strings.HasPrefix(line, "z OK") {
			break
		}
	}
	if took := time.Since(begin); took > 2*time.Second {
		h.t.Errorf("the control session took %v", took)
	}
}
