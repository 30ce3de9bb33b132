package reading_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestADocumentIsOpenedWithALeafAndALine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		by, paul := w.reader(w.ruth), w.reader(w.paul)
		var ids []dmp.DocumentID
		for i := range 5 {
			ids = append(ids, w.file(w.ruth, fmt.Sprintf("Compte rendu %d", i), "contenu"))
		}
		var titles []string
		for next := dmp.DocumentID(""); ; {
			page, more, err := w.room.Documents(t.Context(), by, dmp.Query{Before: next, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				titles = append(titles, e.Title[len(e.Title)-1:])
			}
			if next = more; next == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"4", "3", "2", "1", "0"}, titles); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if counts, err := w.room.DocumentCounts(t.Context(), by); err != nil || len(counts) != 1 || counts[0].Documents != 5 {
			t.Errorf("counts %+v, %v", counts, err)
		}
		if n := len(w.Leaves("document.open")) + len(w.history(by)); n != 0 {
			t.Errorf("a list left %d traces", n)
		}
		for range 3 { // a page, its frame and a range of it
			d, err := w.room.Document(t.Context(), by, ids[2])
			if err != nil {
				t.Fatal(err)
			}
			content := make([]byte, d.Size)
			if _, err := d.ReadAt(content, 0); string(content) != "contenu" || d.Title != "Compte rendu 2" {
				t.Errorf("%q, %v", content, err)
			}
			_ = d.Close()
		}
		leaves, lines := w.Leaves("document.open"), w.history(by)
		if len(leaves) != 1 || !strings.Contains(leaves[0], `"object":"document:`+string(ids[2])+`"`) {
			t.Errorf("leaves %s", leaves)
		}
		if len(lines) != 1 || lines[0].What != dmp.DocumentOpened || lines[0].Title != "Compte rendu 2" || lines[0].Object != string(ids[2]) {
			t.Errorf("history %v", lines)
		}
		for what, err := range map[string]error{
			"another patient's": doc(w.room.Document(t.Context(), paul, ids[0])),
			"none":              doc(w.room.Document(t.Context(), by, "")),
		} {
			if !fault.Is(err, fault.NotFound) || reason(err) != "document-unknown" {
				t.Errorf("%s: %v", what, err)
			}
		}
		stranger := by
		stranger.By = paul.By
		if err := doc(w.room.Document(t.Context(), stranger, ids[0])); reason(err) != "right-missing" {
			t.Errorf("a stranger: %v", err)
		}
		if log := w.Log.String(); strings.Contains(log, "Compte rendu") {
			t.Error("the log shows a title")
		}
	})
}

func doc(_ *dmp.Body, err error) error { return err }

func TestEventsAreOpenedAndTheirKeysKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		key, err := seal.ParsePublicKey(w.ruth.LettersKey)
		if err != nil {
			t.Fatal(err)
		}
		space := agenda.SpaceID(w.ruth.Space)
		sealed, err := agenda.Seal(key, space, agenda.Event{
			UID: "uid-1", Method: agenda.Request, Summary: "Consultation", Stamp: time.Now(),
			Start: time.Now().Add(24 * time.Hour), End: time.Now().Add(25 * time.Hour), Organizer: agenda.Party{Raw: bob},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(func(tx *store.Tx) error {
			_, err := agenda.Accept(tx, w.Works, sealed)
			return err
		})
		by := w.reader(w.ruth)
		var id agenda.EventID
		for range 2 { // the second time with the key under the space
			all, err := w.room.Events(t.Context(), by, 100)
			if err != nil || len(all) != 1 || all[0].Summary != "Consultation" || all[0].Status != agenda.NeedsAction || all[0].Version == "" {
				t.Fatalf("events %v, %v", all, err)
			}
			id = all[0].ID
		}
		if e, err := w.room.Event(t.Context(), by, id); err != nil || e.UID != "uid-1" {
			t.Errorf("event %v, %v", e, err)
		}
		var form int
		w.Read(func(tx *store.Tx) error { return tx.QueryRow(`SELECT key_form FROM agenda_event`).Scan(&form) })
		if form != 1 {
			t.Error("the key was not re-wrapped")
		}
		if _, err := w.room.Event(t.Context(), w.reader(w.paul), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("another patient's: %v", err)
		}
	})
}

func TestAHistoryNamesWhatAMailClientOpened(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, subject := range []string{"un", "deux", "trois"} {
			w.submit(deliverytest.Text(anne, subject), ruth)
		}
		by := w.reader(w.ruth)
		by.Via = "imap"
		o := w.room.Opener(by)
		batch, rest, err := o.Batch(t.Context(), w.ruth.Inbox, mailbox.All(), true)
		if err != nil || len(batch) != 3 || rest != nil {
			t.Fatalf("%d letters, %v, %v", len(batch), rest, err)
		}
		for range 2 { // once a session
			if err := o.Trace(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Trace(t.Context(), batch[:1]); err != nil {
			t.Fatal(err)
		}
		leaves := w.Leaves("letter.open")
		if len(leaves) != 1 || !strings.Contains(leaves[0], `"object":"box:`+string(w.ruth.ID)+`"`) || !strings.Contains(leaves[0], `"commit":`) {
			t.Errorf("leaves %s", leaves)
		}
		var titles []string
		for _, a := range w.history(by) {
			titles = append(titles, a.Title+" "+a.Via)
		}
		if diff := cmp.Diff([]string{"trois imap", "deux imap", "un imap"}, titles); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if err := w.room.Opener(by).Trace(t.Context(), batch[2:]); err != nil {
			t.Error(err)
		}
		if leaves := w.Leaves("letter.open"); len(leaves) != 2 || !strings.Contains(leaves[1], `"object":"letter:`+string(batch[2].ID)+`"`) {
			t.Errorf("leaves %s", leaves)
		}
		w.State(w.ruth, mailbox.Opposed)
		if err := w.room.Opener(by).Trace(t.Context(), batch); reason(err) != "box-opposed" {
			t.Errorf("after the box was closed: %v", err)
		}
	})
}

func TestASessionsMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m reading.Memory
	for i := range 50_000 {
		if m.Add(fmt.Sprint(i)) {
			t.Fatalf("%d was known", i)
		}
		if !m.Add(fmt.Sprint(i)) {
			t.Fatalf("%d is not known", i)
		}
	}
	if m.Len() > 1<<14 {
		t.Errorf("remembers %d", m.Len())
	}
}

func TestAnOutcomeIsItsSendersOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		text := deliverytest.Text(anne, "x")
		w.submit(text, ruth, paul)
		story := w.Story(w.anne)
		_, mid, _ := strings.Cut(text, "Message-ID: ")
		mid, _, _ = strings.Cut(mid, "\r\n")
		by := w.reader(w.anne)
		for _, id := range []string{string(story.ID), mid, strings.Trim(mid, "<>")} {
			got, err := w.room.Outcome(t.Context(), by, id)
			if err != nil || got.ID != story.ID || len(got.Chapters) != 2 || got.Chapters[0].State.What != outcome.Delivered {
				t.Errorf("by %s: %+v, %v", id, got, err)
			}
		}
		received := w.reader(w.ruth)
		for _, c := range []struct {
			by reading.Reader
			id string
		}{
			{received, string(story.ID)},
			{received, mid},
			{received, string(w.newest(received).ID)},
			{by, "nonsense"},
			{by, ""},
			{by, string(w.newest(received).ID)},
		} {
			if _, err := w.room.Outcome(t.Context(), c.by, c.id); !fault.Is(err, fault.NotFound) || reason(err) != "outcome-unknown" {
				t.Errorf("%q: %v", c.id, err)
			}
		}
	})
}
