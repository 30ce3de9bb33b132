package reading_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestTheFirstOpeningIsDecidedTracedAndTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.submit(deliverytest.Text("Dr Anne MARTIN <"+anne+">", "=?utf-8?Q?R=C3=A9sultats?="), ruth)
		by := w.reader(w.ruth)
		line := w.newest(by)
		if !line.Unread() || line.From != "Dr Anne MARTIN" || line.Subject != "Résultats" || !strings.HasPrefix(line.Preview, "Bonjour") {
			t.Errorf("line %+v", line)
		}
		if got := w.Story(w.anne).Chapters[0].State.What; got != outcome.Delivered || len(w.Leaves("letter.open")) != 0 {
			t.Errorf("a list is a reading: %s", got)
		}

		l := w.open(by, line.ID)
		if !l.First || l.Unread() || !strings.Contains(all(t, l.Open(l.With(reading.Plain)[0])), "Bonjour") {
			t.Errorf("opened %+v", l.Line)
		}
		if l.NoAnswer != nil || l.Answer.String() != anne {
			t.Errorf("answer to %s: %v", l.Answer, l.NoAnswer)
		}
		chapter := w.Story(w.anne).Chapters[0]
		if chapter.State.What != outcome.Read || len(chapter.Facts) != 3 || chapter.Facts[2].Evidence.Source != "flag" {
			t.Errorf("the sender sees %+v", chapter)
		}
		leaves := w.Leaves("letter.open")
		if len(leaves) != 1 || !strings.Contains(leaves[0], `"object":"letter:`+string(line.ID)+`"`) ||
			!strings.Contains(leaves[0], `"purpose":"own"`) || !strings.Contains(leaves[0], `"result":"done"`) {
			t.Errorf("leaves %s", leaves)
		}
		want := []dmp.Access{{Who: "Ruth Deux", WhoKind: "patient", What: dmp.LetterOpened, Object: string(line.ID), Title: "Résultats", Why: dmp.Own, Via: "web"}}
		got := w.history(by)
		for i := range got {
			got[i].At = time.Time{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("history (-want +got)\n%s", diff)
		}
		if now := w.newest(by); now.Unread() {
			t.Error("the list shows it as unread")
		}
	})
}

func TestOpeningAgainIsOneOpeningForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var clock deliverytest.Clock
		w.room.SetClock(clock.Now)
		w.submit(deliverytest.Text(anne, "x"), ruth)
		by := w.reader(w.ruth)
		id := w.newest(by).ID
		traces := func() [2]int { return [2]int{len(w.Leaves("letter.open")), len(w.history(by))} }
		w.open(by, id)
		if again := w.open(by, id); again.First || traces() != [2]int{1, 1} {
			t.Errorf("at once: %v", traces())
		}
		clock.Advance(16 * time.Minute)
		w.open(by, id)
		if traces() != [2]int{2, 2} {
			t.Errorf("after 16 minutes: %v", traces())
		}
		w.open(w.reader(w.ruth), id) // other released keys: another session
		if traces() != [2]int{3, 3} {
			t.Errorf("in another session: %v", traces())
		}
		if facts := w.Story(w.anne).Chapters[0].Facts; len(facts) != 3 {
			t.Errorf("facts %+v", facts)
		}
	})
}

func TestNobodyOpensALetterOfAnother(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.submit(deliverytest.Text(anne, "x"), ruth)
		mine, paul := w.reader(w.ruth), w.reader(w.paul)
		id := w.newest(mine).ID
		stranger := mine
		stranger.By = paul.By
		otherKeys := mine
		otherKeys.Keys = paul.Keys
		for _, c := range []struct {
			what   string
			by     reading.Reader
			id     mailbox.MessageID
			kind   fault.Kind
			reason string
		}{
			{"by its id from another box", paul, id, fault.NotFound, "letter-unknown"},
			{"nothing", mine, "", fault.NotFound, "letter-unknown"},
			{"by a stranger", stranger, id, fault.Denied, "right-missing"},
			{"with another space's keys", otherKeys, id, fault.Denied, "keys-missing"},
		} {
			l, err := w.room.Letter(t.Context(), c.by, c.id)
			if l != nil || !fault.Is(err, c.kind) || reason(err) != c.reason {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if _, err := w.room.Letters(t.Context(), paul, w.ruth.Inbox, 0, 10); reason(err) != "folder-unknown" {
			t.Errorf("another's folder: %v", err)
		}
		if _, err := w.room.Letters(t.Context(), stranger, w.ruth.Inbox, 0, 10); reason(err) != "right-missing" {
			t.Errorf("a stranger's list: %v", err)
		}
		refused := 0
		for _, leaf := range w.Leaves("letter.open") {
			if strings.Contains(leaf, `"result":"refused"`) {
				refused++
			}
		}
		if refused != 2 || len(w.Leaves("letter.open")) != 2 {
			t.Errorf("leaves %s", w.Leaves("letter.open"))
		}
		w.State(w.ruth, mailbox.Closed)
		if _, err := w.room.Letter(t.Context(), mine, id); reason(err) != "box-closed" {
			t.Errorf("in a closed box: %v", err)
		}
	})
}

func TestWithoutItsTraceNothingIsOpened(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"audit_pending", "vault_access"} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			w := newWorld(t, db)
			w.submit(deliverytest.Text(anne, "x"), ruth)
			by := w.reader(w.ruth)
			id := w.newest(by).ID
			doc := w.file(w.ruth, "CR", "content")
			w.Write(func(tx *store.Tx) error { _, err := tx.Exec(`DROP TABLE ` + table); return err })
			if l, err := w.room.Letter(t.Context(), by, id); l != nil || err == nil {
				t.Errorf("without %s: a letter, %v", table, err)
			}
			if d, err := w.room.Document(t.Context(), by, doc); d != nil || err == nil {
				t.Errorf("without %s: a document, %v", table, err)
			}
			if !w.newest(by).Unread() || w.Story(w.anne).Chapters[0].State.What != outcome.Delivered {
				t.Errorf("without %s: it counts as read", table)
			}
		})
	}
}

func TestALetterOfAnotherOperatorIsNoOutcomeOfOurs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		// The Received field of a letter's own header is anybody's: it names no outcome.
		w.submit(deliverytest.Text(anne, "ours"), paul)
		story := w.Story(w.anne)
		forged := "Received: from a by b with ESMTPS id " + string(story.ID) + "; Mon, 2 Mar 2026 10:00:00 +0100\r\n"
		w.arrive(forged+deliverytest.Text(bob, "x"), ruth)
		by := w.reader(w.ruth)
		if l := w.open(by, w.newest(by).ID); !l.First {
			t.Error("not opened")
		}
		if got := w.Story(w.anne).Chapters[0].State.What; got != outcome.Delivered {
			t.Errorf("a forged trace field made it %s", got)
		}
	})
}

func TestAProfessionalReadsWithoutAHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.arrive(deliverytest.Text(bob, "x"), anne)
	by := w.reader(w.anne)
	l := w.open(by, w.newest(by).ID)
	if l.From != bob || l.NoAnswer != nil {
		t.Errorf("from %q, %v", l.From, l.NoAnswer)
	}
	if leaves := w.Leaves("letter.open"); len(leaves) != 1 || !strings.Contains(leaves[0], `"purpose":"care"`) || w.Count("vault_access") != 0 {
		t.Errorf("leaves %s, %d lines", leaves, w.Count("vault_access"))
	}
	for what, err := range map[string]error{
		"documents": second(w.room.Documents(t.Context(), by, dmp.Query{})),
		"events":    err2(w.room.Events(t.Context(), by, 10)),
		"history":   err3(w.room.Accesses(t.Context(), by, "", 0)),
	} {
		if reason(err) != "space-not-a-patients" || !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second(_ []dmp.Entry, _ dmp.DocumentID, err error) error { return err }
func err2(_ []reading.Event, err error) error                 { return err }
func err3(_ []dmp.Access, _ dmp.AccessID, err error) error    { return err }

func TestAPatientSeesNamesAndMayAnswerWhoWrote(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		by := w.reader(w.ruth)
		for _, from := range []string{"<" + bob + ">", `"bob@elsewhere.example" <` + bob + ">", "Dr Bob <" + bob + ">"} {
			w.arrive(deliverytest.Text(from, "x"), ruth)
		}
		lines, err := w.room.Letters(t.Context(), by, w.ruth.Inbox, 0, 10)
		if err != nil || len(lines) != 3 {
			t.Fatal(len(lines), err)
		}
		// Without a name, as the correspondent is known now; a name that is an address is none.
		for i, want := range []string{"Dr Bob", deliverytest.City, "Dr Bob"} {
			if lines[i].From != want {
				t.Errorf("line %d is from %q", i, lines[i].From)
			}
		}
		w.arrive(strings.Replace(deliverytest.Text(bob, "fin"), "Subject:", "X-MSS-MES: FIN\r\nSubject:", 1), ruth)
		if l := w.open(by, w.newest(by).ID); reason(l.NoAnswer) != "correspondent-closed" {
			t.Errorf("after the exchange was ended: %v", l.NoAnswer)
		}
		w.Write(func(tx *store.Tx) error {
			return account.Grant(tx, account.Holding{Box: account.BoxID(w.ruth.ID), Person: by.By.Person, Rights: account.Read})
		})
		if _, err := w.room.Letter(t.Context(), by, w.newest(by).ID); err != nil {
			t.Errorf("who may only read: %v", err)
		}
	})
}
