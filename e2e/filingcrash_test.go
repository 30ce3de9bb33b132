package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
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

// carried is a letter that got its 250: whose documents it brought, and which.
type carried struct {
	subject string
	patient int
	depot   bool
	sums    map[string]string // of the documents' octets, by title
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

// pour sends documents from several connections, one of them to the depot, and kills
// the process while they are taken and filed. Some letters bring two documents, every
// fifth one brings again what the one before it brought.
func (w *world) pour(b *brought, round int) {
	w.t.Helper()
	from, patients := w.operator("hospital").Boxes[0].Address, w.operator("patients")
	var wg sync.WaitGroup
	for i := range 4 {
		c := w.mx("patients", "hospital")
		p := patients.Boxes[i]
		to := p.Address
		if i == 3 {
			to = "depot@" + patients.Domains[0]
		}
		wg.Go(func() {
			var lot []report
			for n := 0; ; n++ {
				if n%5 != 4 {
					lot = lotOf(p, round, i, n)
				}
				files := packed(w.t, lot...)
				if len(lot) == 1 && n%3 == 1 {
					files = bare(lot[0].cda(w.t))
				}
				l := carried{fmt.Sprintf("chute %d %d %d", round, i, n), i, i == 3, make(map[string]string)}
				for _, r := range lot {
					l.sums[r.Title] = sum(r.cda(w.t))
				}
				sent := w.letterWith(l.subject, to, files)
				reply, err := c.Send(from, []string{to}, sent.text)
				b.note(sent.id, l, reply, err)
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

// lotOf makes one or two documents that nobody made before.
func lotOf(p demo.Person, round, connection, n int) []report {
	var lot []report
	for i := range 1 + n%2 {
		r := reportAbout(p, fmt.Sprintf("2.25.77.%d.%d.%d.%d", round, connection, n, i))
		r.Title = "Compte rendu " + r.ID
		if n%7 == 3 { // over what a row holds
			r.Text = strings.Repeat("Une ligne un peu plus longue. ", 4_000) + r.ID
		}
		lot = append(lot, r)
	}
	return lot
}

// note keeps what became of a letter at the door.
func (b *brought) note(id string, l carried, reply wiretest.Reply, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried++
	switch {
	case err == nil && reply.Code == 250:
		b.acked[id] = l
	case err == nil:
		b.refused = append(b.refused, reply.String())
	}
}

// vaults waits until the queue is empty and holds every vault and every letter against
// what was acknowledged, and the notifications against the letters.
func (w *world) vaults(b *brought) {
	w.t.Helper()
	hospital, patients := w.operator("hospital"), w.operator("patients")
	begin := time.Now()
	for _, o := range []string{"patients", "hospital"} {
		eventually(w.t, 2*time.Minute, "the queue of "+o+" empties", func() bool { return w.jobs(o, "") == 0 })
	}
	w.t.Logf("the queues were empty %v after the last start", time.Since(begin).Round(time.Millisecond))
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
	lost, whole := 0, make(map[string]string)
	for id, l := range b.acked {
		if l.patient != number {
			continue
		}
		for title, sum := range l.sums {
			if d, filed := have[title]; !filed || d.Status != "approved" || !came(d, l, letters[l.subject]) {
				lost++
				w.t.Logf("%s: %q is in the vault: %v, as %+v", id, title, filed, d)
			}
			whole[title] = sum
		}
	}
	if lost > 0 {
		w.t.Errorf("%d documents of acknowledged letters are lost", lost)
	}
	for title, want := range whole {
		if got := home.get("/documents/" + have[title].ID + "/original"); sum(got.Body) != want {
			w.t.Errorf("%q changed: %d octets", title, len(got.Body))
		}
	}
}

// came reports whether a document's origins name the letter that brought it, or the
// depot.
func came(d listed, l carried, letter string) bool {
	for _, o := range d.Origins {
		if l.depot && o.Kind == "depot" || !l.depot && letter != "" && o.Letter == letter {
			return true
		}
	}
	return false
}
