package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// kills is how often a process is killed: 3 times, 20 in the long run.
func kills() int {
	if os.Getenv("LONG") != "" {
		return 20
	}
	return 3
}

// history is what a load saw: which letters got their 250, and what they were.
type history struct {
	mu      sync.Mutex
	acked   map[string][32]byte // by Message-ID
	tried   int
	refused []string
}

func (h *history) ok(id string, letter []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acked[id] = sha256.Sum256(letter)
}

// TestKilledInTheMiddleOfALoadLosesNothing kills the process with SIGKILL while
// letters come in at the MX and at submission, starts it again on the same folder
// and reads every box: each letter that got 250 is there, once.
func TestKilledInTheMiddleOfALoadLosesNothing(t *testing.T) {
	engines(t, func(t *testing.T, args []string) {
		w := start(t, args...)
		h := &history{acked: make(map[string][32]byte)}
		for round := range kills() {
			w.load(h, round)
			w.run()
		}
		if len(h.refused) > 0 {
			t.Errorf("%d letters were refused, the first with %s", len(h.refused), h.refused[0])
		}
		t.Logf("%d letters tried, %d acknowledged, %d kills", h.tried, len(h.acked), kills())
		if len(h.acked) < 10*kills() {
			t.Errorf("only %d letters were acknowledged: no load", len(h.acked))
		}
		w.account(h)
		w.auditVerified()
	})
}

// load sends letters from several connections and kills the process while they run.
func (w *world) load(h *history, round int) {
	w.t.Helper()
	hospital, city := w.operator("hospital"), w.operator("city")
	var wg sync.WaitGroup
	for i := range 8 {
		send := func(id string, letter []byte) (wiretest.Reply, error) { return wiretest.Reply{}, nil }
		to := hospital.Boxes[i%2]
		var c *wiretest.SMTP
		if i < 6 {
			c = w.mx("hospital", "city")
			send = func(_ string, letter []byte) (wiretest.Reply, error) {
				return c.Send(city.Boxes[0].Address, []string{to.Address}, letter)
			}
		} else {
			c = w.submission(city, city.Boxes[0])
			send = func(_ string, letter []byte) (wiretest.Reply, error) {
				return c.Send(city.Boxes[0].Address, []string{to.Address, city.Boxes[1].Address}, letter)
			}
		}
		wg.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("crash-%d-%d-%d@e2e.example", round, i, n)
				body := "ligne\r\n"
				if n%5 == 4 { // over what a row holds
					body = strings.Repeat("une ligne un peu plus longue\r\n", 8_000)
				}
				letter := []byte("From: <" + city.Boxes[0].Address + ">\r\nTo: <" + to.Address + ">\r\nSubject: " + id +
					"\r\nMessage-ID: <" + id + ">\r\nDate: Mon, 02 Nov 2026 10:00:00 +0100\r\n\r\n" + body)
				reply, err := send(id, letter)
				h.mu.Lock()
				h.tried++
				if err == nil && reply.Code != 250 {
					h.refused = append(h.refused, reply.String())
				}
				h.mu.Unlock()
				if err != nil || reply.Code != 250 {
					return
				}
				h.ok(id, letter)
			}
		})
	}
	time.Sleep(700*time.Millisecond + rand.N(1500*time.Millisecond))
	w.kill()
	wg.Wait()
}

var subjectLine = regexp.MustCompile(`(?m)^Subject: (crash-\S+)\r?$`)

// account reads the boxes until everything that was acknowledged is there.
func (w *world) account(h *history) {
	w.t.Helper()
	hospital := w.operator("hospital")
	var seen map[string]int
	complete := func() bool {
		seen = make(map[string]int)
		for _, p := range hospital.Boxes[:2] {
			w.count(hospital, p, seen)
		}
		for id := range h.acked {
			if seen[id] == 0 {
				return false
			}
		}
		return true
	}
	// What was submitted is relayed by and by; what came in at the MX is there at once.
	for end := time.Now().Add(90 * time.Second); !complete() && time.Now().Before(end); {
		time.Sleep(500 * time.Millisecond)
	}
	lost, twice := 0, 0
	for id := range h.acked {
		if seen[id] == 0 {
			lost++
			w.t.Logf("lost %s", id)
		}
	}
	for id, n := range seen {
		if n > 1 {
			twice++
			w.t.Logf("%d times %s", n, id)
		}
	}
	if lost > 0 || twice > 0 {
		w.t.Errorf("%d acknowledged letters are lost, %d letters are there more than once", lost, twice)
	}
	w.sample(h, hospital)
}

// count counts the letters of a box by subject.
func (w *world) count(o demo.Operator, p demo.Person, seen map[string]int) {
	w.t.Helper()
	b := w.inbox(o, p)
	defer b.Close()
	got, err := b.Do("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range subjectLine.FindAllStringSubmatch(got, -1) {
		seen[m[1]]++
	}
}

// sample fetches some letters whole and holds them against what was sent.
func (w *world) sample(h *history, o demo.Operator) {
	w.t.Helper()
	for _, p := range o.Boxes[:2] {
		b := w.inbox(o, p)
		uids, err := b.Search("ALL")
		if err != nil {
			w.t.Fatal(err)
		}
		rand.Shuffle(len(uids), func(i, j int) { uids[i], uids[j] = uids[j], uids[i] })
		for _, uid := range uids[:min(20, len(uids))] {
			raw, err := b.Fetch(uid, "")
			if err != nil {
				w.t.Fatal(err)
			}
			m := subjectLine.FindSubmatch(raw)
			at := bytes.Index(raw, []byte("From: <"))
			if m == nil || at < 0 {
				w.t.Fatalf("a letter without its header: %.200q", raw)
			}
			if sum, acked := h.acked[string(m[1])]; acked && sha256.Sum256(raw[at:]) != sum {
				w.t.Errorf("%s changed", m[1])
			}
		}
	}
}

// auditVerified runs the verifier on every operator.
func (w *world) auditVerified() {
	w.t.Helper()
	name, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(6 * time.Second) // numbered within 1 s, signed for within 5 s
	for _, o := range w.ready.Operators {
		out := tool(w.t, name, "audit", "verify", "--config", w.operatorDir(o.Name)+"/vaguemestre.toml")
		if !strings.Contains(out, " 0 findings") {
			w.t.Errorf("%s: %s", o.Name, out)
		}
	}
}
