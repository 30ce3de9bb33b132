package imapd

import (
	"errors"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// Search is SEARCH and UID SEARCH. The library has parsed the command, but loses
// some of it (a SMALLER beside a date), so the query is read from the line again.
func (s *session) Search(kind imapserver.NumKind, _ *imap.SearchCriteria, o *imap.SearchOptions) (*imap.SearchData, error) {
	if o.ReturnSave {
		return nil, bad("SAVE is not supported")
	}
	q, err := view.ParseQuery(s.conn.Args())
	switch {
	case errors.Is(err, view.ErrTooDeep):
		return nil, s.fail(fault.New(fault.OverQuota, "search-limit"))
	case err != nil:
		return nil, bad("The search was not understood")
	}
	search := view.Search{
		Folder: s.selected.Folder, Opener: s.opener, Keywords: s.labels.keywords, Limit: s.srv.limits.Scan,
		Noted: func(err error) { _ = s.fail(err) },
	}
	hits, err := search.Find(s.conn.Context(), q)
	s.keepFresh()
	if err != nil {
		return nil, s.fail(err)
	}
	return found(s.selected.Folder, hits, isUID(kind)), nil
}

// found translates the places of letters in the view.
func found(v *view.Folder, hits []int, uid bool) *imap.SearchData {
	data := &imap.SearchData{Count: uint32(len(hits))}
	if !uid {
		data.All = seqSet(hits)
		if len(hits) > 0 {
			data.Min, data.Max = uint32(hits[0]+1), uint32(hits[len(hits)-1]+1)
		}
		return data
	}
	uids := make([]mailbox.UID, len(hits))
	for i, h := range hits {
		uids[i] = v.Rows[h].UID
	}
	data.All = uidSet(uids)
	if len(uids) > 0 {
		data.Min, data.Max = uint32(uids[0]), uint32(uids[len(uids)-1])
	}
	return data
}
