package delivery

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/queue"
)

// FileKind is the kind of the jobs that file what a letter brings.
const FileKind = "file"

// depotName is the local part of the box that files without a letter to the
// patient (DESIGN section 5).
const depotName = "depot"

// Errand is a letter whose attachments want filing: one in a patient's box, or
// one that came for the depot. It is the payload of a filing job, sealed under the
// works key; the job holds one reference to the body and, in Key, the only wrap
// that opens it for a worker, so that completing the job ends both.
type Errand struct {
	Letter string `json:"letter"` // names it in audit and outcome
	Number int    `json:"n"`      // the recipient's, in the letter's outcome
	// Submitted says that the letter was submitted here: its outcome is ours.
	Submitted bool `json:"submitted,omitempty"`
	// Box, Space and Message are the patient's copy; empty for the depot.
	Box     mailbox.BoxID     `json:"box,omitempty"`
	Space   mailbox.SpaceID   `json:"space,omitempty"`
	Message mailbox.MessageID `json:"message,omitempty"`
	// Address is the recipient's, From the envelope sender's, Author the one of
	// the header, which delivery has held against the sender.
	Address    string         `json:"to"`
	From       string         `json:"from"`
	Author     string         `json:"author"`
	AuthorName string         `json:"name,omitempty"`
	Body       mailbox.BodyID `json:"body"`
	Plain      int64          `json:"plain"`
	Structure  []byte         `json:"structure"` // letter.Unmarshal reads it
	Day        string         `json:"day"`       // of the transit key
	Key        []byte         `json:"key"`
	MessageID  string         `json:"mid,omitempty"`
	Subject    string         `json:"subject,omitempty"` // decoded
	// ReceiptTo is the one address of Disposition-Notification-To (RFC 8098 2.1),
	// empty if there is none or if it is not the envelope sender's: a receipt that
	// goes elsewhere would need the reader's consent.
	ReceiptTo string    `json:"receipt,omitempty"`
	Arrival   time.Time `json:"arrival"`
}

// Depot reports whether the letter came for the depot.
func (e *Errand) Depot() bool { return e.Box == "" }

// OpenErrand opens the payload of a filing job.
func (o *Office) OpenErrand(job queue.Job) (*Errand, error) {
	payload, err := o.Works.Open(FileKind, string(job.ID), job.Payload)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "errand-broken", err)
	}
	e := new(Errand)
	if err := json.Unmarshal(payload, e); err != nil {
		return nil, fault.Wrap(fault.Internal, "errand-broken", err)
	}
	return e, nil
}

// isDepot reports whether an address is our depot.
func (o *Office) isDepot(a identity.Address) bool {
	return o.opts.Depot && o.Hosts(a.Domain()) && strings.EqualFold(a.Local(), depotName)
}

// errand makes the filing job of one recipient, nil if the letter brings nothing
// to file or is a report.
func (d *dispatch) errand(ctx context.Context, r recipient, message mailbox.MessageID) (*queue.Job, error) {
	if d.env.from.IsZero() || !r.depot && (r.box.Kind != mailbox.Patient || !fileable(&d.in.structure.Root)) {
		return nil, nil
	}
	day, key, err := d.forWorkers(ctx)
	if err != nil {
		return nil, err
	}
	e := Errand{
		Letter: d.id, Number: r.number, Submitted: d.origin.box != "", Message: message,
		Address: r.address.String(), From: d.env.from.String(), Body: d.in.id, Plain: d.in.size(),
		Structure: d.in.structure.Marshal(), Day: day, Key: key, MessageID: d.messageID(), Arrival: d.at,
	}
	if r.box != nil {
		e.Box, e.Space = r.box.ID, r.box.Space
	}
	if author, err := d.in.walker.Author(); err == nil {
		e.Author = author.String()
	}
	if env := d.in.structure.Root.Envelope; env != nil {
		e.Subject = letter.DecodeWords(env.Subject)
		if len(env.From) > 0 {
			e.AuthorName = letter.DecodeWords(env.From[0].Name)
		}
	}
	e.ReceiptTo = d.receiptTo()
	return d.office.errandJob(e)
}

// errandJob seals an errand into a job. Those of one box share a group, and so do
// those of one sender to the depot: a thousand of them do not hold up the others.
func (o *Office) errandJob(e Errand) (*queue.Job, error) {
	id := queue.ID(identity.NewID())
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	sealed, err := o.Works.Seal(FileKind, string(id), payload)
	if err != nil {
		return nil, fmt.Errorf("seal an errand: %w", err)
	}
	group := string(e.Box)
	if from, err := identity.ParseAddress(e.From); err == nil {
		group = cmp.Or(group, string(from.Domain()))
	}
	return &queue.Job{ID: id, Kind: FileKind, Group: group, Due: e.Arrival, Payload: sealed}, nil
}

// receiptTo is where the author wants a receipt, if that is the envelope sender.
func (d *dispatch) receiptTo() string {
	for f := range letter.FieldsOf(d.in.walker.Header()) {
		if !f.Is("Disposition-Notification-To") {
			continue
		}
		list, err := letter.ParseAddressList(f.Value(), 2)
		if err != nil || len(list) != 1 {
			return ""
		}
		a, err := identity.ParseAddress(list[0].Mailbox + "@" + list[0].Host)
		if err != nil || !a.Equal(d.env.from) {
			return ""
		}
		return a.String()
	}
	return ""
}

// forWorkers wraps the letter's key to the day's transit key, once a letter.
func (d *dispatch) forWorkers(ctx context.Context) (day string, key []byte, err error) {
	if d.transitKey != nil {
		return d.transitDay, d.transitKey, nil
	}
	public, day, err := d.office.transitPublic(ctx, d.at)
	if err != nil {
		return "", nil, fmt.Errorf("transit key: %w", err)
	}
	if key, err = public.Wrap(d.in.key, string(d.in.id)); err != nil {
		return "", nil, fmt.Errorf("wrap for transit: %w", err)
	}
	d.transitDay, d.transitKey = day, key
	return day, key, nil
}

// fileable reports whether a part, or one in it, may be a document or an
// invitation. Letters inside the letter are not looked into: who sent them is not
// who sent this one.
func fileable(p *letter.Part) bool {
	for i := range p.Children {
		if p.Multipart() && fileable(&p.Children[i]) {
			return true
		}
	}
	switch p.Type {
	case "multipart", "message", "audio", "video", "font", "model":
		return false
	case "text":
		if p.Subtype != "plain" && p.Subtype != "html" {
			return p.Subtype == "calendar" || p.Subtype == "xml" || named(p)
		}
		return named(p)
	case "image":
		return named(p)
	case "application":
		return p.Subtype != "pkcs7-signature" && p.Subtype != "pgp-signature"
	}
	return true
}

// named reports whether a part of another type has the name of a document.
func named(p *letter.Part) bool {
	name := strings.ToLower(p.FileName())
	for _, suffix := range []string{".zip", ".xml", ".pdf", ".ics"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
