package web_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
	"github.com/vaguemestre/vaguemestre/web"
)

var update = flag.Bool("update", false, "write the golden pages anew")

func TestMain(m *testing.M) { deliverytest.Main(m) }

// world is an operator with a web door, over TLS, and a clock that stands still.
type world struct {
	*deliverytest.Operator
	t      *testing.T
	clock  *deliverytest.Clock
	server *web.Server
	https  *httptest.Server
}

// password is everybody's.
const password = "quatre mots sans lien"

func newWorld(t *testing.T) *world { return newWorldAt(t, storetest.SQLiteDSN(t)) }

func newWorldAt(t *testing.T, dsn string) *world {
	t.Helper()
	poke := bus.InProcess()
	t.Cleanup(func() { _ = poke.Close() })
	w := &world{t: t, clock: new(deliverytest.Clock)}
	db := storetest.Open(t, dsn, store.Options{Publish: func(topics []string) { poke.Publish(topics...) }, Clock: w.clock.Now})
	w.Operator = deliverytest.New(t, db, deliverytest.Options{Porter: porter.Options{Clock: w.clock.Now, Name: "essai"}})
	log := slog.New(slog.NewJSONHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	w.server, err = web.New(web.Parts{
		DB: db, Blobs: w.Blobs, Works: w.Works, Porter: w.Porter, Office: w.Office, Bus: poke, Log: log,
		Reading: reading.New(reading.Parts{DB: db, Blobs: w.Blobs, Works: w.Works, Office: w.Office, Log: log, SpoolDir: t.TempDir()}),
	}, web.Options{Name: "essai", Host: "mes.essai.example", Hosts: []string{"autre.example:8443"}, Help: "02 61 91 00 42", Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.https = httptest.NewUnstartedServer(w.server)
	w.https.Config.MaxHeaderBytes = 16 << 10
	w.https.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	w.https.StartTLS()
	t.Cleanup(func() { w.server.Drain(); w.https.Close() })
	return w
}

// patient opens the space of somebody who signs in by the part before the @.
func (w *world) patient(name string) deliverytest.Holder {
	w.t.Helper()
	address := deliverytest.Address(w.t, name+"@"+deliverytest.Patients)
	given := strings.ToUpper(name[:1]) + name[1:]
	secret := account.NewSecret()
	_, err := w.Registrar.Open(w.t.Context(), lifecycle.Opening{
		Kind: mailbox.Patient, Address: address, Password: &secret, WebLogin: name, WebPassword: password,
		Person: account.Person{Name: given + " Morvan", Given: given, Family: "Morvan", BirthDate: "1951-03-12", Sex: "F"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	h := deliverytest.Holder{Password: secret}
	w.Read(func(tx *store.Tx) (err error) {
		h.Box, err = mailbox.Find(tx, w.Works, address)
		return err
	})
	return h
}

// letter brings a letter from a doctor of the city.
func (w *world) letter(to, text string) {
	w.t.Helper()
	from := "dr.berrahal@" + deliverytest.City
	if text == "" {
		text = deliverytest.Text(from, "Votre retour")
	}
	if err := deliverytest.Send(w.Peer(deliverytest.City), from, []string{to + "@" + deliverytest.Patients}, text); err != nil {
		w.t.Fatal(err)
	}
}

// browser is somebody's browser: cookies, and no redirect followed.
type browser struct {
	*http.Client
	w *world
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w: w, Client: &http.Client{
		Transport: w.https.Client().Transport, Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signedIn is the browser of somebody who has signed in.
func (w *world) signedIn(name string) *browser {
	w.t.Helper()
	b := w.browser()
	if a := b.post("/login", "web_login", name, "web_password", password); a.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("sign in as %s: %d %s", name, a.StatusCode, a.text)
	}
	return b
}

// answered is an answer that was read whole.
type answered struct {
	*http.Response
	text string
}

// do sends a request; change, if any, has the last word on it.
func (b *browser) do(method, path, body string, change func(*http.Request)) answered {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.https.URL+path, strings.NewReader(body))
	if err != nil {
		b.w.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	answer, err := b.Do(r)
	if err != nil {
		b.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answered{answer, string(text)}
}

func (b *browser) get(path string) answered {
	b.w.t.Helper()
	return b.do(http.MethodGet, path, "", nil)
}

func (b *browser) json(path string) answered {
	b.w.t.Helper()
	return b.do(http.MethodGet, path, "", wantJSON)
}

func wantJSON(r *http.Request) { r.Header.Set("Accept", "application/json") }

// post sends a form of names and values.
func (b *browser) post(path string, fields ...string) answered {
	b.w.t.Helper()
	return b.do(http.MethodPost, path, form(fields...), nil)
}

func form(fields ...string) string {
	values := make(url.Values)
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return values.Encode()
}

// cookie returns a cookie that an answer sets, nil for none.
func (a answered) cookie(name string) *http.Cookie {
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// facts reads the JSON of an answer.
func facts[T any](t *testing.T, a answered) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		t.Fatalf("%v in %d %s", err, a.StatusCode, a.text)
	}
	return v
}

// want holds an answer to a status and what its text says.
func (a answered) want(t *testing.T, status int, says ...string) answered {
	t.Helper()
	for _, text := range says {
		if !strings.Contains(a.text, text) {
			t.Errorf("%s %s does not say %q: %s", a.Request.Method, a.Request.URL.Path, text, a.text)
		}
	}
	if a.StatusCode != status {
		t.Errorf("%s %s: %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, brief(a.text))
	}
	return a
}

func brief(s string) string { return fmt.Sprintf("%.300s", s) }
