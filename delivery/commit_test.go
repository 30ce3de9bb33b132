package delivery_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// commits notes what each commit published, which may be a moment after its
// Write has returned.
type commits struct {
	mu   sync.Mutex
	all  [][]string    // guarded by mu
	more chan struct{} // there is more
}

func (c *commits) publish(topics []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, topics)
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// together reports whether one commit published all of the topics.
func (c *commits) together(topics ...string) bool {
	late := time.After(10 * time.Second)
	for {
		c.mu.Lock()
		found := slices.ContainsFunc(c.all, func(published []string) bool {
			return !slices.ContainsFunc(topics, func(t string) bool { return !slices.Contains(published, t) })
		})
		c.mu.Unlock()
		if found {
			return true
		}
		select {
		case <-c.more:
		case <-late:
			return false
		}
	}
}

// eachWithCommits runs a test on both engines with what their commits published.
func eachWithCommits(t *testing.T, test func(t *testing.T, db *store.DB, c *commits)) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteDSN, "postgres": storetest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			c := &commits{more: make(chan struct{}, 1)}
			test(t, storetest.Open(t, dsn(t), store.Options{Publish: c.publish}), c)
		})
	}
}

func TestABoxClosedBeforeTheCommitIsReportedToOurOwnSender(t *testing.T) {
	t.Parallel()
	eachWithCommits(t, func(t *testing.T, db *store.DB, c *commits) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		a, p, z := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul), op.Open(mailbox.PER, zoe)
		v := op.Submit(a)
		text := deliverytest.Text(anne, "x")
		if err := v.Mail(t.Context(), a.Address, delivery.MailOptions{EnvelopeID: "enveloppe-7"}); err != nil {
			t.Fatal(err)
		}
		for _, to := range []deliverytest.Holder{a, p, z} {
			opts := delivery.RcptOptions{OriginalType: "rfc822", Original: "alias-" + to.Address.String()}
			if err := v.Rcpt(t.Context(), to.Address, opts); err != nil {
				t.Fatal(err)
			}
		}
		op.State(p, mailbox.Closed)
		if err := v.Data(t.Context(), strings.NewReader(text)); err != nil {
			t.Fatalf("others could be served: %v", err)
		}
		if got := bodies(op.Inbox(z)); !slices.Equal(got, []string{text}) {
			t.Errorf("the open box holds %q", got)
		}
		if got := op.Inbox(p); len(got) != 0 {
			t.Errorf("the closed box holds %d letters", len(got))
		}
		got := op.Inbox(a)
		if len(got) != 2 {
			t.Fatalf("the sender has %d letters, want a copy and a report", len(got))
		}
		report := got[slices.IndexFunc(got, func(l deliverytest.Letter) bool { return l.Body != text })]
		contains(t, report.Head, "Return-Path: <>\r\n")
		contains(t, report.Body, "From: \"Mail Delivery System\" <postmaster@"+deliverytest.Hospital+">",
			"Final-Recipient: rfc822; "+paul, "Original-Recipient: rfc822; alias-"+paul, "Action: failed", "Status: 5.2.1",
			"box-closed", "Original-Envelope-Id: enveloppe-7", "Auto-Submitted: auto-replied", "Subject: x")
		if strings.Contains(report.Body, "Final-Recipient: rfc822; "+zoe) {
			t.Error("the report is about somebody who has the letter")
		}
		if !c.together(z.Inbox.Topic(), a.Inbox.Topic()) {
			t.Error("letter and report came in two commits")
		}
		var states []outcome.State
		for _, chapter := range op.Story(a).Chapters {
			states = append(states, outcome.State{What: chapter.State.What, Code: chapter.State.Code})
		}
		want := []outcome.State{{What: outcome.Delivered}, {What: outcome.Refused, Code: "5.2.1"}, {What: outcome.Delivered}}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Errorf("outcome (-want +got)\n%s", diff)
		}
	})
}

// jobs opens the parcels that wait.
func jobs(t *testing.T, op *deliverytest.Operator) (out []*delivery.Parcel, groups []string) {
	t.Helper()
	var all []queue.Job
	op.Read(func(tx *store.Tx) error {
		rows, err := tx.Query(`SELECT id, grp, payload FROM queue_job ORDER BY grp`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j queue.Job
			if err := rows.Scan(&j.ID, &j.Group, &j.Payload); err != nil {
				return err
			}
			all = append(all, j)
		}
		return rows.Err()
	})
	for _, j := range all {
		p, err := op.Office.OpenParcel(j)
		if err != nil {
			t.Fatal(err)
		}
		out, groups = append(out, p), append(groups, j.Group)
	}
	return out, groups
}

func TestABoxClosedBeforeTheCommitIsReportedToAnotherOperatorsSender(t *testing.T) {
	t.Parallel()
	eachWithCommits(t, func(t *testing.T, db *store.DB, c *commits) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		a, p := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul)
		v := op.Peer(deliverytest.City)
		if err := deliverytest.Envelope(v, bob, anne, paul); err != nil {
			t.Fatal(err)
		}
		op.Quota(p, 10)
		if err := v.Data(t.Context(), strings.NewReader(deliverytest.Text(bob, "x"))); err != nil {
			t.Fatal(err)
		}
		if n := len(op.Inbox(a)); n != 1 {
			t.Errorf("the open box has %d letters", n)
		}
		parcels, groups := jobs(t, op)
		if len(parcels) != 1 || groups[0] != deliverytest.City {
			t.Fatalf("jobs for %v", groups)
		}
		got := parcels[0]
		if !got.Sender().IsZero() || len(got.To) != 1 || got.To[0].Address != bob || got.Box != "" || got.To[0].WantsFailure() {
			t.Errorf("the report's parcel: from %q to %+v, box %q", got.From, got.To, got.Box)
		}
		contains(t, string(got.Head), "Received: from mx."+deliverytest.Hospital, "with LOCAL\r\n")
		if !c.together(a.Inbox.Topic(), queue.Topic(delivery.RelayKind)) {
			t.Error("letter and report came in two commits")
		}
		if n := len(op.Leaves("letter.report")); n != 1 {
			t.Errorf("%d leaves for the report", n)
		}
	})
}

func TestWhenAllBoxesFailNothingIsKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
		a, p := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul)
		v := op.Peer(deliverytest.City)
		if err := deliverytest.Envelope(v, bob, anne, paul); err != nil {
			t.Fatal(err)
		}
		op.State(a, mailbox.Closed)
		op.State(p, mailbox.Closed)
		wantReason(t, "all boxes closed", v.Data(t.Context(), strings.NewReader(deliverytest.Text(bob, "x"))), "box-closed")
		nothingKept(t, op)
	})
}

// An announced patient's letters are held by who sends them: nobody gets a report
// for a failure that passes, and nobody gets the letter twice.
func TestAFailureThatMayPassFailsTheWholeLetter(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	m := op.Open(mailbox.Patient, marie)
	op.Open(mailbox.PER, anne)
	v := op.Peer(deliverytest.City)
	if err := deliverytest.Envelope(v, bob, anne, marie); err != nil {
		t.Fatal(err)
	}
	op.State(m, mailbox.Announced)
	wantReason(t, "announced meanwhile", v.Data(t.Context(), strings.NewReader(deliverytest.Text(bob, "x"))), "box-announced")
	nothingKept(t, op)
}

func TestNobodyIsToldWhereNobodyWantsToHear(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	a, p, z := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul), op.Open(mailbox.PER, zoe)
	report := "Content-Type: multipart/report; boundary=b\r\n" + deliverytest.Text(bob, "x")
	for _, c := range []struct {
		name, from, text string
		opts             delivery.RcptOptions
		before           func()
	}{
		{name: "a report about a report", text: report},
		{name: "NOTIFY=NEVER", from: bob, text: deliverytest.Text(bob, "x"), opts: delivery.RcptOptions{Notify: []string{"NEVER"}}},
		{name: "NOTIFY=SUCCESS", from: bob, text: deliverytest.Text(bob, "x"), opts: delivery.RcptOptions{Notify: []string{"SUCCESS", "DELAY"}}},
	} {
		v := op.Peer(deliverytest.City)
		if err := v.Mail(t.Context(), deliverytest.Address(t, c.from), delivery.MailOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, h := range []deliverytest.Holder{z, p} {
			if err := v.Rcpt(t.Context(), h.Address, c.opts); err != nil {
				t.Fatal(err)
			}
		}
		op.State(p, mailbox.Closed)
		if err := v.Data(t.Context(), strings.NewReader(c.text)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		op.State(p, mailbox.Active)
	}
	if n := op.Count("queue_job"); n != 0 || len(op.Inbox(z)) != 3 {
		t.Errorf("%d reports; %d letters", n, len(op.Inbox(z)))
	}

	// The sender's own box is closed too: the others have their letter all the same.
	v := op.Submit(a)
	if err := deliverytest.Envelope(v, anne, zoe, paul); err != nil {
		t.Fatal(err)
	}
	op.State(p, mailbox.Closed)
	op.State(a, mailbox.Closed)
	if err := v.Data(t.Context(), strings.NewReader(deliverytest.Text(anne, "x"))); err != nil {
		t.Error(err)
	}
	if len(op.Inbox(z)) != 4 || len(op.Inbox(a)) != 0 || op.Count("body") != 4 {
		t.Errorf("%d letters, %d reports, %d bodies", len(op.Inbox(z)), len(op.Inbox(a)), op.Count("body"))
	}
	contains(t, op.Log.String(), "report.undeliverable")
}

// submitWithClosed submits a letter to zoe and to paul, whose box closes meanwhile,
// and returns the report.
func submitWithClosed(t *testing.T, op *deliverytest.Operator, a, p deliverytest.Holder, text string) deliverytest.Letter {
	t.Helper()
	op.State(p, mailbox.Active)
	v := op.Submit(a)
	if err := v.Mail(t.Context(), a.Address, delivery.MailOptions{Ret: "FULL"}); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{zoe, paul} {
		if err := v.Rcpt(t.Context(), deliverytest.Address(t, to), delivery.RcptOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	op.State(p, mailbox.Closed)
	if err := v.Data(t.Context(), strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	reports := op.Inbox(a)
	return reports[len(reports)-1]
}

func TestAReportReturnsTheWholeLetterWhenAskedAndAble(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{Delivery: delivery.Options{Inline: 1024, MaxSize: 200_000}})
	a, p := op.Open(mailbox.PER, anne), op.Open(mailbox.PER, paul)
	op.Open(mailbox.PER, zoe)
	text := deliverytest.Text(anne, "x") + strings.Repeat("0123456789\r\n", 1000)
	contains(t, submitWithClosed(t, op, a, p, text).Body, "Content-Type: message/rfc822", text)
	if n := len(op.Files()); n != 2 {
		t.Errorf("%d files, want the letter's and the report's", n)
	}
	huge := deliverytest.Text(anne, "grand") + strings.Repeat("0123456789\r\n", 16_600)
	report := submitWithClosed(t, op, a, p, huge)
	contains(t, report.Body, "Content-Type: text/rfc822-headers", "Subject: grand")
	if len(report.Body) > 10_000 {
		t.Errorf("a report of %d octets", len(report.Body))
	}
}

// Nobody knows whether a commit whose answer was lost has happened. If it has, the
// repetition finds the letter, and must find all of it.
func TestALetterWhoseCommitIsUncertainIsWholeWhenItComesAgain(t *testing.T) {
	t.Parallel()
	counter := deliverytest.CountStatements(t, storetest.PostgresDSN(t))
	op := deliverytest.New(t, storetest.Open(t, counter.DSN, store.Options{}), deliverytest.Options{Delivery: delivery.Options{Inline: 64}})
	h := op.Open(mailbox.PER, anne)
	text := deliverytest.Text(bob, "x")
	v := op.Peer(deliverytest.City)
	if err := deliverytest.Envelope(v, bob, anne); err != nil {
		t.Fatal(err)
	}
	answered := counter.LoseCommit()
	if err := v.Data(t.Context(), strings.NewReader(text)); err == nil {
		t.Fatal("a 250 for a letter that may not be there")
	}
	v.Close()
	<-answered
	if n := op.Count("message"); n != 1 {
		t.Fatalf("%d letters: the commit was to happen", n)
	}
	if err := deliverytest.Send(op.Peer(deliverytest.City), bob, []string{anne}, text); err != nil {
		t.Fatal(err)
	}
	if got := bodies(op.Inbox(h)); !slices.Equal(got, []string{text}) {
		t.Errorf("the box holds %q", got)
	}
}
