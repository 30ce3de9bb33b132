package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// stream opens /live and returns what it says, line by line.
func (b *browser) stream(ctx context.Context) (<-chan string, int) {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.w.https.URL+"/live", nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	client := *b.Client
	client.Timeout = 0
	answer, err := client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() { // ends with the context or the server
		defer answer.Body.Close()
		defer close(lines)
		for scan := bufio.NewScanner(answer.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return lines, answer.StatusCode
}

// until waits for a line.
func until(t *testing.T, lines <-chan string, want string) bool {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case line, more := <-lines:
			if !more {
				return false
			}
			if line == want {
				return true
			}
		case <-late:
			t.Fatalf("no %q in ten seconds", want)
		}
	}
}

func TestNewsComesByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.patient("jeanne")
	paul := w.patient("paul")
	b := w.signedIn("jeanne")
	lines, status := b.stream(t.Context())
	if status != http.StatusOK {
		t.Fatalf("the stream: %d", status)
	}
	time.Sleep(100 * time.Millisecond) // the subscription comes after the headers
	w.letter("jeanne", mixed("jeanne"))
	if !until(t, lines, "event: change") || !until(t, lines, "data: 1 lettre nouvelle.") {
		t.Error("a letter came unheard")
	}
	b.get("/").want(t, http.StatusOK, "<title>(1) Accueil · Jeanne</title>", "Vous avez 1 lettre à ouvrir", `id="home-new" data-live`, "Dr Salima")
	w.document(h)
	if !until(t, lines, "data: La page est à jour.") {
		t.Error("a document came unheard")
	}
	w.event(h)
	if !until(t, lines, "data: La page est à jour.") {
		t.Error("an invitation came unheard")
	}
	w.document(paul) // nobody else's news
	b.post("/logout").want(t, http.StatusSeeOther)
	for line := range lines {
		if strings.HasPrefix(line, "event: change") {
			t.Error("somebody else's news")
		}
		if line == "event: over" {
			return
		}
	}
	t.Error("the stream did not say that the session is over")
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.signedIn("jeanne")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 6 {
		if _, status := b.stream(ctx); status != http.StatusOK {
			t.Fatalf("a stream: %d", status)
		}
	}
	if _, status := b.stream(ctx); status != http.StatusTooManyRequests {
		t.Errorf("the seventh stream: %d", status)
	}
	cancel()
	for range 100 {
		if _, status := b.stream(t.Context()); status == http.StatusOK {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("streams that ended are counted for ever")
}

func TestDrainEndsTheStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	lines, _ := w.signedIn("jeanne").stream(t.Context())
	w.server.Drain()
	w.server.Drain()
	for range lines { //nolint:revive // until it is closed
	}
}
