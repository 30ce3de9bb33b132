package imapd

import (
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// numbersOf translates a sequence set.
func numbersOf(set imap.NumSet) (view.Numbers, error) {
	if imap.IsSearchRes(set) {
		return view.Numbers{}, bad("There is no saved search result")
	}
	var n view.Numbers
	switch set := set.(type) {
	case imap.SeqSet:
		for _, r := range set {
			n.Spans = append(n.Spans, view.Span{Lo: r.Start, Hi: r.Stop})
		}
	case imap.UIDSet:
		n.UID = true
		for _, r := range set {
			n.Spans = append(n.Spans, view.Span{Lo: uint32(r.Start), Hi: uint32(r.Stop)})
		}
	}
	return n, nil
}

// uidSet translates UIDs in ascending order.
func uidSet(uids []mailbox.UID) imap.UIDSet {
	var out imap.UIDSet
	for _, u := range uids {
		if n := len(out); n > 0 && out[n-1].Stop+1 == imap.UID(u) {
			out[n-1].Stop = imap.UID(u)
			continue
		}
		out = append(out, imap.UIDRange{Start: imap.UID(u), Stop: imap.UID(u)})
	}
	return out
}

// seqSet translates places in a view, ascending, to sequence numbers.
func seqSet(indexes []int) imap.SeqSet {
	var out imap.SeqSet
	for _, i := range indexes {
		seq := uint32(i + 1)
		if n := len(out); n > 0 && out[n-1].Stop+1 == seq {
			out[n-1].Stop = seq
			continue
		}
		out = append(out, imap.SeqRange{Start: seq, Stop: seq})
	}
	return out
}

// isUID reports whether a command speaks of UIDs.
func isUID(kind imapserver.NumKind) bool { return kind == imapserver.NumKindUID }
