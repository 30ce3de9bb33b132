package imapd_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// quick are times short enough to wait for.
func quick() imapd.Times {
	return imapd.Times{PreAuth: 300 * time.Millisecond, Idle: 300 * time.Millisecond, Command: 200 * time.Millisecond}
}

// untilClosed returns how long the server keeps a connection, and its last words.
func untilClosed(t *testing.T, c net.Conn) (time.Duration, string) {
	t.Helper()
	begin := time.Now()
	_ = c.SetReadDeadline(begin.Add(5 * time.Second))
	b, err := io.ReadAll(c)
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		t.Errorf("still open after %v", time.Since(begin))
	}
	return time.Since(begin), string(b)
}

// TestSilentClientsAreDropped: spec mail-libraries A.6.3. Silence and dripping end
// at the total time before login, on both listeners, in every phase.
func TestSilentClientsAreDropped(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{Times: quick()})
	rows := []struct {
		name, address string
		tls           bool
		drip          string
	}{
		{"before the handshake", w.implicit, false, ""},
		{"dripping a handshake", w.implicit, false, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
		{"after the handshake", w.implicit, true, ""},
		{"in the clear", w.starttls, false, ""},
		{"dripping a command", w.implicit, true, "a LOGIN aaaaaaaaaaaaaaaaaaaaaaaa"},
		{"dripping in the clear", w.starttls, false, "a CAPABILITY aaaaaaaaaaaaaaaaaa"},
		{"NOOP for ever", w.implicit, true, "a NOOP\r\nb NOOP\r\nc NOOP\r\nd NOOP\r\ne NOOP\r\nf NOOP\r\n"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", row.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if row.tls {
				c = tls.Client(c, w.pki.client(""))
			}
			go func() {
				for i := range len(row.drip) {
					if _, err := io.WriteString(c, row.drip[i:i+1]); err != nil {
						return
					}
					time.Sleep(30 * time.Millisecond)
				}
			}()
			if row.tls {
				if err := c.(*tls.Conn).Handshake(); err != nil {
					t.Fatal(err)
				}
			}
			took, words := untilClosed(t, c)
			if took > 2*time.Second {
				t.Errorf("kept for %v", took)
			}
			if (row.tls || row.address == w.starttls) && !strings.Contains(words, "* BYE Too long") {
				t.Errorf("last words: %q", words)
			}
		})
	}
}

// TestIdleTimesAfterLogin: silence between commands, inside one, and in IDLE.
func TestIdleTimesAfterLogin(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{Times: quick()})
	w.box(patient)
	for _, row := range []string{"", "a SEL", "a IDLE\r\n", "a APPEND INBOX {100}\r\nabc"} {
		t.Run(row, func(t *testing.T) {
			t.Parallel()
			c, br := w.raw(t)
			if _, err := io.WriteString(c, row); err != nil {
				t.Fatal(err)
			}
			took, _ := untilClosed(t, c)
			if took < 150*time.Millisecond || took > 2*time.Second {
				t.Errorf("kept for %v", took)
			}
			_ = br
		})
	}
}

// raw returns a connection that is logged in.
func (w *world) raw(t testing.TB) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := tls.Dial("tcp", w.implicit, w.pki.client(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	br := bufio.NewReader(c)
	fmt.Fprintf(c, "login LOGIN %s %s\r\n", patient, password)
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "login OK") {
			return c, br
		}
	}
}

// TestASessionEndsWithItsTime: keys are released for a bounded time, whatever the
// client does.
func TestASessionEndsWithItsTime(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{Times: imapd.Times{Session: 300 * time.Millisecond}})
	w.box(patient)
	c, _ := w.raw(t)
	go func() {
		for {
			if _, err := io.WriteString(c, "a NOOP\r\n"); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if took, _ := untilClosed(t, c); took > 2*time.Second {
		t.Errorf("kept for %v", took)
	}
}

// TestLimitsOfConnections: per peer with BYE after the handshake, per box with NO.
func TestLimitsOfConnections(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{Limits: imapd.Limits{PerPeer: 3, PerBox: 2}})
	w.box(patient)
	one, _ := w.raw(t)
	w.raw(t)
	c, err := tls.Dial("tcp", w.implicit, w.pki.client(""))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	br := bufio.NewReader(c)
	_, _ = br.ReadString('\n')
	fmt.Fprintf(c, "a LOGIN %s %s\r\n", patient, password)
	if line, _ := br.ReadString('\n'); !strings.HasPrefix(line, "a NO [LIMIT]") {
		t.Errorf("third session on a box: %q", line)
	}
	fourth, err := tls.Dial("tcp", w.implicit, w.pki.client(""))
	if err != nil {
		t.Fatal(err)
	}
	defer fourth.Close()
	if _, words := untilClosed(t, fourth); !strings.HasPrefix(words, "* BYE [LIMIT]") {
		t.Errorf("fourth connection of a peer: %q", words)
	}
	clear, err := net.Dial("tcp", w.starttls)
	if err != nil {
		t.Fatal(err)
	}
	defer clear.Close()
	if _, words := untilClosed(t, clear); !strings.HasPrefix(words, "* BYE [LIMIT]") {
		t.Errorf("fourth connection in the clear: %q", words)
	}
	// What left makes room.
	one.Close()
	deadline := time.Now().Add(2 * time.Second)
	for {
		if c, err := imapclient.DialTLS(w.implicit, &imapclient.Options{TLSConfig: w.pki.client("")}); err == nil {
			err := c.Login(patient, password).Wait()
			c.Close()
			if err == nil {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no room after one left")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestAClientThatDoesNotRead is dropped instead of holding a session for ever.
func TestAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{Times: imapd.Times{Write: 200 * time.Millisecond}})
	w.deliver(patient, "", append(text("large", ""), make([]byte, 24<<20)...))
	c, _ := w.raw(t)
	if _, err := io.WriteString(c, "a SELECT INBOX\r\nb FETCH 1 BODY[]\r\n"); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(w.log.String(), "imap.close") {
		if time.Now().After(deadline) {
			t.Fatal("the session is still there")
		}
		time.Sleep(20 * time.Millisecond)
	}
}
