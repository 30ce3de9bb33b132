package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/vaguemestre/vaguemestre/demo"
)

// late is how long an EXISTS is waited for.
const late = 10 * time.Second

// box is a session in the inbox of one holder.
type box struct {
	client *imapclient.Client
	seen   atomic.Uint32 // letters, as last told
	told   chan exists   // each time the server tells
}

// exists is an EXISTS response: how many letters, and when it came.
type exists struct {
	letters uint32
	at      time.Time
}

// enter logs in to a box and selects its inbox.
func enter(ctx context.Context, addr string, config *tls.Config, holder demo.Person) (*box, error) {
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("imap: %w", err)
	}
	b := &box{told: make(chan exists, 1024)}
	b.client = imapclient.New(conn, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: b.hear},
	})
	err = b.client.Login(holder.Login, holder.Password).Wait()
	var selected *imap.SelectData
	if err == nil {
		selected, err = b.client.Select("INBOX", nil).Wait()
	}
	if err != nil {
		b.client.Close()
		return nil, fmt.Errorf("imap: %w", err)
	}
	b.seen.Store(selected.NumMessages)
	return b, nil
}

// hear notes what the server tells unasked.
func (b *box) hear(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages == nil {
		return
	}
	b.seen.Store(*data.NumMessages)
	select {
	case b.told <- exists{*data.NumMessages, time.Now()}:
	default: // nobody listens
	}
}

// wait returns when the server told of more than n letters.
func (b *box) wait(ctx context.Context, n uint32) (time.Time, error) {
	timer := time.NewTimer(late)
	defer timer.Stop()
	for {
		select {
		case e := <-b.told:
			if e.letters > n {
				return e.at, nil
			}
		case <-timer.C:
			return time.Time{}, fmt.Errorf("no EXISTS within %v", late)
		case <-b.client.Closed():
			return time.Time{}, errors.New("the IMAP session broke")
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}

// holds looks for a letter by its Message-ID, once, and compares its octets below
// the trace fields.
func (b *box) holds(id string, text []byte) error {
	// A session hears of new letters at its next command (RFC 3501 5.2, 6.1.2).
	if err := b.client.Noop().Wait(); err != nil {
		return fmt.Errorf("noop: %w", err)
	}
	found, err := b.client.UIDSearch(&imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: id}},
	}, nil).Wait()
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	uids := found.AllUIDs()
	if len(uids) != 1 {
		return fmt.Errorf("%d letters with the Message-ID at its 250, not one", len(uids))
	}
	section := &imap.FetchItemBodySection{Peek: true}
	letters, err := b.client.Fetch(imap.UIDSetNum(uids[0]), &imap.FetchOptions{
		BodySection: []*imap.FetchItemBodySection{section},
	}).Collect()
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	if len(letters) != 1 || !bytes.HasSuffix(letters[0].FindBodySection(section), text) {
		return errors.New("the letter's octets are not those that were sent")
	}
	return nil
}

func (b *box) close() { b.client.Close() }
