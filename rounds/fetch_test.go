package rounds_test

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/rounds"
)

func TestAFetchBelievesTheTrustSpacesRootsOnly(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("liste")) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // a handshake will fail
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	data, err := rounds.NewFetcher(pool).Get(t.Context(), s.URL)
	if err != nil || string(data) != "liste" {
		t.Errorf("got %q, %v", data, err)
	}
	_, err = rounds.NewFetcher(x509.NewCertPool()).Get(t.Context(), s.URL)
	if !fault.Is(err, fault.Transient) || fault.Reason(err) != "fetch-failed" {
		t.Errorf("of another authority: %v", err)
	}
}

func TestAFetchAsksOnlyForWhatChanged(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte("liste"))
	}))
	t.Cleanup(s.Close)
	f := rounds.NewFetcher(x509.NewCertPool())
	data, tag, err := f.Changed(t.Context(), s.URL, "")
	if err != nil || string(data) != "liste" || tag != `"v1"` {
		t.Fatalf("first: %q, %s, %v", data, tag, err)
	}
	if data, tag, err = f.Changed(t.Context(), s.URL, tag); err != nil || data != nil || tag != `"v1"` {
		t.Errorf("unchanged: %q, %s, %v", data, tag, err)
	}
}

func TestAFetchFollowsNoRedirectAndTakesNoPageOfErrors(t *testing.T) {
	t.Parallel()
	followed := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/elsewhere":
			followed = true
		default:
			http.Error(w, "not here", http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	f := rounds.NewFetcher(x509.NewCertPool())
	for _, path := range []string{"/moved", "/missing", "\x7f"} {
		if data, err := f.Get(t.Context(), s.URL+path); fault.Reason(err) != "fetch-failed" || data != nil {
			t.Errorf("%q: %q, %v", path, data, err)
		}
	}
	if followed {
		t.Error("the redirect was followed")
	}
}

func TestAFetchIsBounded(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("liste")) }))
	t.Cleanup(s.Close)
	f := rounds.NewFetcher(x509.NewCertPool())
	if data, err := f.Most(5).Get(t.Context(), s.URL); err != nil || string(data) != "liste" {
		t.Errorf("of the largest size: %q, %v", data, err)
	}
	if _, err := f.Most(4).Get(t.Context(), s.URL); fault.Reason(err) != "fetch-failed" {
		t.Errorf("one octet more: %v", err)
	}
}
