package filing

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/store"
)

// work is one attempt at an errand: what was found and sealed, what the vault and the
// agenda will say to it, and everything that is written with it.
type work struct {
	clerk   *Clerk
	errand  *delivery.Errand
	found   *Findings // while the letter is open
	patient *patient  // nil when a deposit names nobody here

	lots    []sealedLot
	invites []sealedInvite

	record []byte // for the letter's reader; nil for none
	traces *dmp.Trace
	facts  []outcome.Entry
	leaves []audit.Leaf
	report *delivery.PreparedReport
}

// sealedLot is a lot that may be filed.
type sealedLot struct {
	at      int // in Findings.Lots
	docs    []*dmp.Sealed
	results []dmp.Result // as foreseen
}

// sealedInvite is an invitation that may be applied.
type sealedInvite struct {
	at      int // in Findings.Invitations
	events  []*agenda.Sealed
	results []agenda.Result // as foreseen
}

// seal seals the documents of every lot, and the events of every invitation.
func (w *work) seal(ctx context.Context) error {
	for i := range w.found.Lots {
		if l := &w.found.Lots[i]; l.Reason == "" {
			if err := w.sealLot(ctx, i, l); err != nil {
				return err
			}
		}
	}
	for i := range w.found.Invitations {
		if v := &w.found.Invitations[i]; v.Reason == "" {
			if err := w.sealInvite(i, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// sealLot seals one lot. A document that cannot be kept keeps out the others.
func (w *work) sealLot(ctx context.Context, at int, l *Lot) error {
	s := sealedLot{at: at}
	vault, origin := w.clerk.sealer(w.patient), w.origin()
	for i := range l.Documents {
		d, err := w.sealDocument(ctx, vault, origin, &l.Documents[i])
		reason, ours := verdict(err)
		if ours != nil || reason != "" {
			l.Reason = reason
			return errors.Join(ours, dmp.Settle(ctx, s.docs, nil))
		}
		s.docs = append(s.docs, d)
	}
	w.lots = append(w.lots, s)
	return nil
}

// sealDocument seals one document.
func (w *work) sealDocument(ctx context.Context, vault dmp.Vault, o dmp.Origin, d *Document) (*dmp.Sealed, error) {
	r, err := d.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return vault.Seal(ctx, d.Document, o, r)
}

// origin is where the documents come from.
func (w *work) origin() dmp.Origin {
	if w.errand.Depot() {
		return dmp.Origin{Kind: dmp.ByDepot, From: firstOf(w.errand.Author, w.errand.From)}
	}
	return dmp.Origin{Kind: dmp.ByLetter, Letter: string(w.errand.Message), From: firstOf(w.errand.Author, w.errand.From)}
}

// sealInvite seals the events of one invitation.
func (w *work) sealInvite(at int, v *Invite) error {
	s := sealedInvite{at: at}
	for _, e := range v.Message.Events {
		e.Letter = string(w.errand.Message)
		sealed, err := agenda.Seal(w.patient.letters, agenda.SpaceID(w.patient.box.Space), e)
		reason, ours := verdict(err)
		if ours != nil || reason != "" {
			v.Reason = reason
			return ours
		}
		s.events = append(s.events, sealed)
	}
	w.invites = append(w.invites, s)
	return nil
}

// errForeseen rolls a rehearsal back.
var errForeseen = errors.New("rehearsal")

// foresee rehearses the filing in a transaction that is rolled back: what the reader,
// the sender and the history are told is made and sealed before the transaction that
// counts, which then has to end the same way.
func (w *work) foresee(ctx context.Context) error {
	if len(w.lots)+len(w.invites) == 0 {
		return nil
	}
	var lots, invites []string // reasons
	err := w.clerk.DB.Write(ctx, func(tx *store.Tx) (err error) {
		lots, invites = make([]string, len(w.lots)), make([]string, len(w.invites))
		for i := range w.lots {
			if w.lots[i].results, lots[i], err = w.lots[i].file(tx); err != nil {
				return err
			}
		}
		for i := range w.invites {
			if w.invites[i].results, invites[i], err = w.invites[i].accept(tx, w.clerk); err != nil {
				return err
			}
		}
		return errForeseen
	})
	if !errors.Is(err, errForeseen) {
		return fmt.Errorf("rehearse the filing of letter %s: %w", w.errand.Letter, err)
	}
	var all []error
	for i, s := range w.lots {
		w.found.Lots[s.at].Reason = lots[i]
		all = append(all, dmp.Settle(ctx, s.docs, s.results)) // the bodies of repetitions, and of a refused lot all
	}
	for i, s := range w.invites {
		w.found.Invitations[s.at].Reason = invites[i]
	}
	w.lots = drop(w.lots, lots)
	w.invites = drop(w.invites, invites)
	return errors.Join(all...)
}

// drop leaves out what has a reason.
func drop[T any](list []T, reasons []string) []T {
	var kept []T
	for i, item := range list {
		if reasons[i] == "" {
			kept = append(kept, item)
		}
	}
	return kept
}

// file files the lot. A refusal leaves the transaction as it was.
func (s *sealedLot) file(tx *store.Tx) ([]dmp.Result, string, error) {
	results, err := dmp.File(tx, s.docs)
	reason, ours := refusal(err)
	return results, reason, ours
}

// accept applies an invitation, event by event. A refusal of one keeps out the others.
func (s *sealedInvite) accept(tx *store.Tx, c *Clerk) ([]agenda.Result, string, error) {
	var results []agenda.Result
	for _, e := range s.events {
		r, err := agenda.Accept(tx, c.Works, e)
		if reason, ours := refusal(err); ours != nil || reason != "" {
			return nil, reason, ours
		}
		results = append(results, r)
	}
	return results, "", nil
}

// refusal tells what the vault or the agenda refuses, by its reason, from a transaction
// that failed.
func refusal(err error) (reason string, ours error) {
	switch reason := fault.Reason(err); {
	case fault.Is(err, fault.Conflict) && reason == "document-id-reused", fault.Is(err, fault.OverQuota) && reason == "agenda-full":
		return reason, nil
	}
	return verdict(err)
}

// write writes everything. Lock order: boxes and folders, then bodies, then the
// vault, the agenda and the rest; the queue's own row comes last. It may run more
// than once.
func (w *work) write(tx *store.Tx) error {
	if err := w.report.Place(tx); err != nil {
		return err
	}
	if err := mailbox.DropBody(tx, w.errand.Body, 1); err != nil {
		return err
	}
	for _, s := range w.lots {
		results, reason, err := s.file(tx)
		if err != nil {
			return err
		}
		if reason != "" || !slices.EqualFunc(results, s.results, sameResult) {
			return fault.New(fault.Conflict, "filing-overtaken")
		}
	}
	for _, s := range w.invites {
		results, reason, err := s.accept(tx, w.clerk)
		if err != nil {
			return err
		}
		if reason != "" || !slices.Equal(results, s.results) {
			return fault.New(fault.Conflict, "filing-overtaken")
		}
	}
	return w.note(tx)
}

// sameResult reports whether a document met what was foreseen: another letter may have
// brought it since.
func sameResult(a, b dmp.Result) bool { return a.ID == b.ID && a.New == b.New }

// note writes what is told of the filing.
func (w *work) note(tx *store.Tx) error {
	if w.record != nil {
		if err := dmp.NoteFiling(tx, dmp.SpaceID(w.errand.Space), string(w.errand.Message), w.record); err != nil {
			return err
		}
	}
	if w.traces != nil {
		if err := dmp.Note(tx, w.traces); err != nil {
			return err
		}
	}
	// An outcome that was erased meanwhile needs no more facts.
	if err := outcome.Add(tx, w.facts...); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	for _, l := range w.leaves {
		if err := audit.Append(tx, l); err != nil {
			return err
		}
	}
	return nil
}

// discard deletes what was made durable for a transaction that did not happen.
func (w *work) discard(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	w.report.Discard(ctx)
	for _, s := range w.lots {
		if err := dmp.Settle(ctx, s.docs, nil); err != nil {
			w.clerk.Log.Warn("filing.strays", "component", "filing", "letter", w.errand.Letter, "error", err)
		}
	}
}
