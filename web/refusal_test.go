package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Hostile vectors csrf, idor, response-headers-S4: the audit log tells of what the door
// refused, once a minute for each of the same, with a reason and no content.
func TestTheAuditLogTellsOfRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	b := w.signedIn("jeanne")
	for range 3 {
		b.do(http.MethodPost, "/logout", "", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }).want(t, http.StatusForbidden)
		b.get("/messages/"+identity.NewID()).want(t, http.StatusNotFound)
		b.get("/documents/"+identity.NewID()).want(t, http.StatusNotFound)
		b.do(http.MethodGet, "/", "", func(r *http.Request) { r.Host = "evil.example" }).want(t, http.StatusMisdirectedRequest)
		b.get("/nothing").want(t, http.StatusNotFound)
		b.get("/messages?folder=nothing").want(t, http.StatusNotFound)
		w.browser().get("/messages/"+identity.NewID()).want(t, http.StatusUnauthorized)
	}
	got := w.Leaves("web.refused")
	for _, reason := range []string{"foreign-origin", "letter-unknown", "document-unknown", "host-unknown"} {
		n := 0
		for _, line := range got {
			if strings.Contains(line, `"reason":"`+reason+`"`) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d leaves tell of %s, want 1", n, reason)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d leaves, want 4: %s", len(got), strings.Join(got, "\n"))
	}
	for _, line := range got {
		door := strings.Contains(line, "foreign-origin") || strings.Contains(line, "host-unknown") // before anybody is known
		if strings.Contains(line, `"actor"`) == door || strings.Contains(line, "evil") || strings.Contains(line, "jeanne") {
			t.Errorf("a leaf says %s", line)
		}
	}
}

// Hostile vector upload-S3: of many uploads of one person two go on; nobody else waits.
func TestUploadsOfOnePersonAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.patient("jeanne")
	w.patient("paul")
	w.letter("jeanne", deliverytest.Text("dr.berrahal@"+deliverytest.City, "Votre retour"))
	b := w.signedIn("jeanne")
	id := facts[struct{ Messages []struct{ ID string } }](t, b.json("/messages")).Messages[0].ID
	at := "/messages/" + id + "/reply"
	upload := func(body io.Reader) (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.https.URL+at, body)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		return b.Do(r)
	}
	var ends []*io.PipeWriter
	done := make(chan error, 2)
	for range 2 {
		read, write := io.Pipe()
		ends = append(ends, write)
		go func() {
			a, err := upload(read)
			if err == nil {
				err = a.Body.Close()
			}
			done <- err
		}()
		if _, err := io.WriteString(write, "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	refused := 0
	for end := time.Now().Add(10 * time.Second); refused == 0 && time.Now().Before(end); {
		a, err := upload(strings.NewReader("--b--\r\n")) // until both others are inside
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("a third upload is taken beside two")
	}
	w.signedIn("paul").get("/messages").want(t, http.StatusOK)
	for _, end := range ends {
		_, _ = io.WriteString(end, "Merci.\r\n--b--\r\n")
		end.Close()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	b.post(at, "text", "Merci.").want(t, http.StatusSeeOther)
}
