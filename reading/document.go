package reading

import (
	"context"
	"fmt"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Documents returns a page of the vault and the id that continues it, empty when
// there is no more. Only metadata is opened: a list is no reading. It fails with the
// faults of Decide.
func (r *Room) Documents(ctx context.Context, by Reader, q dmp.Query) (page []dmp.Entry, next dmp.DocumentID, err error) {
	space := dmp.SpaceID(by.Box.Space)
	if q.Limit <= 0 {
		q.Limit = dmp.DefaultPage
	}
	q.Limit = min(q.Limit, dmp.MaxPage)
	var rows []dmp.Row
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := r.decide(tx, by, ListDocuments); err != nil {
			return err
		}
		rows, err = dmp.List(tx, r.Works, space, q)
		return err
	})
	if err != nil {
		return nil, "", r.refused(ctx, by, ListDocuments, boxObject(by), err)
	}
	o := dmp.NewOpener(by.Keys)
	for _, row := range rows {
		e, err := o.Entry(row)
		if r.broken(by, "document:"+string(row.ID), err) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		page = append(page, e)
	}
	r.keepDocuments(ctx, by, o.Fresh())
	if len(rows) == q.Limit {
		next = rows[len(rows)-1].ID
	}
	return page, next, nil
}

// DocumentCounts returns how many documents each category has, in the order in which
// they are shown. It reads counters, and opens nothing.
func (r *Room) DocumentCounts(ctx context.Context, by Reader) (counts []dmp.Count, err error) {
	err = r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := r.decide(tx, by, ListDocuments); err != nil {
			return err
		}
		counts, err = dmp.Counts(tx, r.Works, dmp.SpaceID(by.Box.Space))
		return err
	})
	return counts, err
}

// Document opens a document of the vault: it decides, writes the opening down (audit
// leaf and history of accesses), and only then hands the octets out. As with Letter,
// opening it again within a quarter of an hour is the same opening. The caller closes
// what is returned.
//
// It fails with fault.NotFound "document-unknown", also for a document of another
// space or one that its author deleted, and with the faults of Decide.
func (r *Room) Document(ctx context.Context, by Reader, id dmp.DocumentID) (*dmp.Body, error) {
	object := "document:" + string(id)
	var row dmp.Row
	err := r.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := r.decide(tx, by, OpenDocument); err != nil {
			return err
		}
		row, err = dmp.Get(tx, dmp.SpaceID(by.Box.Space), id)
		if err == nil && row.State == dmp.Deleted {
			return fault.New(fault.NotFound, "document-unknown")
		}
		return err
	})
	if err != nil {
		return nil, r.refused(ctx, by, OpenDocument, object, err)
	}
	o := dmp.NewOpener(by.Keys)
	body, err := o.Body(ctx, r.Blobs, row)
	if err != nil {
		return nil, fmt.Errorf("open document %s: %w", id, err)
	}
	visit, now := opened{by.Keys, object}, r.clock()
	if !r.visited.has(visit, now) {
		if err := r.traceDocument(ctx, by, body, object, o.Fresh()); err != nil {
			_ = body.Close()
			return nil, r.refused(ctx, by, OpenDocument, object, err)
		}
		r.visited.add(visit, now)
	}
	return body, nil
}

// traceDocument writes an opening down.
func (r *Room) traceDocument(ctx context.Context, by Reader, body *dmp.Body, object string, fresh []dmp.Rewrapped) error {
	t, err := r.prepareTrace(by, OpenDocument, by.leaf(OpenDocument, object),
		by.access(dmp.DocumentOpened, string(body.ID), body.Title))
	if err != nil {
		return err
	}
	return r.DB.Write(ctx, func(tx *store.Tx) error {
		if err := dmp.Rewrap(tx, dmp.SpaceID(by.Box.Space), fresh); err != nil {
			return err
		}
		return t.write(tx)
	})
}

// keepDocuments writes keys that were re-wrapped; nothing is lost if it fails.
func (r *Room) keepDocuments(ctx context.Context, by Reader, fresh []dmp.Rewrapped) {
	if len(fresh) == 0 {
		return
	}
	err := r.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return dmp.Rewrap(tx, dmp.SpaceID(by.Box.Space), fresh)
	})
	if err != nil {
		r.Log.Warn("reading.rewrap", "component", "reading", "conn", by.Conn, "error", err)
	}
}
