package relay_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/relay"
	"github.com/vaguemestre/vaguemestre/smtpd"
	"github.com/vaguemestre/vaguemestre/store"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

const (
	anne = "anne@" + deliverytest.Hospital
	bob  = "bob@" + deliverytest.City
	eve  = "eve@" + deliverytest.City
)

// hop is a next hop's office: it takes letters, or answers as it is told.
type hop struct {
	mu      sync.Mutex
	answers map[string][]error // by recipient, one per try; guarded by mu, like all
	arrive  error
	data    []error
	letters []arrived
	tries   []string // recipients asked for, one string per transaction
}

// arrived is a letter that a hop took.
type arrived struct {
	from string
	to   []string
	mail delivery.MailOptions
	rcpt []delivery.RcptOptions
	text string
	dn   string
}

// next takes the first of a list of answers.
func next(list *[]error) error {
	if len(*list) == 0 {
		return nil
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

// Arrive implements delivery.Counter.
func (h *hop) Arrive(_ context.Context, c delivery.Caller) (delivery.Visit, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.arrive != nil {
		return nil, h.arrive
	}
	if len(c.TLS.PeerCertificates) == 0 {
		return nil, fault.New(fault.Denied, "certificate-missing")
	}
	return &hopVisit{hop: h, dn: c.TLS.PeerCertificates[0].Subject.CommonName}, nil
}

func (h *hop) taken() []arrived {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.letters)
}

// asked returns what was asked for, one string per transaction.
func (h *hop) asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.tries)
}

type hopVisit struct {
	hop *hop
	dn  string
	now arrived
	try []string
}

func (v *hopVisit) Hello(string) {}
func (v *hopVisit) Login(context.Context, delivery.Credentials) error {
	return fault.New(fault.Denied, "login-not-here")
}
func (v *hopVisit) Heard()         {}
func (v *hopVisit) Refused(string) {}
func (v *hopVisit) Reset()         { v.now = arrived{} }

func (v *hopVisit) Mail(_ context.Context, from identity.Address, o delivery.MailOptions) error {
	v.now = arrived{mail: o, dn: v.dn}
	if !from.IsZero() {
		v.now.from = from.String()
	}
	return nil
}

func (v *hopVisit) Rcpt(_ context.Context, to identity.Address, o delivery.RcptOptions) (err error) {
	v.hop.mu.Lock()
	defer v.hop.mu.Unlock()
	name := to.String()
	v.try = append(v.try, name)
	if list, ok := v.hop.answers[name]; ok {
		err = next(&list)
		v.hop.answers[name] = list
	}
	if err == nil {
		v.now.to, v.now.rcpt = append(v.now.to, name), append(v.now.rcpt, o)
	}
	return err
}

func (v *hopVisit) Data(_ context.Context, r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.hop.mu.Lock()
	defer v.hop.mu.Unlock()
	if err := next(&v.hop.data); err != nil {
		return err
	}
	v.now.text = string(text)
	v.hop.letters = append(v.hop.letters, v.now)
	return nil
}

func (v *hopVisit) Close() {
	v.hop.mu.Lock()
	defer v.hop.mu.Unlock()
	if len(v.try) > 0 {
		v.hop.tries = append(v.hop.tries, strings.Join(v.try, " "))
	}
}

// serve puts the real SMTP door before a counter and returns its address.
func serve(t *testing.T, pair certs.Pair, counter delivery.Counter) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtpd.New(smtpd.MX, deliverytest.Host(deliverytest.City), certs.PeerServerTLS(pair.TLS()), counter, smtpd.Options{})
	done := make(chan error)
	go func() { done <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx) // cuts what is left
		<-done
	})
	return l.Addr().String()
}

// world is an operator that sends, and where its letters go.
type world struct {
	*deliverytest.Operator
	t     *testing.T
	anne  deliverytest.Holder
	own   certs.Pair
	addr  string // of the city's MX
	clock deliverytest.Clock
}

// newWorld opens anne's box; letters for the city go to addr.
func newWorld(t *testing.T, db *store.DB, addr string) *world {
	t.Helper()
	w := &world{t: t, addr: addr}
	w.Operator = deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Clock: w.clock.Now, Inline: 64}})
	w.anne = w.Open(mailbox.PER, anne)
	w.own = w.Sandbox.Server(t, deliverytest.Host(deliverytest.Hospital), nil)
	return w
}

// submit lets anne write to the city.
func (w *world) submit(text string, to ...string) {
	w.t.Helper()
	if err := deliverytest.Send(w.Submit(w.anne), anne, to, text); err != nil {
		w.t.Fatal(err)
	}
}

// relay makes the operator's relay.
func (w *world) relay() *relay.Relay {
	return relay.New(relay.Parts{
		DB: w.DB, Office: w.Office, Platform: w.Platform, Works: w.Works, Checker: w.Checker,
		Certificate: w.own.TLS, Trust: w.Space, Log: slog.New(slog.NewJSONHandler(w.Log, nil)),
	}, relay.Options{
		Host: identity.Domain(deliverytest.Host(deliverytest.Hospital)), Clock: w.clock.Now,
		Route: relay.Fixed(map[identity.Domain]relay.Hop{
			deliverytest.City: {Host: deliverytest.Host(deliverytest.City), Addr: w.addr},
		}, nil),
	})
}

// work runs the relay's jobs, with short waits, until done says so.
func (w *world) work(done func() bool) {
	w.t.Helper()
	kind := w.relay().Jobs()
	kind.Backoff = queue.Backoff{Quick: []time.Duration{}, First: 5 * time.Millisecond, Max: 20 * time.Millisecond}
	worker := queue.NewWorker(w.DB, map[string]queue.Kind{delivery.RelayKind: kind}, queue.Options{
		Now: w.clock.Now, Idle: 20 * time.Millisecond, Logger: slog.New(slog.NewJSONHandler(w.Log, nil)),
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- worker.Run(ctx) }()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for !done() && !w.t.Failed() {
		select {
		case <-tick.C:
		case <-late:
			w.t.Errorf("not done; log:\n%s", w.Log)
		}
	}
	stop()
	if err := <-ended; err != nil {
		w.t.Error(err)
	}
}

// idle reports whether no job is left.
func (w *world) idle() bool { return w.Count("queue_job") == 0 }

// waits returns a condition: a job has failed a few times, for this reason.
func (w *world) waits(reason string) func() bool {
	return func() bool {
		var why string
		var attempts int
		w.Read(func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT reason, attempts FROM queue_job`).Scan(&why, &attempts)
		})
		if attempts > 2 && why != reason {
			w.t.Errorf("the job waits because of %q, not %q", why, reason)
		}
		return attempts > 2
	}
}

// report returns the one report in anne's inbox.
func (w *world) report() string {
	w.t.Helper()
	got := w.Inbox(w.anne)
	if len(got) != 1 {
		w.t.Fatalf("%d letters in the sender's box, want one report", len(got))
	}
	return got[0].String()
}

// states are the outcome of anne's last letter, recipient by recipient.
func (w *world) states() string {
	w.t.Helper()
	var all []string
	for _, c := range w.Story(w.anne).Chapters {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s", c.State.What, c.State.Code)))
	}
	return strings.Join(all, ", ")
}

func contains(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// cityCert is the city's own certificate.
func cityCert(t *testing.T) certs.Pair {
	return deliverytest.TheSandbox(t).Server(t, deliverytest.Host(deliverytest.City), nil)
}

// tlsServer is the TLS half of a hand-made hop.
func tlsServer(c net.Conn, pair certs.Pair) *tls.Conn {
	return tls.Server(c, certs.PeerServerTLS(pair.TLS()))
}
