package mailbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// names returns the names of a box's folders as LIST would.
func (w *world) names(h holder) (names []string) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		all, err := mailbox.Folders(tx, h.ring, h.ID)
		for _, f := range all {
			names = append(names, f.Name)
		}
		return err
	})
	return names
}

func TestANewBoxHasTheFoldersClientsLookFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		want := []string{"INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"}
		if diff := cmp.Diff(want, w.names(h)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		w.read(func(tx *store.Tx) error {
			f, err := mailbox.FolderByRole(tx, h.ID, mailbox.Sent)
			if want := w.folder(h, "Sent").ID; f.ID != want {
				t.Errorf("role sent is %s, want %s", f.ID, want)
			}
			return err
		})
	})
}

func TestFoldersAreMadeRenamedAndDeletedWithThoseBelow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		base := w.names(h)
		w.write(func(tx *store.Tx) error {
			_, err := mailbox.CreateFolder(tx, h.ring, h.ID, "Patients/Été/Suivi", "")
			return err
		})
		wantNames(t, w, h, append(base, "Patients", "Patients/Été", "Patients/Été/Suivi"))

		before := w.folder(h, "Patients/Été/Suivi")
		w.write(func(tx *store.Tx) error {
			f, err := mailbox.FolderByName(tx, h.ring, h.ID, "Patients/Été")
			if err != nil {
				return err
			}
			return mailbox.RenameFolder(tx, h.ring, f.ID, "Clos/2026")
		})
		wantNames(t, w, h, append(base, "Clos", "Clos/2026", "Clos/2026/Suivi", "Patients"))
		after := w.folder(h, "Clos/2026/Suivi")
		before.Name = after.Name
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("renamed (-before +after)\n%s", diff)
		}

		err := db.Write(t.Context(), func(tx *store.Tx) error {
			f, err := mailbox.FolderByName(tx, h.ring, h.ID, "Clos")
			if err != nil {
				return err
			}
			return mailbox.DeleteFolder(tx, h.ring, f.ID)
		})
		if !fault.Is(err, fault.Conflict) || fault.Reason(err) != "folder-has-children" {
			t.Errorf("a folder with others below it: %v", err)
		}
		w.deliver(h.ID, after.ID, 0)
		w.write(func(tx *store.Tx) error { return mailbox.DeleteFolder(tx, h.ring, after.ID) })
		wantNames(t, w, h, append(base, "Clos", "Clos/2026", "Patients"))
		w.countersHold(h)
	})
}

func wantNames(t *testing.T, w *world, h holder, want []string) {
	t.Helper()
	got := w.names(h)
	less := func(a, b string) bool { return a < b }
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(less)); diff != "" {
		t.Errorf("folders (-want +got)\n%s", diff)
	}
}

// RFC 3501 2.3.1.1: a folder made again has another, greater UIDVALIDITY.
func TestAFolderMadeAgainHasAGreaterUIDValidity(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		var last mailbox.Folder
		for range 3 {
			var f mailbox.Folder
			w.write(func(tx *store.Tx) (err error) {
				f, err = mailbox.CreateFolder(tx, h.ring, h.ID, "Suivi", "")
				return err
			})
			if f.UIDValidity <= last.UIDValidity || f.ID == last.ID {
				t.Errorf("made again: %+v after %+v", f, last)
			}
			last = f
			w.write(func(tx *store.Tx) error { return mailbox.DeleteFolder(tx, h.ring, f.ID) })
		}
	})
}

// RFC 3501 6.3.5.
func TestRenamingInboxMovesItsLetters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		w.deliver(h.ID, "", mailbox.FlagSeen)
		w.deliver(h.ID, "", 0)
		w.write(func(tx *store.Tx) error { return mailbox.RenameFolder(tx, h.ring, h.Inbox, "Old/Inbox") })
		if n := len(w.view(h.Inbox).Rows); n != 0 {
			t.Errorf("%d letters left in INBOX", n)
		}
		f := w.folder(h, "Old/Inbox")
		if f.Messages != 2 || f.Unseen != 1 {
			t.Errorf("moved: %+v", f)
		}
		w.countersHold(h)
	})
}

func TestFoldersThatCannotBe(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		sent, trash := w.folder(h, "Sent").ID, w.folder(h, "Trash").ID
		create := func(name string, role mailbox.Role) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				_, err := mailbox.CreateFolder(tx, h.ring, h.ID, name, role)
				return err
			}
		}
		rename := func(id mailbox.FolderID, name string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return mailbox.RenameFolder(tx, h.ring, id, name) }
		}
		for _, c := range []struct {
			what   string
			act    func(tx *store.Tx) error
			reason string
		}{
			{"empty", create("", ""), "folder-name"},
			{"empty level", create("a//b", ""), "folder-name"},
			{"last level empty", create("a/", ""), "folder-name"},
			{"wildcard", create("a*", ""), "folder-name"},
			{"control character", create("a\nb", ""), "folder-name"},
			{"direction override", create("a\u202eb", ""), "folder-name"},
			{"not UTF-8", create("a\xff", ""), "folder-name"},
			{"too long", create(strings.Repeat("a", 256), ""), "folder-name"},
			{"too deep", create(strings.Repeat("a/", 20)+"a", ""), "folder-name"},
			{"inbox in another case", create("inBox", ""), "folder-exists"},
			{"taken", create("Sent", ""), "folder-exists"},
			{"role taken", create("Envoyés", mailbox.Sent), "folder-exists"},
			{"to a taken name", rename(sent, "Trash"), "folder-exists"},
			{"to its own name", rename(sent, "Sent"), "folder-exists"},
			{"below itself", rename(sent, "Sent/Old"), "folder-name"},
			{"gone", rename(h.Inbox+"77", "x"), "folder-unknown"},
			{"of no box", rename("nobox.1", "x"), "folder-unknown"},
			{"inbox deleted", func(tx *store.Tx) error { return mailbox.DeleteFolder(tx, h.ring, h.Inbox) }, "folder-inbox"},
			{"subscribe to none", func(tx *store.Tx) error { return mailbox.Subscribe(tx, h.Inbox+"77", true) }, "folder-unknown"},
			{"view of none", func(tx *store.Tx) error { _, err := mailbox.ReadView(tx, h.Inbox+"77"); return err }, "folder-unknown"},
			{"copy to another box", func(tx *store.Tx) error {
				_, err := mailbox.Copy(tx, trash, "other.1", mailbox.All())
				return err
			}, "folder-elsewhere"},
		} {
			if err := db.Write(t.Context(), c.act); fault.Reason(err) != c.reason {
				t.Errorf("%s: got %v, want %q", c.what, err, c.reason)
			}
		}
		wantNames(t, w, h, []string{"INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"})
	})
}

func TestSubscriptionsAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		h := w.boxes(1)[0]
		if !w.folder(h, "Sent").Subscribed {
			t.Error("a new folder is not subscribed")
		}
		w.write(func(tx *store.Tx) error { return mailbox.Subscribe(tx, w.sent(tx, h), false) })
		if w.folder(h, "Sent").Subscribed {
			t.Error("still subscribed")
		}
	})
}

// sent returns the folder for sent letters inside a transaction.
func (w *world) sent(tx *store.Tx, h holder) mailbox.FolderID {
	f, err := mailbox.FolderByRole(tx, h.ID, mailbox.Sent)
	if err != nil {
		w.t.Error(err)
	}
	return f.ID
}
