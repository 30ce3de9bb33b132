package roomtest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/message"
	"github.com/vaguemestre/vaguemestre/web/record"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

// Doctor writes to the patients, from another operator.
const Doctor = "dr.berrahal@" + deliverytest.City

// World is an operator whose rooms are asked directly.
type World struct {
	*deliverytest.Operator
	Kit   *ui.Kit
	Clock *deliverytest.Clock

	reading *reading.Room
	mux     *http.ServeMux
}

// New makes an operator on SQLite with the rooms of letters, of the record, and of
// leaves.
func New(t *testing.T) *World {
	t.Helper()
	w := &World{Clock: new(deliverytest.Clock), mux: http.NewServeMux()}
	db := storetest.Open(t, storetest.SQLiteDSN(t), store.Options{Clock: w.Clock.Now})
	w.Operator = deliverytest.New(t, db, deliverytest.Options{
		Delivery: delivery.Options{Clock: w.Clock.Now, Depot: true}, Porter: porter.Options{Clock: w.Clock.Now},
	})
	w.reading = reading.New(reading.Parts{
		DB: db, Blobs: w.Blobs, Works: w.Works, Office: w.Office, Log: w.log(), SpoolDir: t.TempDir(),
	})
	rooms := []ui.Room{
		leaf.Room(),
		message.Room(message.Parts{DB: db, Works: w.Works, Reading: w.reading, Office: w.Office}),
		record.Room(record.Parts{DB: db, Works: w.Works, Reading: w.reading, Office: w.Office}),
	}
	w.Kit = uitest.Kit(t, rooms...)
	for _, room := range rooms {
		for _, route := range room.Routes {
			w.mux.HandleFunc(route.Pattern, func(out http.ResponseWriter, r *http.Request) {
				a, _ := r.Context().Value(askedKey{}).(*asked)
				a.answer, a.err = route.Serve(a.visit, r)
				a.section = route.Section
			})
		}
	}
	return w
}

func (w *World) log() *slog.Logger { return slog.New(slog.NewJSONHandler(w.Log, nil)) }

// Person is who the patients of tests are, for documents that name them. The matricule
// and its key are right, and nobody's.
func Person(name string) account.Person {
	return account.Person{
		Name: strings.ToUpper(name[:1]) + name[1:] + " Morvan", Given: strings.ToUpper(name), Family: "MORVAN",
		BirthDate: "1951-03-12", Sex: "F", INS: Matricule(name), INSOID: identity.INSNIR,
	}
}

// Matricule is the INS of a patient of tests: 13 digits by the name, and their key.
func Matricule(name string) string {
	number := "2510375" + string([]byte{'0' + name[0]%10, '0' + name[0]/10%10, '0' + byte(len(name))%10}) + "123"
	key, err := identity.INSKey(number)
	if err != nil {
		panic(err)
	}
	return number + key
}

// Patient is somebody who is signed in.
type Patient struct {
	deliverytest.Holder
	world  *World
	reader reading.Reader
	person account.Person
	Lang   string
}

// Patient opens the space of somebody, and signs them in.
func (w *World) Patient(name string) *Patient {
	w.TB.Helper()
	person := Person(name)
	p := &Patient{Holder: w.OpenFor(mailbox.Patient, name+"@"+deliverytest.Patients, person), world: w, person: person, Lang: ui.French}
	var holders []account.Holding
	w.Read(func(tx *store.Tx) (err error) {
		holders, err = account.Holders(tx, account.BoxID(p.ID))
		return err
	})
	ring := w.Ring(p.Holder)
	w.TB.Cleanup(ring.Zero)
	p.reader = reading.Reader{
		By: identity.Principal{
			Person: holders[0].Person, Pseudonym: account.Pseudonym(w.Works, holders[0].Person), Role: string(account.Patient), Credential: "password",
		},
		Name: person.Name, Box: p.Box, Keys: ring, Via: "web", Conn: "test",
	}
	return p
}

// Keys are the released keys of the patient's space.
func (p *Patient) Keys() *seal.Keyring { return p.reader.Keys }

// Receive brings a letter by SMTP from the doctor's operator, and files what it holds.
func (w *World) Receive(p *Patient, text string) {
	w.TB.Helper()
	if err := deliverytest.Send(w.Peer(deliverytest.City), Doctor, []string{p.Address.String()}, text); err != nil {
		w.TB.Fatal(err)
	}
	w.File()
}

// File runs the filing jobs until none is left.
func (w *World) File() {
	w.TB.Helper()
	clerk := filing.New(filing.Parts{DB: w.DB, Blobs: w.Blobs, Platform: w.Platform, Works: w.Works, Office: w.Office, Log: w.log()},
		filing.Options{Dir: w.TB.TempDir(), Clock: w.Clock.Now})
	kind := clerk.Jobs()
	worker := queue.NewWorker(w.DB, map[string]queue.Kind{delivery.FileKind: kind}, queue.Options{Now: w.Clock.Now, Idle: 5 * time.Millisecond, Logger: w.log()})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- worker.Run(ctx) }()
	for deadline := time.Now().Add(30 * time.Second); w.jobs() > 0; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.TB.Errorf("filing does not end:\n%s", w.Log)
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		w.TB.Error(err)
	}
}

func (w *World) jobs() (n int) {
	w.Read(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM queue_job WHERE kind = $1`, delivery.FileKind).Scan(&n)
	})
	return n
}

type askedKey struct{}

// asked is one request on its way through the mux.
type asked struct {
	visit   *ui.Visit
	answer  ui.Answer
	err     error
	section string
}

// Answer is what a room answered.
type Answer struct {
	ui.Answer
	Err error
	// Text is the page as drawn, the facts as JSON, or the octets of a file.
	Text string
	// Header is what the browser gets with it.
	Header http.Header
}

// Get asks for a page.
func (p *Patient) Get(path string) Answer { return p.ask(http.MethodGet, path, "", nil, false) }

// Facts asks for the facts of a page.
func (p *Patient) Facts(path string) Answer { return p.ask(http.MethodGet, path, "", nil, true) }

// Post sends a form of names and values.
func (p *Patient) Post(path string, fields ...string) Answer {
	values := make(url.Values)
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return p.ask(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(values.Encode()), false)
}

// Send posts a body of a type.
func (p *Patient) Send(path, kind string, body io.Reader) Answer {
	return p.ask(http.MethodPost, path, kind, body, false)
}

func (p *Patient) ask(method, path, kind string, body io.Reader, facts bool) Answer {
	w := p.world
	w.TB.Helper()
	words := w.Kit.Words(p.Lang)
	a := &asked{visit: &ui.Visit{
		Reader: p.reader, Person: p.person, Session: new(porter.WebSession), Lang: p.Lang, Now: w.Clock.Now().In(words.Zone), Words: words, ID: "r1", JSON: facts,
	}}
	r := httptest.NewRequestWithContext(context.WithValue(w.TB.Context(), askedKey{}, a), method, path, body)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if facts {
		r.Header.Set("Accept", "application/json")
	}
	out := httptest.NewRecorder()
	w.mux.ServeHTTP(out, r)
	if out.Code == http.StatusNotFound && a.answer == nil && a.err == nil {
		w.TB.Fatalf("no route for %s %s", method, path)
	}
	if a.err != nil {
		return Answer{Err: a.err}
	}
	out = httptest.NewRecorder()
	around := func() (ui.Around, error) { return ui.Around{Section: a.section}, nil }
	if err := w.Kit.Answer(out, r, a.visit, a.answer, around); err != nil {
		return Answer{Err: err}
	}
	text := out.Body.String()
	if page, is := a.answer.(ui.Page); is && !facts && !page.Frame {
		uitest.Sound(w.TB, text)
	}
	return Answer{Answer: a.answer, Text: text, Header: out.Header()}
}
