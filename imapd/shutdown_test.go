package imapd_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// TestShutdownSaysByeAndLeavesNothing: idle clients, one in IDLE, one in the
// clear, one that has sent half a command. No goroutine outlives the server.
func TestShutdownSaysByeAndLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	w := sqliteWorld(t, imapd.Options{})
	w.box(patient)
	idle, _ := w.raw(t)
	io.WriteString(idle, "a SELECT INBOX\r\nb IDLE\r\n")
	quiet, _ := w.raw(t)
	half, _ := w.raw(t)
	io.WriteString(half, "c SEL")
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		t.Fatalf("shutdown: %v", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("shutdown took %v", took)
	}
	for _, c := range []io.Reader{idle, quiet, half} {
		b, _ := io.ReadAll(c)
		if !strings.Contains(string(b), "* BYE The server is shutting down\r\n") {
			t.Errorf("last words: %q", b)
		}
	}
	w.db.Close()
	if err := goleak.Find(before, goleak.IgnoreTopFunction("testing.(*T).Parallel")); err != nil {
		t.Error(err)
	}
}
