package reading

import (
	"cmp"
	"context"
	"strings"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// leaf is what the audit log says of an opening.
func (by Reader) leaf(act Act, object string) audit.Leaf {
	return audit.Leaf{
		Actor: by.By.Pseudonym, Role: by.By.Role, Act: string(act), Object: object,
		Purpose: string(by.why()), Result: audit.Done, Peer: audit.Network(by.Remote),
	}
}

// access is what a patient's history says of an opening.
func (by Reader) access(what dmp.Act, object, title string) dmp.Access {
	return dmp.Access{
		Who: cmp.Or(by.Name, by.Box.Name), WhoKind: by.By.Role, What: what, Object: object, Title: title,
		Why: by.why(), Via: by.Via,
	}
}

// why is the purpose of an opening: a patient's own business, or a professional's
// care for the people who write to them.
func (by Reader) why() dmp.Reason {
	if by.patient() {
		return dmp.Own
	}
	return dmp.Care
}

// boxObject names a box in leaves.
func boxObject(by Reader) string { return "box:" + string(by.Box.ID) }

// trace is an opening, sealed and ready to be written.
type trace struct {
	room *Room
	by   Reader
	act  Act
	leaf audit.Leaf
	line *dmp.Trace // nil where there is no history
}

// prepareTrace seals an opening, outside of transactions.
func (r *Room) prepareTrace(by Reader, act Act, leaf audit.Leaf, lines ...dmp.Access) (*trace, error) {
	t := &trace{room: r, by: by, act: act, leaf: leaf}
	if !by.patient() || len(lines) == 0 {
		return t, nil
	}
	vault := by.Keys.Vault()
	if vault == nil {
		return nil, fault.New(fault.Internal, "vault-missing")
	}
	var err error
	t.line, err = dmp.NewTrace(vault, dmp.SpaceID(by.Box.Space), lines...)
	return t, err
}

// write decides anew, and writes the trace. Without it nothing is handed out.
func (t *trace) write(tx *store.Tx) error {
	if err := t.room.decide(tx, t.by, t.act); err != nil {
		return err
	}
	if t.line != nil {
		if err := dmp.Note(tx, t.line); err != nil {
			return err
		}
	}
	return audit.Append(tx, t.leaf)
}

// refused leaves a trace of an opening that a rule forbade, and passes the error on.
func (r *Room) refused(ctx context.Context, by Reader, act Act, object string, err error) error {
	if !fault.Is(err, fault.Denied) {
		return err
	}
	l := by.leaf(act, object)
	l.Result, l.Reason = audit.Refused, fault.Reason(err)
	lost := r.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return audit.Append(tx, l) })
	if lost != nil {
		r.Log.Error("reading.refusal.lost", "component", "reading", "conn", by.Conn, "error", lost)
	}
	return err
}

// Trace writes down that the letters of a batch are opened, and returns when that is
// durable: before it no octet of a body is handed out. What this session has traced
// is not traced again. One audit leaf tells of the batch, and in a patient's space
// the history of accesses has a line for each letter. Whether the reader still may is
// decided anew in the same transaction.
//
// It fails with the faults of Decide.
func (o *Opener) Trace(ctx context.Context, batch []Sealed) error {
	var ids []string
	for _, m := range batch {
		if id := string(m.ID); !o.traced.has(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	by := o.reader
	leaf, err := o.room.batchLeaf(by, ids)
	if err != nil {
		return err
	}
	lines := make([]dmp.Access, 0, len(ids))
	if by.patient() {
		for _, id := range ids {
			lines = append(lines, by.access(dmp.LetterOpened, id, ""))
		}
	}
	t, err := o.room.prepareTrace(by, OpenLetter, leaf, lines...)
	if err != nil {
		return err
	}
	if err := o.room.DB.Write(ctx, t.write); err != nil {
		return o.room.refused(ctx, by, OpenLetter, boxObject(by), err)
	}
	for _, id := range ids {
		o.traced.add(id)
	}
	return nil
}

// batchLeaf is the one leaf of letters that are opened together: which ones they
// were is in its details, a line each.
func (r *Room) batchLeaf(by Reader, ids []string) (audit.Leaf, error) {
	if len(ids) == 1 {
		return by.leaf(OpenLetter, "letter:"+ids[0]), nil
	}
	leaf := by.leaf(OpenLetter, boxObject(by))
	var err error
	leaf.Details, err = r.Works.Seal("opened-letters", string(by.Box.ID), []byte(strings.Join(ids, "\n")))
	return leaf, err
}

// OpenedLetters reads the details of a leaf that tells of several letters: which ones
// of the box they were.
func OpenedLetters(w *seal.Works, box mailbox.BoxID, details []byte) ([]mailbox.MessageID, error) {
	plain, err := w.Open("opened-letters", string(box), details)
	if err != nil {
		return nil, err
	}
	var out []mailbox.MessageID
	for id := range strings.SplitSeq(string(plain), "\n") {
		out = append(out, mailbox.MessageID(id))
	}
	return out, nil
}
