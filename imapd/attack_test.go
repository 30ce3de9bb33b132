package imapd_test

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// TestOctetsOfAMessageNeverRun uploads a message made of commands in every way
// that a server may refuse: whatever it answers, no command of it was carried out
// (spec mail-libraries A.6.1 and A.6.2).
func TestOctetsOfAMessageNeverRun(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{Limits: imapd.Limits{Message: 1 << 20}})
	w.box(patient)
	commands := []string{
		"APPEND INBOX ", "APPEND Nowhere ", "APPEND INBOX (\\Seen) ", "APPEND INBOX (\\Seen ", "APPEND &x ",
		"APPEND INBOX \"bad date\" ", "APPEND INBOX NONSENSE ", "APPEND INBOX UTF8 (~", "APPEND INBOX CATENATE (TEXT ",
		"APPEND ", "LOGIN ", "SELECT ", "SEARCH TEXT ", "SEARCH ", "FETCH 1 ", "NOOP ", "XYZZY ", "IDLE ", "UID ", "LIST \"\" ",
		"AUTHENTICATE PLAIN ", "STORE 1 FLAGS ", "APPEND INBOX {5+}\r\nhello ", "APPEND Nowhere {5+}\r\nhello ", "SELECT \"x ",
	}
	const line = "x CREATE pwned\r\n"
	for _, command := range commands {
		for _, size := range []int64{0, 16, 1600, 4096, 4097, 16_000, 1<<20 + 1, 104_857_601, 1 << 62} {
			for _, plus := range []string{"", "+"} {
				c, _ := w.raw(t)
				go func() { _, _ = io.Copy(io.Discard, c) }()
				_ = c.SetDeadline(time.Now().Add(3 * time.Second))
				first := fmt.Sprintf("a %s{%d%s}\r\n", command, size, plus)
				lines := strings.Repeat(line, int(min(size, 200_000)/int64(len(line))+1))
				// In one write, as a client that waits for nothing.
				_, _ = io.WriteString(c, first+lines)
				c.Close()
			}
		}
	}
	c := w.dial(patient, nil)
	found, err := c.List("", "pwned*", nil).Collect()
	if err != nil || len(found) > 0 {
		t.Errorf("a message was run: %v, %v", found, err)
	}
}

// TestMemoryStaysBounded fetches a letter of 48 MiB whole and part by part while
// looking at the heap.
func TestMemoryStaysBounded(t *testing.T) {
	w := sqliteWorld(t, imapd.Options{})
	const size = 48 << 20
	w.deliver(patient, "", append(text("large", ""), []byte(strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab\r\n", size/62))...))
	// What other tests left alive must not decide when garbage is collected: with the
	// usual pace the heap may double, whatever this one holds.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapInuse)
			}
		}
	}()
	c, br := w.raw(t)
	begin := time.Now()
	fmt.Fprintf(c, "a SELECT INBOX\r\nb FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT])\r\nc SEARCH BODY nowhere-in-it\r\n")
	got := 0
	for {
		line, err := br.ReadSlice('\n')
		if got += len(line); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(line), "c OK") {
			break
		}
	}
	took := time.Since(begin)
	close(stop)
	<-done
	if got < 2*size-1000 {
		t.Errorf("only %d octets came", got)
	}
	grown := int64(peak) - int64(before.HeapInuse)
	t.Logf("%d MiB in %v, heap grew by %d KiB", got>>20, took, grown>>10)
	if grown > 24<<20 {
		t.Errorf("the heap grew by %d octets", grown)
	}
}

// TestALongUninvitedMessageIsConsumed: RFC 7888 5, LITERAL-. The session goes on.
func TestALongUninvitedMessageIsConsumed(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{})
	w.box(patient)
	c, br := w.raw(t)
	fmt.Fprintf(c, "a APPEND INBOX {5008+}\r\n%s\r\nb NOOP\r\n", strings.Repeat("x LOGOUT", 626))
	for _, want := range []string{"a BAD [TOOBIG] Wait for the invitation\r\n", "b OK NOOP completed\r\n"} {
		if got, err := br.ReadString('\n'); got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}
