package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// try speaks with the domain's hosts until one has answered for every recipient.
func (r *Relay) try(ctx context.Context, domain identity.Domain, p *delivery.Parcel) []result {
	all := func(host string, err error) []result {
		results := make([]result, len(p.To))
		for i, to := range p.To {
			results[i] = result{to: to, host: host, err: err}
		}
		return results
	}
	// The list may have changed since submission: nobody outside, at send either.
	if space := r.Trust(); space == nil {
		return all("", fault.New(fault.Transient, "whitelist-unavailable"))
	} else if !space.Contains(domain) {
		return all("", fault.New(fault.Denied, "recipient-outside-trust-space"))
	}
	key, err := r.sessionKey(ctx, p)
	if err != nil {
		return all("", fault.Wrap(fault.Transient, "transit-key", err))
	}
	defer key.Zero()
	hops, err := r.opts.Route(ctx, domain)
	if err != nil {
		return all("", err)
	}
	host, last := "", fault.New(fault.Transient, "route-unknown")
	for _, hop := range hops {
		results, err := r.visit(ctx, hop, domain, p, key)
		if err == nil {
			return results
		}
		host, last = hop.Host, err
		r.Log.Warn("relay.hop.failed", "component", "relay", "domain", string(domain), "reason", fault.Reason(err), "error", err)
		if fault.Is(err, fault.Denied) {
			break
		}
	}
	return all(host, last)
}

// sessionKey opens the letter's key with the transit key of its day.
func (r *Relay) sessionKey(ctx context.Context, p *delivery.Parcel) (key seal.SessionKey, err error) {
	var transit *seal.TransitKey
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		transit, err = custody.TransitKey(tx, r.Platform, p.Day)
		return err
	})
	if err != nil {
		return key, fmt.Errorf("transit key of %s: %w", p.Day, err)
	}
	defer transit.Zero()
	return transit.Unwrap(p.Key, string(p.Body))
}

// visit hands a parcel to one host. An error means that nothing can be said of
// any recipient.
func (r *Relay) visit(ctx context.Context, hop Hop, domain identity.Domain, p *delivery.Parcel, key seal.SessionKey) ([]result, error) {
	client, conn, err := r.dial(ctx, hop, domain)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	options, err := mailOptions(client, p)
	if err != nil {
		return nil, err
	}
	if err := client.Mail(p.From, options); err != nil {
		return nil, replyFault(err)
	}
	results := make([]result, len(p.To))
	taken := 0
	for i, to := range p.To {
		results[i] = result{to: to, host: hop.Host, err: replyFault(client.Rcpt(to.Address, rcptOptions(client, to)))}
		if results[i].err == nil {
			taken++
		}
	}
	if taken == 0 {
		_ = client.Quit() // a broken goodbye changes nothing
		return results, nil
	}
	said, err := r.send(ctx, client, conn, p, key)
	for i := range results {
		if results[i].err == nil {
			results[i].said, results[i].err = said, err
		}
	}
	return results, nil
}

// send streams head and body and returns the reply. The stored bytes are CRLF
// throughout, so the client's dot-stuffing is all that changes on the wire.
func (r *Relay) send(ctx context.Context, client *smtp.Client, conn *hopConn, p *delivery.Parcel, key seal.SessionKey) (string, error) {
	body, err := r.Office.Original(ctx, p.Body, key)
	if err != nil {
		return "", fault.Wrap(fault.Transient, "body-unavailable", err)
	}
	defer body.Close()
	w, err := client.Data()
	if err != nil {
		return "", replyFault(err)
	}
	pipelining, _ := client.Extension("PIPELINING")
	conn.parting = pipelining
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(p.Head), body)); err != nil {
		return "", replyFault(err) // without the final dot: the next hop keeps nothing
	}
	reply, err := w.CloseWithResponse()
	if err != nil {
		return "", replyFault(err)
	}
	if !pipelining {
		_ = client.Quit() // the letter is taken: a broken goodbye changes nothing
	}
	return reply.StatusText, nil
}
