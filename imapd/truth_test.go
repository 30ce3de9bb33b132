package imapd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/imapd"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// TestLostNoticesCostTimeOnly: with a bus that carries nothing, IDLE and other
// commands find changes by looking now and then.
func TestLostNoticesCostTimeOnly(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{Times: imapd.Times{Poll: 50 * time.Millisecond}}, func(t *testing.T, w *world) {
		if err := w.bus.Close(); err != nil {
			t.Fatal(err)
		}
		told := make(chan uint32, 10)
		c := w.dial(patient, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					told <- *data.NumMessages
				}
			},
		}})
		selectBox(t, c, "INBOX")
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		w.deliver(patient, "", text("one", ""))
		select {
		case n := <-told:
			if n != 1 {
				t.Errorf("%d letters", n)
			}
		case <-time.After(3 * time.Second):
			t.Error("not told without a notice")
		}
		if err := idle.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAnOldViewIsReadAnew: when the tombstones that a session needs are pruned.
func TestAnOldViewIsReadAnew(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		for range 5 {
			w.deliver(patient, "", text("one", ""))
		}
		c, br := w.raw(t)
		f := &follower{t: t, conn: c, br: br}
		f.run("SELECT INBOX")
		f.run("FETCH 1:* (UID)")
		err := w.db.Write(t.Context(), func(tx *store.Tx) error {
			inbox := w.box(patient).Inbox
			if _, err := mailbox.Erase(tx, inbox, mailbox.SetOf(2, 4)); err != nil {
				return err
			}
			_, err := mailbox.PruneTombstones(tx, inbox, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		f.run("NOOP")
		f.run("FETCH 1:* (UID)")
		if fmt.Sprint(f.uids) != "[1 3 5]" {
			t.Errorf("the client believes %v", f.uids)
		}
	})
}

// TestTheFirstOpeningRewrapsTheKey: later ones need no public-key operation.
func TestTheFirstOpeningRewrapsTheKey(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		w.deliver(patient, "", text("one", ""))
		w.deliver(patient, "", text("two", ""))
		c := w.dial(patient, nil)
		selectBox(t, c, "INBOX")
		fetchOne(t, c, 1, peek(nil, ""))
		c.Close() // a session waits for its writes
		deadline := time.Now().Add(3 * time.Second)
		for {
			forms := map[mailbox.UID]mailbox.KeyForm{}
			err := w.db.Read(t.Context(), func(tx *store.Tx) error {
				return mailbox.Messages(tx, w.box(patient).Inbox, mailbox.All(), func(m mailbox.Message) error {
					forms[m.UID] = m.KeyForm
					return nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if forms[1] == mailbox.UnderSpace && forms[2] == mailbox.ToLetters {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("key forms: %v", forms)
			}
			time.Sleep(5 * time.Millisecond)
		}
		c = w.dial(patient, nil)
		selectBox(t, c, "INBOX")
		if got := fetchOne(t, c, 1, peek(nil, ""))[0]; string(got) != string(text("one", "")) {
			t.Errorf("after the re-wrap: %q", got)
		}
	})
}

// TestABrokenLetterHidesNoOther: its body is missing; the others are served, the
// command fails in the end, the session lives.
func TestABrokenLetterHidesNoOther(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{})
	long := strings.Repeat("long enough for a blob\n", 1000)
	for range 3 {
		w.deliver(patient, "", text("letter", long))
	}
	var second blob.Key
	err := w.db.Read(t.Context(), func(tx *store.Tx) error {
		var body mailbox.BodyID
		err := mailbox.Messages(tx, w.box(patient).Inbox, mailbox.SetOf(2), func(m mailbox.Message) error {
			body = m.Body
			return nil
		})
		if err != nil {
			return err
		}
		b, err := mailbox.OpenBody(tx, body)
		second = b.Blob
		return err
	})
	if err != nil || w.corrupt(second) != nil {
		t.Fatal(err)
	}
	c := w.dial(patient, nil)
	selectBox(t, c, "INBOX")
	all, err := c.Fetch(imap.SeqSetNum(1, 2, 3), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{peek(nil, imap.PartSpecifierHeader)}}).Collect()
	if len(all) != 3 {
		t.Errorf("%d letters, %v", len(all), err)
	}
	if hits, err := c.UIDSearch(&imap.SearchCriteria{Body: []string{"LONG ENOUGH"}}, nil).Wait(); err != nil || fmt.Sprint(hits.AllUIDs()) != "[1 3]" {
		t.Errorf("search: %v, %v", hits, err)
	}
	if err := c.Noop().Wait(); err != nil {
		t.Errorf("the session is gone: %v", err)
	}
}

// corrupt replaces a blob by other octets of the same length.
func (w *world) corrupt(key blob.Key) error {
	r, err := w.blobs.Open(w.t.Context(), key)
	if err != nil {
		return err
	}
	b := make([]byte, r.Size())
	r.Close()
	if err := w.blobs.Delete(w.t.Context(), key); err != nil {
		return err
	}
	return w.keep(w.t.Context(), key, b)
}

// TestLogsHoldNothingOfAPerson: no address, password, subject, folder name, needle.
func TestLogsHoldNothingOfAPerson(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, imapd.Options{})
	w.deliver(patient, "", text("Secretsubject", "Secretbody"))
	c, br := w.raw(t)
	f := &follower{t: t, conn: c, br: br}
	f.run("CREATE Secretfolder")
	f.run("SELECT INBOX")
	f.run("FETCH 1 (ENVELOPE)")
	f.run("SEARCH TEXT Secretneedle")
	f.run("STORE 1 +FLAGS (Secretkeyword)")
	f.run("COPY 1 Secretnowhere")
	fmt.Fprintf(c, "x SECRETVERB Secretargument\r\ny SELECT &Secretname\r\nz LOGIN a@b {9}\r\n")
	c.Close()
	deadline := time.Now().Add(3 * time.Second)
	for !strings.Contains(w.log.String(), "imap.close") && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	log := strings.ToLower(w.log.String())
	for _, word := range []string{"secret", "patient1", password, "martin"} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q:\n%s", word, log)
		}
	}
}
