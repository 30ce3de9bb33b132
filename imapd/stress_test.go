package imapd_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/imapd"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// follower is a client that believes what it is told: it knows a UID by its
// sequence number and notices when the server contradicts itself.
type follower struct {
	t    *testing.T
	conn io.Writer
	br   *bufio.Reader
	uids []int // by sequence number, 0 for not known yet
	tags int
}

// run sends a command and takes in all that comes before its answer.
func (f *follower) run(format string, args ...any) {
	f.tags++
	tag := "t" + strconv.Itoa(f.tags)
	command := fmt.Sprintf(format, args...)
	fmt.Fprintf(f.conn, "%s %s\r\n", tag, command)
	noExpunge := strings.HasPrefix(command, "FETCH") || strings.HasPrefix(command, "STORE") || strings.HasPrefix(command, "SEARCH")
	for {
		line, err := f.br.ReadString('\n')
		if err != nil {
			f.t.Errorf("%s: %v", command, err)
			return
		}
		word := strings.Fields(line)
		switch {
		case word[0] == tag:
			if word[1] == "BAD" {
				f.t.Errorf("%s: %s", command, line)
			}
			return
		case len(word) > 2 && word[2] == "EXISTS":
			n, _ := strconv.Atoi(word[1])
			if n < len(f.uids) {
				f.t.Errorf("%s: %d EXISTS after %d", command, n, len(f.uids))
				return
			}
			f.uids = append(f.uids, make([]int, n-len(f.uids))...)
		case len(word) > 2 && word[2] == "EXPUNGE":
			n, _ := strconv.Atoi(word[1])
			if noExpunge || n < 1 || n > len(f.uids) {
				f.t.Errorf("%s: EXPUNGE %d of %d", command, n, len(f.uids))
				return
			}
			f.uids = slices.Delete(f.uids, n-1, n)
		case len(word) > 4 && word[2] == "FETCH" && word[3] == "(UID":
			n, _ := strconv.Atoi(word[1])
			uid, _ := strconv.Atoi(strings.Trim(word[4], ")"))
			if n < 1 || n > len(f.uids) || f.uids[n-1] != 0 && f.uids[n-1] != uid {
				f.t.Errorf("%s: letter %d of %d has UID %d", command, n, len(f.uids), uid)
				return
			}
			f.uids[n-1] = uid
		}
	}
}

// act does something at random.
func (f *follower) act(r *rand.Rand) {
	n := 1 + r.IntN(len(f.uids)+1)
	switch r.IntN(9) {
	case 0:
		f.run("NOOP")
	case 1:
		f.run("FETCH 1:* (UID FLAGS)")
	case 2:
		f.run("UID FETCH 1:* (FLAGS RFC822.SIZE)")
	case 3:
		f.run("STORE %d +FLAGS (\\Deleted)", n)
	case 4:
		f.run("STORE %d -FLAGS.SILENT (\\Deleted \\Seen)", n)
	case 5:
		f.run("EXPUNGE")
	case 6:
		f.run("COPY %d INBOX", n)
	case 7:
		f.run("MOVE %d INBOX", n)
	default:
		f.run("SEARCH OR DELETED SUBJECT stress")
	}
}

// TestSessionsOnOneFolderNeverDiverge lets several clients change one folder at
// once; what each believes in the end is what the folder is.
func TestSessionsOnOneFolderNeverDiverge(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		for range 10 {
			w.deliver(patient, "", text("stress", "letter"))
		}
		followers := make([]*follower, 4)
		for i := range followers {
			c, br := w.raw(t)
			followers[i] = &follower{t: t, conn: c, br: br}
			followers[i].run("SELECT INBOX")
		}
		var all sync.WaitGroup
		for i, f := range followers {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), 7))
				for range 60 {
					f.act(r)
				}
			})
		}
		for range 20 {
			w.deliver(patient, "", text("stress", "late"))
		}
		all.Wait()
		var rows []mailbox.Row
		err := w.db.Read(t.Context(), func(tx *store.Tx) error {
			v, err := mailbox.ReadView(tx, w.box(patient).Inbox)
			rows = v.Rows
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for _, r := range rows {
			want = append(want, int(r.UID))
		}
		for i, f := range followers {
			f.run("NOOP")
			f.run("FETCH 1:* (UID)")
			if !slices.Equal(f.uids, want) {
				t.Errorf("client %d believes %v, the folder is %v", i, f.uids, want)
			}
		}
	})
}
