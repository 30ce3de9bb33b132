package view

import (
	"cmp"
	"slices"

	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Folder is what one client has been told of the folder it has selected. It lags
// behind the folder on purpose: a letter's sequence number is its place in Rows,
// so Rows shrink only when the client is told of it.
//
// What the client has not been told yet is not queued anywhere: it is the
// difference between modseq and the folder's own, and is read when the client may
// be told. A client that never asks costs nothing, however much happens.
type Folder struct {
	ID       mailbox.FolderID
	ReadOnly bool
	// Rows are in the order of their UIDs; the sequence number of Rows[i] is i+1.
	Rows []mailbox.Row
	// modseq is up to where changes were read.
	modseq mailbox.ModSeq
	// gone are UIDs of Rows that were expunged but not told, ascending.
	gone []mailbox.UID
}

// NewFolder is the view of a client that has just selected a folder.
func NewFolder(folder mailbox.FolderID, v mailbox.View, readOnly bool) *Folder {
	return &Folder{ID: folder, ReadOnly: readOnly, Rows: v.Rows, modseq: v.ModSeq}
}

// News is what a client is told, in this order: expunged letters, the number of
// letters, changed flags.
type News struct {
	// Expunged are sequence numbers, each as it is when those before it are gone.
	Expunged []uint32
	// Grown is how many letters are new; they are the last of Rows.
	Grown int
	// Changed are places in Rows whose flags are others than the client knows.
	Changed []int
}

// Absorb brings the view up to the changes. Without mayExpunge (RFC 9051 7.5.1:
// not while answering FETCH, STORE or SEARCH by sequence numbers) letters that
// went keep their place.
func (v *Folder) Absorb(c mailbox.Changes, mayExpunge bool) News {
	v.modseq = c.ModSeq
	for _, u := range c.Expunged {
		if _, known := v.Index(u); known {
			v.gone = append(v.gone, u)
		}
	}
	slices.Sort(v.gone)
	v.gone = slices.Compact(v.gone)
	var n News
	if mayExpunge {
		n.Expunged = v.Drop(v.gone)
		v.gone = nil
	}
	for _, r := range c.Rows {
		switch i, known := v.Index(r.UID); {
		case known && v.Rows[i].Flags != r.Flags:
			n.Changed = append(n.Changed, i)
			fallthrough
		case known:
			v.Rows[i] = r
		case i == len(v.Rows):
			v.Rows = append(v.Rows, r)
			n.Grown++
		}
	}
	return n
}

// Untold reports whether letters went of which the client has not been told.
func (v *Folder) Untold() bool { return len(v.gone) > 0 }

// Drop removes rows, by ascending UIDs, and returns the sequence numbers to tell.
func (v *Folder) Drop(uids []mailbox.UID) []uint32 {
	if len(uids) == 0 {
		return nil
	}
	var told []uint32
	kept := v.Rows[:0]
	for _, r := range v.Rows {
		for len(uids) > 0 && uids[0] < r.UID {
			uids = uids[1:]
		}
		if len(uids) > 0 && uids[0] == r.UID {
			told = append(told, uint32(len(kept)+1))
			continue
		}
		kept = append(kept, r)
	}
	v.Rows = kept
	return told
}

// differences returns what leads from the rows to those of a folder read anew.
func (v *Folder) differences(now mailbox.View) mailbox.Changes {
	c := mailbox.Changes{ModSeq: now.ModSeq, UIDNext: now.UIDNext}
	old := v.Rows
	for _, r := range now.Rows {
		for len(old) > 0 && old[0].UID < r.UID {
			c.Expunged = append(c.Expunged, old[0].UID)
			old = old[1:]
		}
		if len(old) > 0 && old[0].UID == r.UID {
			if old[0].Flags != r.Flags {
				c.Rows = append(c.Rows, r)
			}
			old = old[1:]
			continue
		}
		c.Rows = append(c.Rows, r)
	}
	for _, r := range old {
		c.Expunged = append(c.Expunged, r.UID)
	}
	return c
}

// Vanished are the changes that leave nothing of the folder.
func (v *Folder) Vanished() mailbox.Changes {
	c := mailbox.Changes{ModSeq: v.modseq}
	for _, r := range v.Rows {
		c.Expunged = append(c.Expunged, r.UID)
	}
	return c
}

// Index returns where a UID stands in Rows, or would stand.
func (v *Folder) Index(u mailbox.UID) (int, bool) {
	return slices.BinarySearchFunc(v.Rows, u, func(r mailbox.Row, u mailbox.UID) int { return cmp.Compare(r.UID, u) })
}

// SetFlags notes flags that the client is about to be told, or asked for.
func (v *Folder) SetFlags(rows []mailbox.Row) {
	for _, r := range rows {
		if i, known := v.Index(r.UID); known {
			v.Rows[i].Flags = r.Flags
		}
	}
}
