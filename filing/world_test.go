package filing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
)

// world is an operator of a hospital and of patients, with a clerk.
type world struct {
	*deliverytest.Operator
	t      *testing.T
	anne   deliverytest.Holder
	jeanne deliverytest.Holder
	clock  deliverytest.Clock
	// blobs stands before the operator's blobs when it is not nil.
	blobs blob.Store
	opts  filing.Options
	// same, when set, is the clerk of all work: one life of a node. Else each work is a
	// life of its own, which knows nothing of what the one before had sealed.
	same *filing.Clerk
}

// newWorld opens the boxes of anne and of jeanne.
func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, opts: filing.Options{Inline: -1}}
	w.Operator = deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Clock: w.clock.Now, Depot: true}})
	w.anne = w.Open(mailbox.PER, anne)
	w.jeanne = w.OpenFor(mailbox.Patient, jeanne, person())
	return w
}

// clerk makes the operator's clerk.
func (w *world) clerk() *filing.Clerk {
	if w.same != nil {
		return w.same
	}
	blobs := w.blobs
	if blobs == nil {
		blobs = w.Blobs
	}
	w.opts.Clock = w.clock.Now
	return filing.New(filing.Parts{
		DB: w.DB, Blobs: blobs, Platform: w.Platform, Works: w.Works, Office: w.Office, Log: slog.New(slog.NewJSONHandler(w.Log, nil)),
	}, w.opts)
}

// submit lets anne write.
func (w *world) submit(text string, to ...string) {
	w.t.Helper()
	if err := deliverytest.Send(w.Submit(w.anne), anne, to, text); err != nil {
		w.t.Fatal(err)
	}
}

// receive lets bob, who is another operator's, write.
func (w *world) receive(text string, to ...string) {
	w.t.Helper()
	if err := deliverytest.Send(w.Peer(deliverytest.City), bob, to, text); err != nil {
		w.t.Fatal(err)
	}
}

// work runs filing jobs, with short waits, until none is left.
func (w *world) work() {
	w.t.Helper()
	w.workUntil(func() bool { return w.jobs() == 0 })
}

func (w *world) workUntil(done func() bool) {
	w.t.Helper()
	kind := w.clerk().Jobs()
	kind.Backoff = queue.Backoff{Quick: []time.Duration{}, First: 5 * time.Millisecond, Max: 20 * time.Millisecond}
	worker := queue.NewWorker(w.DB, map[string]queue.Kind{delivery.FileKind: kind}, queue.Options{
		Now: w.clock.Now, Idle: 20 * time.Millisecond, Logger: slog.New(slog.NewJSONHandler(w.Log, nil)),
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- worker.Run(ctx) }()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
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

// jobs counts the filing jobs.
func (w *world) jobs() (n int) {
	w.t.Helper()
	w.Read(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM queue_job WHERE kind = $1`, delivery.FileKind).Scan(&n)
	})
	return n
}

// vault opens all documents of a holder, the newest first.
func (w *world) vault(h deliverytest.Holder) (all []dmp.Entry) {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	var rows []dmp.Row
	w.Read(func(tx *store.Tx) (err error) {
		rows, err = dmp.List(tx, w.Works, dmp.SpaceID(h.Space), dmp.Query{Limit: dmp.MaxPage})
		return err
	})
	o := dmp.NewOpener(ring)
	for _, r := range rows {
		e, err := o.Entry(r)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// titles are the documents of a holder in short, sorted.
func (w *world) titles(h deliverytest.Holder) string {
	w.t.Helper()
	var all []string
	for _, e := range w.vault(h) {
		all = append(all, fmt.Sprintf("%s %s %d", e.UniqueID, e.State, len(e.Origins)))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// record opens what became of the newest letter of a holder.
func (w *world) record(h deliverytest.Holder) filing.Record {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	letters := w.Inbox(h)
	if len(letters) == 0 {
		w.t.Fatal("no letter")
	}
	m := letters[len(letters)-1].Message
	var sealed []byte
	w.Read(func(tx *store.Tx) (err error) {
		sealed, err = dmp.ReadFiling(tx, dmp.SpaceID(h.Space), string(m.ID))
		return err
	})
	key, err := ring.Unwrap(m.Key, string(m.Body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer key.Zero()
	plain, err := key.OpenRecord(filing.RecordPurpose, string(m.ID), sealed)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := filing.ReadRecord(plain)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// told is a record in short.
func told(r filing.Record) string {
	all := []string{}
	if r.Reason != "" {
		all = append(all, "! "+r.Reason)
	}
	for _, e := range r.Attachments {
		line := strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Part, e.Kind, e.Outcome, e.Reason))
		if len(e.Documents) > 0 {
			line += fmt.Sprintf(" %d", len(e.Documents))
		}
		all = append(all, line)
	}
	return strings.Join(all, ", ")
}

// events opens the agenda of a holder.
func (w *world) events(h deliverytest.Holder) string {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	var rows []agenda.Row
	w.Read(func(tx *store.Tx) (err error) {
		rows, err = agenda.List(tx, agenda.SpaceID(h.Space), 100)
		return err
	})
	var all []string
	for _, r := range rows {
		e, _, err := agenda.Open(ring, r)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %s %s", e.UID, e.Summary, r.Status))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// history opens the accesses of a holder, the oldest first.
func (w *world) history(h deliverytest.Holder) (all []dmp.Access) {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	var rows []dmp.AccessRow
	w.Read(func(tx *store.Tx) (err error) {
		rows, _, err = dmp.Accesses(tx, dmp.SpaceID(h.Space), "", 100)
		return err
	})
	all, err := dmp.NewOpener(ring).Accesses(rows)
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Reverse(all)
	return all
}

// states are the outcome of anne's last letter.
func (w *world) states() string {
	w.t.Helper()
	var all []string
	for _, c := range w.Story(w.anne).Chapters {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s", c.State.What, c.State.Code)))
	}
	return strings.Join(all, ", ")
}

// leaves are the acts of filing in the audit log, in short.
func (w *world) leaves() string {
	w.t.Helper()
	var all []string
	for _, act := range []string{"document.file", "invitation.accept"} {
		for _, line := range w.Leaves(act) {
			var l struct{ Result, Reason, Object string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				w.t.Fatal(err)
			}
			kind, _, _ := strings.Cut(l.Object, ":")
			all = append(all, strings.TrimSpace(kind+" "+l.Result+" "+l.Reason))
		}
	}
	return strings.Join(all, ", ")
}

// receipts are the reports in anne's box.
func (w *world) receipts() (all []string) {
	w.t.Helper()
	for _, l := range w.Inbox(w.anne) {
		all = append(all, l.String())
	}
	return all
}

// octets reads a document of a vault.
func (w *world) octets(h deliverytest.Holder, id dmp.DocumentID) string {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	var row dmp.Row
	w.Read(func(tx *store.Tx) (err error) {
		row, err = dmp.Get(tx, dmp.SpaceID(h.Space), id)
		return err
	})
	o := dmp.NewOpener(ring)
	body, err := o.Body(w.t.Context(), w.Blobs, row)
	if err != nil {
		w.t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(io.NewSectionReader(body, 0, row.Size))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// strays are the blobs that no row refers to.
func (w *world) strays() (all []blob.Key) {
	w.t.Helper()
	keys, err := w.Blobs.List(w.t.Context(), "", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range keys {
		all = append(all, k.Key)
	}
	w.Read(func(tx *store.Tx) (err error) {
		if all, err = mailbox.Unknown(tx, all); err != nil {
			return err
		}
		all, err = dmp.Unknown(tx, all)
		return err
	})
	return all
}

// clean holds what is true when all jobs are done: no body is kept for a worker, and
// every blob has a row.
func (w *world) clean() {
	w.t.Helper()
	if n := w.jobs(); n > 0 {
		w.t.Errorf("%d jobs left", n)
	}
	var refs, letters int
	w.Read(func(tx *store.Tx) error {
		if err := tx.QueryRow(`SELECT COALESCE(SUM(refs), 0) FROM body`).Scan(&refs); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM queue_job)`).Scan(&letters)
	})
	if refs != letters {
		w.t.Errorf("%d references to bodies for %d letters and relay jobs", refs, letters)
	}
	if strays := w.strays(); len(strays) > 0 {
		w.t.Errorf("%d blobs that nobody knows", len(strays))
	}
}

// job reads the one filing job that waits.
func (w *world) job() queue.Job {
	w.t.Helper()
	j := queue.Job{Kind: delivery.FileKind}
	w.Read(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT id, grp, payload FROM queue_job WHERE kind = $1`, delivery.FileKind).Scan(&j.ID, &j.Group, &j.Payload)
	})
	return j
}

func contains(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// quiet holds that nothing of a letter got into the log.
func (w *world) quiet() {
	w.t.Helper()
	for _, secret := range []string{person().INS, "Arcy", "Lettre de", "IHE_XDM", jeanne, anne, bob} {
		if strings.Contains(w.Log.String(), secret) {
			w.t.Errorf("the log holds %q:\n%s", secret, w.Log)
		}
	}
}
