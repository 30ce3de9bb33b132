package mailbox_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// modelFolder is what a folder must hold; rows carry no MODSEQ of their own.
type modelFolder struct {
	id   mailbox.FolderID
	rows []mailbox.Row
	next mailbox.UID
	// views were read at some time, and must be brought up to date by changes.
	views []mailbox.View
	last  mailbox.View
}

// pick draws UIDs that may or may not exist.
func (f *modelFolder) pick(r *rapid.T) mailbox.Set {
	if rapid.IntRange(0, 4).Draw(r, "all") == 0 {
		return mailbox.All()
	}
	uid := rapid.Custom(func(r *rapid.T) mailbox.UID {
		return mailbox.UID(rapid.Uint32Range(1, uint32(f.next)+1).Draw(r, "uid"))
	})
	return mailbox.SetOf(rapid.SliceOfN(uid, 0, 5).Draw(r, "uids")...)
}

// in returns the rows whose UIDs are in a set.
func (f *modelFolder) in(s mailbox.Set) (in, out []mailbox.Row) {
	for _, r := range f.rows {
		if s.Contains(r.UID) {
			in = append(in, r)
		} else {
			out = append(out, r)
		}
	}
	return in, out
}

// add appends letters with the flags of rows.
func (f *modelFolder) add(rows []mailbox.Row) (uids []mailbox.UID) {
	for _, r := range rows {
		f.rows = append(f.rows, mailbox.Row{UID: f.next, Flags: r.Flags})
		uids = append(uids, f.next)
		f.next++
	}
	return uids
}

func uidsOf(rows []mailbox.Row) (uids []mailbox.UID) {
	for _, r := range rows {
		uids = append(uids, r.UID)
	}
	return uids
}

// Whatever happens to folders, an old view with the changes since is the new
// view, and the new view is what the model says.
func TestChangesBringAnyViewUpToDate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			h := w.box(fmt.Sprintf("box%d@hospital.example", n), mailbox.PER, nil)
			var folders []*modelFolder
			for _, name := range []string{"INBOX", "Archive"} {
				f := &modelFolder{id: w.folder(h, name).ID, next: 1}
				f.last = w.view(f.id)
				f.views = []mailbox.View{f.last}
				folders = append(folders, f)
			}
			steps := rapid.IntRange(1, 12).Draw(r, "steps")
			for range steps {
				f := folders[rapid.IntRange(0, 1).Draw(r, "folder")]
				g := folders[rapid.IntRange(0, 1).Draw(r, "other")]
				w.step(r, h, f, g)
				for _, f := range folders {
					w.compare(r, f)
				}
			}
			w.countersHold(h)
		})
	})
}

// step does one act in the database and in the model.
func (w *world) step(r *rapid.T, h holder, f, g *modelFolder) {
	flags := rapid.SampledFrom([]mailbox.Flags{
		0, mailbox.FlagSeen, mailbox.FlagDeleted, mailbox.FlagSeen | mailbox.FlagDeleted | 1<<20, mailbox.AllFlags,
	}).Draw(r, "flags")
	set := f.pick(r)
	in, out := f.in(set)
	act := rapid.SampledFrom([]string{"deliver", "deliver", "flags", "copy", "move", "expunge", "erase", "look", "prune"}).Draw(r, "act")
	switch act {
	case "deliver":
		w.deliver(h.ID, f.id, flags)
		f.add([]mailbox.Row{{Flags: flags}})
	case "flags":
		w.stepFlags(r, f, set, flags)
	case "copy", "move":
		var got mailbox.Copied
		w.write(func(tx *store.Tx) (err error) {
			if act == "copy" {
				got, err = mailbox.Copy(tx, f.id, g.id, set)
				return err
			}
			got, err = mailbox.Move(tx, f.id, g.id, set)
			return err
		})
		if act == "move" {
			f.rows = out
		}
		want := mailbox.Copied{UIDValidity: g.last.UIDValidity, From: uidsOf(in), To: g.add(in)}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("%s (-want +got)\n%s", act, diff)
		}
	case "expunge", "erase":
		var gone, want []mailbox.UID
		w.write(func(tx *store.Tx) (err error) {
			if act == "erase" {
				gone, err = mailbox.Erase(tx, f.id, set)
				return err
			}
			gone, err = mailbox.Expunge(tx, f.id, set)
			return err
		})
		f.rows = slices.DeleteFunc(slices.Clone(f.rows), func(row mailbox.Row) bool {
			if set.Contains(row.UID) && (act == "erase" || row.Flags.Has(mailbox.FlagDeleted)) {
				want = append(want, row.UID)
				return true
			}
			return false
		})
		if diff := cmp.Diff(want, gone); diff != "" {
			r.Fatalf("%s (-want +got)\n%s", act, diff)
		}
	case "look":
		f.views = append(f.views, w.view(f.id))
	case "prune":
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.PruneTombstones(tx, f.id, rapid.IntRange(0, 3).Draw(r, "keep"))
			return err
		})
	}
}

// stepFlags changes flags, sometimes only of letters unchanged since a view.
func (w *world) stepFlags(r *rapid.T, f *modelFolder, set mailbox.Set, flags mailbox.Flags) {
	op := rapid.SampledFrom([]mailbox.Op{mailbox.Replace, mailbox.Add, mailbox.Remove}).Draw(r, "op")
	var since mailbox.ModSeq
	if rapid.Bool().Draw(r, "conditional") {
		since = f.views[len(f.views)-1].ModSeq
	}
	var changed []mailbox.Row
	var failed []mailbox.UID
	w.write(func(tx *store.Tx) (err error) {
		changed, failed, err = mailbox.SetFlags(tx, f.id, set, op, flags, since)
		return err
	})
	var want []mailbox.Row
	var wantFailed []mailbox.UID
	for i, row := range f.rows {
		if !set.Contains(row.UID) {
			continue
		}
		now, _ := f.last.Index(row.UID)
		if since > 0 && f.last.Rows[now].ModSeq > since {
			wantFailed = append(wantFailed, row.UID)
			continue
		}
		next := map[mailbox.Op]mailbox.Flags{
			mailbox.Replace: flags, mailbox.Add: row.Flags | flags, mailbox.Remove: row.Flags &^ flags,
		}[op]
		if next != row.Flags {
			f.rows[i].Flags = next
			want = append(want, mailbox.Row{UID: row.UID, Flags: next, ModSeq: f.last.ModSeq + 1})
		}
	}
	if diff := cmp.Diff(want, changed); diff != "" {
		r.Fatalf("changed (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(wantFailed, failed); diff != "" {
		r.Fatalf("failed (-want +got)\n%s", diff)
	}
}

// compare holds a folder's view against the model, and every older view with the
// changes since against it.
func (w *world) compare(r *rapid.T, f *modelFolder) {
	now := w.view(f.id)
	if now.UIDNext != f.next || now.UIDValidity != f.last.UIDValidity || now.ModSeq < f.last.ModSeq {
		r.Fatalf("view %+v after %+v, next UID %d", now, f.last, f.next)
	}
	if len(now.Rows) != len(f.rows) {
		r.Fatalf("%d letters, want %d", len(now.Rows), len(f.rows))
	}
	for i, row := range now.Rows {
		want := mailbox.Row{UID: f.rows[i].UID, Flags: f.rows[i].Flags, ModSeq: row.ModSeq}
		if j, found := f.last.Index(row.UID); found && f.last.Rows[j].Flags == row.Flags {
			want.ModSeq = f.last.Rows[j].ModSeq // nothing happened to it
		} else if row.ModSeq <= f.last.ModSeq {
			r.Fatalf("UID %d changed under an old MODSEQ %d", row.UID, row.ModSeq)
		}
		if row != want {
			r.Fatalf("row %+v, want %+v", row, want)
		}
	}
	kept := f.views[:0]
	for _, old := range f.views {
		var c mailbox.Changes
		err := w.db.Read(w.t.Context(), func(tx *store.Tx) (err error) {
			c, err = mailbox.ChangesSince(tx, f.id, old.ModSeq)
			return err
		})
		if fault.Reason(err) == "view-too-old" && fault.Is(err, fault.Conflict) {
			continue // a session reads a new view then
		}
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(now, old.Apply(c)); diff != "" {
			r.Fatalf("changes since %d (-now +applied)\n%s", old.ModSeq, diff)
		}
		kept = append(kept, old)
	}
	if len(kept) == 0 {
		kept = append(kept, now)
	}
	f.views, f.last = kept, now
}

func TestAPrunedFolderSaysThatAViewIsTooOld(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		for range 3 {
			w.deliver(h.ID, "", 0)
		}
		old := w.view(h.Inbox)
		for uid := range mailbox.UID(3) {
			w.write(func(tx *store.Tx) error {
				_, err := mailbox.Erase(tx, h.Inbox, mailbox.SetOf(uid+1))
				return err
			})
		}
		w.write(func(tx *store.Tx) error {
			n, err := mailbox.PruneTombstones(tx, h.Inbox, 1)
			if n != 2 {
				t.Errorf("%d tombstones pruned, want 2", n)
			}
			return err
		})
		err := db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := mailbox.ChangesSince(tx, h.Inbox, old.ModSeq+1)
			return err
		})
		if !fault.Is(err, fault.Conflict) || fault.Reason(err) != "view-too-old" {
			t.Errorf("got %v", err)
		}
		w.read(func(tx *store.Tx) error {
			c, err := mailbox.ChangesSince(tx, h.Inbox, old.ModSeq+2)
			if diff := cmp.Diff([]mailbox.UID{3}, c.Expunged); diff != "" {
				t.Errorf("above the floor (-want +got)\n%s", diff)
			}
			return err
		})
	})
}
