package view_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

// folder is a model of a folder with its change log.
type folder struct {
	rows []mailbox.Row
	gone map[mailbox.ModSeq][]mailbox.UID
	next mailbox.UID
	mod  mailbox.ModSeq
}

// since is what the house would answer.
func (f *folder) since(m mailbox.ModSeq) mailbox.Changes {
	c := mailbox.Changes{ModSeq: f.mod, UIDNext: f.next}
	for _, r := range f.rows {
		if r.ModSeq > m {
			c.Rows = append(c.Rows, r)
		}
	}
	for at, uids := range f.gone {
		if at > m {
			c.Expunged = append(c.Expunged, uids...)
		}
	}
	slices.Sort(c.Expunged)
	return c
}

// act changes the folder.
func (f *folder) act(t *rapid.T) {
	f.mod++
	pick := func() int { return rapid.IntRange(0, len(f.rows)-1).Draw(t, "row") }
	switch what := rapid.SampledFrom([]string{"deliver", "deliver", "flag", "expunge"}).Draw(t, "act"); {
	case what == "deliver" || len(f.rows) == 0:
		for range rapid.IntRange(1, 3).Draw(t, "letters") {
			f.rows = append(f.rows, mailbox.Row{UID: f.next, ModSeq: f.mod})
			f.next += mailbox.UID(rapid.IntRange(1, 3).Draw(t, "gap"))
		}
	case what == "flag":
		r := &f.rows[pick()]
		r.Flags, r.ModSeq = r.Flags^mailbox.FlagSeen, f.mod
	default:
		for range rapid.IntRange(1, 3).Draw(t, "expunged") {
			if len(f.rows) == 0 {
				return
			}
			i := pick()
			f.gone[f.mod] = append(f.gone[f.mod], f.rows[i].UID)
			f.rows = slices.Delete(f.rows, i, i+1)
		}
	}
}

// TestAViewNeverLies: a client that follows what it is told always knows how many
// letters there are and their flags, and after the last word it knows the folder.
func TestAViewNeverLies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := &folder{gone: map[mailbox.ModSeq][]mailbox.UID{}, next: 1, mod: 1}
		v := view.NewFolder("box.1", mailbox.View{ModSeq: 1}, false)
		var client []mailbox.Flags // by sequence number
		look := func(mayExpunge, afresh bool) {
			c := f.since(v.ModSeq())
			if afresh {
				c = v.Differences(mailbox.View{ModSeq: f.mod, UIDNext: f.next, Rows: f.rows})
			}
			n := v.Absorb(c, mayExpunge)
			expunged, exists := n.Expunged, len(v.Rows)
			if !mayExpunge && len(expunged) > 0 {
				t.Fatalf("EXPUNGE %v when it was not allowed", expunged)
			}
			for _, seq := range expunged {
				if seq == 0 || int(seq) > len(client) {
					t.Fatalf("EXPUNGE %d of %d", seq, len(client))
				}
				client = slices.Delete(client, int(seq)-1, int(seq))
			}
			if exists < len(client) {
				t.Fatalf("EXISTS %d after %d", exists, len(client))
			}
			for len(client) < exists { // the client fetches the flags of new letters
				uid := v.Rows[len(client)].UID
				i := slices.IndexFunc(f.rows, func(r mailbox.Row) bool { return r.UID == uid })
				if i < 0 {
					t.Fatalf("letter %d was announced and does not exist", uid)
				}
				client = append(client, f.rows[i].Flags)
			}
			for _, i := range n.Changed {
				client[i] = v.Rows[i].Flags
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			f.act(t)
			if rapid.Bool().Draw(t, "look") {
				look(rapid.Bool().Draw(t, "may expunge"), rapid.IntRange(0, 9).Draw(t, "afresh") == 0)
			}
		}
		look(true, false)
		var want []mailbox.Flags
		for _, r := range f.rows {
			want = append(want, r.Flags)
		}
		if len(want)+len(client) > 0 && !slices.Equal(client, want) {
			t.Errorf("the client believes %v, the folder is %v", client, want)
		}
	})
}

// TestPick: RFC 9051 sequence sets, "*", turned ranges, numbers that do not exist.
func TestPick(t *testing.T) {
	t.Parallel()
	v := view.NewFolder("box.1", mailbox.View{ModSeq: 1, Rows: []mailbox.Row{{UID: 2}, {UID: 5}, {UID: 6}, {UID: 9}}}, false)
	rows := []struct {
		set  string
		uid  bool
		want []mailbox.UID
	}{
		{"1", false, []mailbox.UID{2}},
		{"*", false, []mailbox.UID{9}},
		{"2:3", false, []mailbox.UID{5, 6}},
		{"3:2,1,3", false, []mailbox.UID{2, 5, 6}},
		{"4:99", false, []mailbox.UID{9}},
		{"5:99", false, nil},
		{"*:4294967295", false, []mailbox.UID{9}},
		{"1:*", true, []mailbox.UID{2, 5, 6, 9}},
		{"3:5", true, []mailbox.UID{5}},
		{"100:*", true, []mailbox.UID{9}},
		{"*", true, []mailbox.UID{9}},
		{"1,3:4,7", true, nil},
		{"6,5", true, []mailbox.UID{5, 6}},
		{"1:4294967295", true, []mailbox.UID{2, 5, 6, 9}},
	}
	for _, row := range rows {
		got, err := pick(v, row.set, row.uid)
		if err != nil || !cmp.Equal(got, row.want) {
			t.Errorf("%s (uid %v): got %v, %v, want %v", row.set, row.uid, got, err, row.want)
		}
	}
	for _, set := range []string{"", "0", "1:", ":1", "a", "+1", "4294967296", "1,,2", "1:2:3"} {
		if got, err := pick(v, set, true); err == nil {
			t.Errorf("%q: got %v, want an error", set, got)
		}
	}
}

// pick returns the UIDs that a sequence set names.
func pick(v *view.Folder, set string, uid bool) ([]mailbox.UID, error) {
	n, err := view.ParseNumbers(set, uid)
	if err != nil {
		return nil, err
	}
	var out []mailbox.UID
	for _, p := range v.Pick(n) {
		for _, r := range v.Rows[p.From:p.To] {
			out = append(out, r.UID)
		}
	}
	return out, nil
}
