package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
)

// brought is what a load of documents saw.
type brought struct {
	mu      sync.Mutex
	acked   map[string]carried // by Message-ID
	tried   int
	refused []string
	// pending counts what was accepted and not filed yet at each kill.
	pending []int64
}

// carried is a document and whose it is.
type carried struct {
	title   string // of the document, its own
	sum     string // of its octets
	subject string // of its letter
	patient int
}

// TestKilledBeforeFilingFilesOnce kills the process with SIGKILL while documents come
// in at the patients' MX and are filed, starts it again on the same folder and reads
// every vault: each letter that got 250 has its document there, once, and its sender
// was told.
func TestKilledBeforeFilingFilesOnce(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, args []string) {
		t.Parallel()
		w := start(t, args...)
		b := &brought{acked: make(map[string]carried)}
		for round := range kills() {
			w.pour(b, round)
			b.pending = append(b.pending, w.jobs("patients", "file"))
			w.run()
		}
		if len(b.refused) > 0 {
			t.Errorf("%d letters were refused, the first with %s", len(b.refused), b.refused[0])
		}
		t.Logf("%d letters tried, %d acknowledged, %d kills; accepted and not filed at the kills: %v", b.tried, len(b.acked), kills(), b.pending)
		if len(b.acked) < 10*kills() {
			t.Errorf("only %d letters were acknowledged: no load", len(b.acked))
		}
		hit := 0
		for _, n := range b.pending {
			if n > 0 {
				hit++
			}
		}
		if hit == 0 {
			t.Error("no kill fell between acceptance and filing")
		}
		w.vaults(b)
		w.quiet()
		w.auditVerified()
	})
}

// pour sends documents from several connections and kills the process while they are
// taken and filed. Every fifth letter brings the document of the one before it again.
func (w *world) pour(b *brought, round int) {
	w.t.Helper()
	from, patients := w.operator("hospital").Boxes[0].Address, w.operator("patients").Boxes
	var wg sync.WaitGroup
	for i := range 4 {
		c := w.mx("patients", "hospital")
		wg.Go(func() {
			var r report
			for n := 0; ; n++ {
				to := patients[i]
				if n%5 != 4 {
					r = reportAbout(to, fmt.Sprintf("2.25.77.%d.%d.%d", round, i, n))
					r.Title = "Compte rendu " + r.ID
					if n%7 == 3 { // over what a row holds
						r.Text = strings.Repeat("Une ligne un peu plus longue. ", 4_000)
					}
				}
				files := packed(w.t, r)
				if n%3 == 1 {
					files = bare(r.cda(w.t))
				}
				l := w.letterWith(fmt.Sprintf("chute %d %d %d", round, i, n), to.Address, files)
				reply, err := c.Send(from, []string{to.Address}, l.text)
				b.mu.Lock()
				b.tried++
				if err == nil && reply.Code != 250 {
					b.refused = append(b.refused, reply.String())
				}
				if err == nil && reply.Code == 250 {
					b.acked[l.id] = carried{r.Title, sum(r.cda(w.t)), fmt.Sprintf("chute %d %d %d", round, i, n), i}
				}
				b.mu.Unlock()
				if err != nil || reply.Code != 250 {
					return
				}
			}
		})
	}
	time.Sleep(300*time.Millisecond + rand.N(900*time.Millisecond))
	w.kill()
	wg.Wait()
}

// vaults waits until the queue is empty and holds every vault and every letter against
// what was acknowledged, and the notifications against the letters.
func (w *world) vaults(b *brought) {
	w.t.Helper()
	hospital, patients := w.operator("hospital"), w.operator("patients")
	for _, o := range []string{"patients", "hospital"} {
		eventually(w.t, 2*time.Minute, "the queue of "+o+" empties", func() bool { return w.jobs(o, "") == 0 })
	}
	for i, p := range patients.Boxes[:4] {
		w.vault(b, i, p)
	}
	var all []string
	for id := range b.acked {
		all = append(all, id)
	}
	told := w.notices(hospital, hospital.Boxes[0]).await(30*time.Second, all...)
	more := 0
	for id := range b.acked {
		for _, n := range told[id] {
			if n.Code != "" {
				w.t.Errorf("%s: told %+v", id, n)
			}
		}
		if len(told[id]) > 1 {
			more++
		}
	}
	w.t.Logf("%d letters have more than one notification", more)
}

// vault holds one patient's vault.
func (w *world) vault(b *brought, number int, p demo.Person) {
	w.t.Helper()
	home := w.space(p)
	letters, have := home.letters(), make(map[string]listed)
	if n := len(home.received()); n != len(letters) {
		w.t.Errorf("%d letters, of which %d differ", n, len(letters))
	}
	for _, d := range home.documents() {
		if _, twice := have[d.Title]; twice {
			w.t.Errorf("%q is in the vault more than once", d.Title)
		}
		have[d.Title] = d
	}
	lost := 0
	for id, c := range b.acked {
		if c.patient != number {
			continue
		}
		d, filed := have[c.title]
		letter := letters[c.subject]
		known := false
		for _, o := range d.Origins {
			known = known || o.Kind == "letter" && o.Letter == letter
		}
		if !filed || letter == "" || !known || d.Status != "approved" {
			lost++
			w.t.Logf("%s: filed %v, its letter is there %v and among the origins %v", id, filed, letter != "", known)
		}
	}
	for _, c := range b.acked {
		d, filed := have[c.title]
		if !filed || c.patient != number {
			continue
		}
		if got := home.get("/documents/" + d.ID + "/original"); sum(got.Body) != c.sum {
			w.t.Errorf("%q changed: %d octets", c.title, len(got.Body))
		}
	}
	if lost > 0 {
		w.t.Errorf("%d documents of acknowledged letters are lost", lost)
	}
}
