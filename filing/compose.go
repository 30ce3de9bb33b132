package filing

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Acts in the audit log.
const (
	actFile   = "document.file"
	actInvite = "invitation.accept"
)

// reasonFailed is that of a letter that could not be filed for as long as letters are
// tried; reasonNothing of a deposit that brings no document.
const (
	reasonFailed  = "filing-failed"
	reasonNothing = "deposit-empty"
)

// compose makes everything that is told of the filing.
func (w *work) compose(ctx context.Context, key seal.SessionKey, body *body) (err error) {
	if w.errand.Depot() && !w.found.toFile() {
		w.found.Reason = reasonNothing
	}
	record := w.tell()
	if err := w.sealRecord(key, record); err != nil {
		return err
	}
	if err := w.trace(record); err != nil {
		return err
	}
	w.leaves = w.leavesOf(record)
	reason, filed := w.summary()
	if err := w.enter(reason, filed); err != nil {
		return err
	}
	if reason == "" && !filed {
		return nil // nothing to file: nobody asked about that
	}
	header := io.NewSectionReader(body, 0, w.headerSize())
	w.report, err = w.receipt(ctx, reason, header)
	return err
}

// headerSize is the size of the letter's own header.
func (w *work) headerSize() int64 {
	s, err := letter.Unmarshal(w.errand.Structure)
	if err != nil {
		return 0
	}
	return s.HeaderSize
}

// tell says what became of each attachment.
func (w *work) tell() Record {
	r := Record{At: w.clerk.opts.Clock().UTC(), Reason: w.found.Reason}
	for _, a := range w.found.Attachments {
		e := Entry{Part: a.Part, Name: a.Name, Kind: a.Kind, Reason: a.Reason}
		switch {
		case a.Reason == reasonCopy:
			e.Outcome = Copy
		case a.Reason != "" && a.Kind != Other:
			e.Outcome = Kept
		}
		r.Attachments = append(r.Attachments, e)
	}
	for i := range w.found.Lots {
		l := &w.found.Lots[i]
		if e := &r.Attachments[l.Attachment]; l.Reason != "" {
			e.Outcome, e.Reason, e.Code = Kept, l.Reason, int(l.Code())
			e.Warnings = l.Warnings
		}
	}
	for _, s := range w.lots {
		l := &w.found.Lots[s.at]
		e := &r.Attachments[l.Attachment]
		e.Outcome, e.Warnings = Known, l.Warnings
		for i, d := range s.results {
			if d.New {
				e.Outcome = Filed
			}
			e.Documents = append(e.Documents, Brought{
				ID: d.ID, New: d.New, Title: l.Documents[i].Title, Warnings: l.Documents[i].Warnings,
			})
		}
	}
	for _, v := range w.found.Invitations {
		if v.Reason != "" {
			e := &r.Attachments[v.Attachment]
			e.Outcome, e.Reason = Kept, v.Reason
		}
	}
	for _, s := range w.invites {
		r.Attachments[w.found.Invitations[s.at].Attachment].Outcome = invited(s.results)
	}
	return r
}

// invited is what became of an invitation with one or more instances.
func invited(results []agenda.Result) Outcome {
	for _, r := range results {
		switch r {
		case agenda.Added:
			return Added
		case agenda.Updated:
			return Updated
		case agenda.Withdrawn, agenda.Remembered:
			return Cancelled
		}
	}
	return Stale
}

// sealRecord seals the record for the letter's reader. A deposit has none.
func (w *work) sealRecord(key seal.SessionKey, r Record) error {
	if w.errand.Depot() || r.Reason == "" && len(r.Attachments) == 0 {
		return nil
	}
	plain, err := json.Marshal(r)
	if err != nil {
		return err
	}
	w.record, err = key.SealRecord(RecordPurpose, string(w.errand.Message), plain)
	return err
}

// trace makes the lines of the patient's history: what came new, and from whom.
func (w *work) trace(r Record) (err error) {
	who := firstOf(w.errand.AuthorName, w.errand.Author, w.errand.From)
	via := "letter"
	if w.errand.Depot() {
		via = "depot"
	}
	var lines []dmp.Access
	for _, e := range r.Attachments {
		for _, d := range e.Documents {
			if d.New {
				lines = append(lines, dmp.Access{
					Who: who, WhoKind: "professional", What: dmp.DocumentFiled, Object: string(d.ID), Title: d.Title, Why: dmp.Filing, Via: via,
				})
			}
		}
		switch e.Outcome {
		case Added, Updated, Cancelled:
			lines = append(lines, dmp.Access{
				Who: who, WhoKind: "professional", What: dmp.InvitationReceived, Object: string(w.errand.Message), Why: dmp.Filing, Via: via,
			})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	w.traces, err = dmp.NewTrace(w.patient.vault, dmp.SpaceID(w.patient.box.Space), lines...)
	return err
}

// leavesOf makes the leaves of the audit log: one for each document that was filed,
// each lot that was refused, each invitation.
func (w *work) leavesOf(r Record) []audit.Leaf {
	object := "letter:" + w.errand.Letter
	var out []audit.Leaf
	leaf := func(act, object, result, reason string) {
		out = append(out, audit.Leaf{Role: "operator", Act: act, Object: object, Result: result, Reason: reason})
	}
	for _, e := range r.Attachments {
		for _, d := range e.Documents {
			reason := ""
			if !d.New {
				reason = "document-known"
			}
			leaf(actFile, "document:"+string(d.ID), audit.Done, reason)
		}
		switch {
		case e.Kind == Invitation && e.Outcome == Kept:
			leaf(actInvite, object, audit.Refused, e.Reason)
		case e.Kind == Invitation:
			leaf(actInvite, object, audit.Done, "invitation-"+string(e.Outcome))
		case e.Outcome == Kept && r.Reason == "":
			leaf(actFile, object, audit.Refused, e.Reason)
		}
	}
	if r.Reason != "" {
		leaf(actFile, object, audit.Refused, r.Reason)
	}
	return out
}

// summary is what the sender is told: why not everything was filed, the first lot that
// was not, and whether anything was.
func (w *work) summary() (reason string, filed bool) {
	reason = w.found.Reason
	for i := range w.found.Lots {
		switch l := &w.found.Lots[i]; {
		case l.Reason == "":
			filed = true
		case reason == "":
			reason = l.Reason
		}
	}
	return reason, filed
}

// enter makes the facts of the outcome of a letter that was submitted here.
func (w *work) enter(reason string, filed bool) error {
	if !w.errand.Submitted {
		return nil
	}
	add := func(what outcome.What, code, text string) error {
		f := outcome.Fact{At: w.clerk.opts.Clock(), What: what, Code: code, Evidence: outcome.Evidence{Source: "filing", Text: text}}
		entry, err := w.clerk.book.Enter(outcome.LetterID(w.errand.Letter), w.errand.Number, f)
		w.facts = append(w.facts, entry)
		return err
	}
	if filed {
		if err := add(outcome.Filed, "", ""); err != nil {
			return err
		}
	}
	if reason == "" {
		return nil
	}
	return add(outcome.Refused, fmt.Sprint(int(codeOf(reason))), reason)
}

// receipt makes the answer to the sender: if one was asked for, and always to a
// deposit, which has no other answer (spec mssante 6.9).
func (w *work) receipt(ctx context.Context, reason string, header io.Reader) (*delivery.PreparedReport, error) {
	to := w.errand.ReceiptTo
	if w.errand.Depot() {
		to = firstOf(to, w.errand.From)
	}
	if to == "" {
		return nil, nil
	}
	m := letter.MDN{
		Subject: w.errand.Subject, OriginalID: w.errand.MessageID, OriginalType: "rfc822", Original: w.errand.Address,
		Handling: letter.Processed, Code: codeOf(reason), Letter: header,
	}
	if reason != "" {
		m.Reasons = []string{reason}
	}
	var err error
	if m.To, err = identity.ParseAddress(to); err != nil {
		return nil, err
	}
	if m.Final, err = identity.ParseAddress(w.errand.Address); err != nil {
		return nil, err
	}
	m.From = m.Final
	return w.clerk.Office.PrepareMDN(ctx, m)
}

// abandon makes what is told of a letter whose filing failed for good. What cannot be
// opened any more is left out: the end of the job must not hang on it.
func (c *Clerk) abandon(ctx context.Context, e *delivery.Errand) (*work, error) {
	w := &work{clerk: c, errand: e}
	if key, err := c.sessionKey(ctx, e); err == nil {
		err = w.sealRecord(key, Record{At: c.opts.Clock().UTC(), Reason: reasonFailed})
		key.Zero()
		if err != nil {
			return w, err
		}
	} else {
		c.Log.Error("filing.letter.locked", "component", "filing", "letter", e.Letter, "error", err)
	}
	w.leaves = []audit.Leaf{{Role: "operator", Act: actFile, Object: "letter:" + e.Letter, Result: audit.Failed, Reason: reasonFailed}}
	if err := w.enter(reasonFailed, false); err != nil {
		return w, err
	}
	var err error
	w.report, err = w.receipt(ctx, reasonFailed, nil)
	return w, err
}
