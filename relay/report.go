package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/emersion/go-smtp"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
)

// maxSaid bounds what is kept of a next hop's words, in octets. A reply line is at
// most 512 (RFC 5321 4.5.3.1.5).
const maxSaid = 2 << 10

// report prepares the DSN about refused recipients, nil if there is none to send.
func (r *Relay) report(ctx context.Context, p *delivery.Parcel, refused []result) (*delivery.PreparedReport, error) {
	from := p.Sender()
	if from.IsZero() { // never a report to a report
		return nil, nil
	}
	var about []letter.Recipient
	for _, res := range refused {
		if !res.to.WantsFailure() {
			continue
		}
		to, err := identity.ParseAddress(res.to.Address)
		if err != nil {
			return nil, err
		}
		about = append(about, letter.Recipient{
			Final: to, OriginalType: res.to.OriginalType, Original: res.to.Original,
			Action: letter.Failed, Status: status(res.err), Diagnostic: diagnostic(res.err),
			Remote: res.host, LastAttempt: r.opts.Clock(),
		})
	}
	if len(about) == 0 {
		return nil, nil
	}
	report := delivery.Report{
		To: from, Arrival: p.Arrival, EnvelopeID: p.EnvelopeID, MessageID: p.MessageID,
		Full: p.Ret == string(smtp.DSNReturnFull), Recipients: about,
	}
	original, err := r.original(ctx, p)
	if err != nil {
		// The sender is told all the same: a report without the letter says enough.
		r.Log.Error("relay.original.lost", "component", "relay", "letter", p.Letter, "error", err)
		return r.Office.PrepareReport(ctx, report)
	}
	_ = original.Close() // it was there; a report may need it more than once
	report.Original = func() (io.ReadCloser, error) { return r.original(ctx, p) }
	return r.Office.PrepareReport(ctx, report)
}

// original opens the letter as it was sent, for the third part of a report.
func (r *Relay) original(ctx context.Context, p *delivery.Parcel) (io.ReadCloser, error) {
	key, err := r.sessionKey(ctx, p)
	if err != nil {
		return nil, err
	}
	body, err := r.Office.Original(ctx, p.Body, key)
	if err != nil {
		key.Zero()
		return nil, err
	}
	return &returned{io.MultiReader(bytes.NewReader(p.Head), body), body, key}, nil
}

// returned is a letter that goes back; the session key ends with its reader.
type returned struct {
	io.Reader
	body io.Closer
	key  seal.SessionKey
}

// Close implements io.Closer.
func (r *returned) Close() error {
	defer r.key.Zero()
	return r.body.Close()
}

// status is the enhanced status code of a failure (RFC 3463): the next hop's own
// where it gave one.
func status(err error) string {
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		if c := reply.EnhancedCode; c[0] == 5 || c[0] == 4 {
			return strconv.Itoa(c[0]) + "." + strconv.Itoa(c[1]) + "." + strconv.Itoa(c[2])
		}
		return strconv.Itoa(reply.Code/100) + ".0.0"
	}
	switch fault.Reason(err) {
	case "letter-expired":
		return "4.4.7"
	case "recipient-outside-trust-space":
		return "5.7.1"
	case "route-none":
		return "5.1.10" // RFC 7505 4.2
	case "hop-without-smtputf8":
		return "5.6.7" // RFC 6531 3.5
	}
	return "5.0.0"
}

// diagnostic is what the report says of the cause: the next hop's reply, else our
// reason id and what was wrong last.
func diagnostic(err error) string {
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return clip(strconv.Itoa(reply.Code)+" "+reply.Message, maxSaid)
	}
	if fault.Reason(err) == "letter-expired" {
		return err.Error() // made of reason ids alone
	}
	return fault.Reason(err)
}

// clip cuts a text of others.
func clip(s string, limit int) string { return s[:min(len(s), limit)] }
