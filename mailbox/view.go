package mailbox

import (
	"cmp"
	"slices"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Row is what a view holds of a letter.
type Row struct {
	UID    UID
	Flags  Flags
	ModSeq ModSeq
}

// View is a folder as a session sees it: its letters in the order of their UIDs.
// The sequence number of Rows[i] is i+1.
type View struct {
	UIDValidity UIDValidity
	UIDNext     UID
	ModSeq      ModSeq
	Rows        []Row
}

// Changes is what happened to a folder after a modseq.
type Changes struct {
	// Rows are the letters that are new or whose flags changed, as they are now,
	// in the order of their UIDs.
	Rows []Row
	// Expunged are the UIDs that went, ascending; some the reader may never have seen.
	Expunged []UID
	// ModSeq and UIDNext are the folder's now.
	ModSeq  ModSeq
	UIDNext UID
}

// ReadView reads a whole folder through one covering index. It needs a
// transaction that is one snapshot ([store.DB.Read]). It fails with
// fault.NotFound "folder-unknown".
func ReadView(tx *store.Tx, id FolderID) (View, error) {
	f, err := Status(tx, nil, id)
	if err != nil {
		return View{}, err
	}
	v := View{UIDValidity: f.UIDValidity, UIDNext: f.UIDNext, ModSeq: f.ModSeq}
	v.Rows, err = rowsSince(tx, id, 0, int(f.Messages))
	return v, err
}

// ChangesSince reads what happened to a folder after since, in a transaction that
// is one snapshot. It fails with fault.NotFound "folder-unknown", and with
// fault.Conflict "view-too-old" when the tombstones since then are pruned: the
// reader then reads a new View and compares.
func ChangesSince(tx *store.Tx, id FolderID, since ModSeq) (Changes, error) {
	f, err := Status(tx, nil, id)
	if err != nil {
		return Changes{}, err
	}
	c := Changes{ModSeq: f.ModSeq, UIDNext: f.UIDNext}
	if since >= f.ModSeq {
		return c, nil
	}
	if since < f.Floor {
		return Changes{}, fault.New(fault.Conflict, "view-too-old")
	}
	if c.Rows, err = rowsSince(tx, id, since, 0); err != nil {
		return Changes{}, err
	}
	c.Expunged, err = expungedSince(tx, id, since)
	return c, err
}

// rowsSince reads the rows after a modseq. They are sorted here, not by the
// engine: it reads the index that is ordered by modseq.
func rowsSince(tx *store.Tx, id FolderID, since ModSeq, guess int) ([]Row, error) {
	number, err := id.number()
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`SELECT uid, flags, modseq FROM message WHERE box_id = $1 AND folder = $2 AND modseq > $3`,
		string(id.Box()), number, int64(since))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make([]Row, 0, guess)
	for rows.Next() {
		var r Row
		if err := rows.Scan(&r.UID, &r.Flags, &r.ModSeq); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Compare(a.UID, b.UID) })
	return out, rows.Err()
}

// expungedSince reads the tombstones after a modseq, ascending by UID.
func expungedSince(tx *store.Tx, id FolderID, since ModSeq) ([]UID, error) {
	number, err := id.number()
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`SELECT uid FROM expunged WHERE box_id = $1 AND folder = $2 AND modseq > $3`,
		string(id.Box()), number, int64(since))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []UID
	for rows.Next() {
		var u UID
		if err := rows.Scan(&u); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	slices.Sort(out)
	return out, rows.Err()
}

// Apply returns the view after the changes; v stays as it is. Changes may be
// applied to any view between the modseq they were read since and their own.
func (v View) Apply(c Changes) View {
	out := View{UIDValidity: v.UIDValidity, UIDNext: c.UIDNext, ModSeq: c.ModSeq}
	out.Rows = make([]Row, 0, len(v.Rows)+len(c.Rows))
	gone, changed := c.Expunged, c.Rows
	for _, r := range v.Rows {
		for len(gone) > 0 && gone[0] < r.UID {
			gone = gone[1:]
		}
		if len(gone) > 0 && gone[0] == r.UID {
			continue
		}
		for len(changed) > 0 && changed[0].UID < r.UID {
			out.Rows = append(out.Rows, changed[0])
			changed = changed[1:]
		}
		if len(changed) > 0 && changed[0].UID == r.UID {
			r, changed = changed[0], changed[1:]
		}
		out.Rows = append(out.Rows, r)
	}
	out.Rows = append(out.Rows, changed...)
	return out
}

// Index returns where the UID stands in Rows: its sequence number less one.
func (v View) Index(u UID) (int, bool) {
	return slices.BinarySearchFunc(v.Rows, u, func(r Row, u UID) int { return cmp.Compare(r.UID, u) })
}

// Span returns the UIDs of Rows[i:j] as one range. Gaps in it are UIDs that are
// gone, and new letters have greater ones: nothing that the view does not show
// slips in.
func (v View) Span(i, j int) Set {
	if i >= j {
		return nil
	}
	return Set{{v.Rows[i].UID, v.Rows[j-1].UID}}
}
