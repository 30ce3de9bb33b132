package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/node"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// What tests of filing look at: a patient's space as a program of theirs sees it, the
// notifications that a sender gets, an operator's queue and logs.

// space is a patient who is signed in.
type space struct {
	*wiretest.Web
	t *testing.T
}

// space signs a patient in.
func (w *world) space(p demo.Person) *space {
	w.t.Helper()
	web, err := wiretest.DialWeb(w.operator("patients").HTTPS, w.config("", ""))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(web.Client.CloseIdleConnections)
	if err := web.SignIn(p.WebLogin, p.WebPassword); err != nil {
		w.t.Fatal(err)
	}
	return &space{Web: web, t: w.t}
}

// get fetches a page as it is shown to people.
func (s *space) get(path string) wiretest.Page {
	s.t.Helper()
	p, err := s.Do(http.MethodGet, path, "text/html", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if p.Code != http.StatusOK {
		s.t.Errorf("GET %s answered %d", path, p.Code)
	}
	return p
}

// facts fetches the facts of a page.
func (s *space) facts(path string, into any) {
	s.t.Helper()
	if err := s.JSON(path, into); err != nil {
		s.t.Fatal(err)
	}
}

// listed is a document as /documents tells it.
type listed struct {
	ID, Title, Type, Status string
	Origins                 []struct{ Kind, Letter, From string }
}

// documents lists the whole vault, page by page.
func (s *space) documents() []listed {
	s.t.Helper()
	var all []listed
	for next := ""; ; {
		var page struct {
			Documents []listed
			Next      string
		}
		s.facts("/documents?limit=100&category=all&before="+url.QueryEscape(next), &page)
		all = append(all, page.Documents...)
		if next = page.Next; next == "" {
			return all
		}
	}
}

// received lists the inbox, page by page.
func (s *space) received() (all []struct{ ID, Subject string }) {
	s.t.Helper()
	for next := ""; ; {
		var page struct {
			Messages []struct{ ID, Subject string }
			Next     string
		}
		s.facts("/messages?before="+url.QueryEscape(next), &page)
		all = append(all, page.Messages...)
		if next = page.Next; next == "" {
			return all
		}
	}
}

// letters returns the ids of the letters in the inbox by subject.
func (s *space) letters() map[string]string {
	s.t.Helper()
	all := make(map[string]string)
	for _, m := range s.received() {
		all[m.Subject] = m.ID
	}
	return all
}

// opened is a letter as /messages/ID tells it.
type opened struct {
	Documents   []struct{ Part, Outcome, ID, Reason string }
	Attachments []struct{ Part, Name, Kind string }
	Invitations []struct{ ID, Summary, Status, Reason string }
}

func (s *space) letter(id string) (l opened) {
	s.t.Helper()
	s.facts("/messages/"+id, &l)
	return l
}

// notice is what a notification (RFC 8098) tells a sender about one letter.
type notice struct {
	Disposition string
	// Code is that of the integration, empty for a success; Reason is ours.
	Code, Reason string
}

// notices collects the notifications that come to a box, by the Message-ID that they
// are about.
type notices struct {
	*wiretest.IMAP
	t    *testing.T
	next int
	seen map[string][]notice
}

func (w *world) notices(o demo.Operator, p demo.Person) *notices {
	w.t.Helper()
	return &notices{IMAP: w.inbox(o, p), t: w.t, next: 1, seen: make(map[string][]notice)}
}

var (
	fetched       = regexp.MustCompile(`(?m)^\* [0-9]+ FETCH \(`)
	fetchedUID    = regexp.MustCompile(`UID ([0-9]+)`)
	originalField = regexp.MustCompile(`(?m)^Original-Message-ID: <([^>\r\n]+)>`)
	handledField  = regexp.MustCompile(`(?m)^Disposition: ([^\r\n]+)`)
	errorField    = regexp.MustCompile(`(?m)^Error: ([^\r\n]+)`)
)

// look reads what came since the last look.
func (n *notices) look() map[string][]notice {
	n.t.Helper()
	if _, err := n.Do("NOOP"); err != nil {
		n.t.Fatal(err)
	}
	got, err := n.Do(fmt.Sprintf("UID FETCH %d:* (UID BODY.PEEK[2])", n.next))
	if err != nil {
		n.t.Fatal(err)
	}
	at := append(fetched.FindAllStringIndex(got, -1), []int{len(got), len(got)})
	for i := range at[:len(at)-1] {
		text := got[at[i][0]:at[i+1][0]]
		m := fetchedUID.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		uid, err := strconv.Atoi(m[1])
		if err != nil || uid < n.next {
			continue // n:* always gives the last one
		}
		n.next = uid + 1
		about, handled := originalField.FindStringSubmatch(text), handledField.FindStringSubmatch(text)
		if about == nil || handled == nil {
			continue
		}
		told := notice{Disposition: handled[1]}
		for _, e := range errorField.FindAllStringSubmatch(text, -1) {
			if code, label, ok := strings.Cut(e[1], "^"); ok && label != "" {
				told.Code = code
			} else {
				told.Reason = e[1]
			}
		}
		n.seen[about[1]] = append(n.seen[about[1]], told)
	}
	return n.seen
}

// await looks until there is a notification about each letter.
func (n *notices) await(within time.Duration, ids ...string) map[string][]notice {
	n.t.Helper()
	missing := ids
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		seen := n.look()
		var still []string
		for _, id := range missing {
			if len(seen[id]) == 0 {
				still = append(still, id)
			}
		}
		if missing = still; len(missing) == 0 {
			return seen
		}
		if time.Now().After(end) {
			n.t.Fatalf("no notification within %v about %d of %d letters, %s for one", within, len(missing), len(ids), missing[0])
		}
	}
}

// parcel is a letter on its way.
type parcel struct {
	id, to string
	text   []byte
}

// post brings letters to the patients' MX as the hospital's operator, over several
// connections at a time. Each has to get its 250.
func (w *world) post(parcels ...parcel) {
	w.t.Helper()
	from := w.operator("hospital").Boxes[0].Address
	waiting := make(chan parcel, len(parcels))
	for _, p := range parcels {
		waiting <- p
	}
	close(waiting)
	var wg sync.WaitGroup
	for range min(4, len(parcels)) {
		c := w.mx("patients", "hospital")
		wg.Go(func() {
			for p := range waiting {
				if reply, err := c.Send(from, []string{p.to}, p.text); err != nil || reply.Code != 250 {
					w.t.Errorf("%s: %v %s", p.id, err, reply)
				}
			}
		})
	}
	wg.Wait()
}

// jobs counts the jobs of an operator's queue; kind "" counts all.
func (w *world) jobs(operator, kind string) (n int64) {
	w.t.Helper()
	conf, err := node.Load(filepath.Join(w.operatorDir(operator), "vaguemestre.toml"))
	if err != nil {
		w.t.Fatal(err)
	}
	db, err := conf.OpenStore(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	err = db.Read(context.Background(), func(tx *store.Tx) error {
		stats, err := queue.Stats(tx)
		n = 0
		for _, s := range stats {
			if kind == "" || s.Kind == kind {
				n += s.Count
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

var trouble = regexp.MustCompile(`"level":"ERROR"|(?i)panic`)

// quiet holds that nobody panicked and that no operator logged an error.
func (w *world) quiet() {
	w.t.Helper()
	if found := trouble.FindString(w.out.String()); found != "" {
		w.t.Errorf("the program printed %q:\n%.4000s", found, w.out)
	}
	for _, o := range w.ready.Operators {
		data, err := os.ReadFile(filepath.Join(w.operatorDir(o.Name), "log.jsonl"))
		if err != nil {
			w.t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(data), "\n") {
			if trouble.MatchString(line) {
				w.t.Errorf("%s logged %.2000s", o.Name, line)
			}
		}
	}
}
