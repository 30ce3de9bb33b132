package imapd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/imapd"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
)

// leaves counts the audit leaves of openings, and the lines of histories.
func (w *world) leaves() (leaves, lines int) {
	w.t.Helper()
	err := w.db.Read(context.Background(), func(tx *store.Tx) error {
		leaves = 0
		err := audit.List(tx, time.Time{}, "letter.open", func([]byte) error {
			leaves++
			return nil
		})
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT count(*) FROM vault_access`).Scan(&lines)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return leaves, lines
}

// What shows a body is written down before: a leaf for each FETCH, a line for each
// letter, once a session. Headers and searches show none.
func TestAFetchOfBodiesIsTraced(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		for i := range 5 {
			w.deliver(patient, "", text(fmt.Sprintf("letter %d", i), "le texte"))
		}
		wantLeaves, wantLines := 0, 0
		session := func(steps ...struct {
			command       string
			leaves, lines int
		},
		) {
			c, br := w.raw(t)
			defer c.Close()
			run := func(command string) {
				fmt.Fprintf(c, "t %s\r\n", command)
				for {
					line, err := br.ReadSlice('\n')
					if err != nil {
						t.Fatal(err)
					}
					if strings.HasPrefix(string(line), "t ") {
						if !strings.HasPrefix(string(line), "t OK") {
							t.Errorf("%s: %s", command, line)
						}
						return
					}
				}
			}
			run("SELECT INBOX")
			for _, s := range steps {
				run(s.command)
				wantLeaves, wantLines = wantLeaves+s.leaves, wantLines+s.lines
				if leaves, lines := w.leaves(); leaves != wantLeaves || lines != wantLines {
					t.Errorf("after %s: %d leaves and %d lines, want %d and %d", s.command, leaves, lines, wantLeaves, wantLines)
				}
			}
		}
		type step = struct {
			command       string
			leaves, lines int
		}
		session(
			step{"FETCH 1:* (FLAGS UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)", 0, 0},
			step{"FETCH 1:* (BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (SUBJECT)])", 0, 0},
			step{"SEARCH TEXT texte", 0, 0},
			step{"FETCH 2 BODY.PEEK[1]", 1, 1},
			step{"FETCH 2 BODY[]<0.10>", 0, 0},
			step{"FETCH 2 BODY[]<10.10>", 0, 0},
			step{"FETCH 1:3 BODY.PEEK[TEXT]", 1, 2},
			step{"FETCH 1:* RFC822", 1, 2},
			step{"FETCH 1:* BODY.PEEK[]", 0, 0},
		)
		session(step{"UID FETCH 1 BODY.PEEK[]", 1, 1})
	})
}

// Whether a session still may is decided at each opening: its login was earlier.
func TestABoxThatWasClosedShowsNoMoreBodies(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		w.deliver(patient, "", text("letter", "le texte"))
		c, br := w.raw(t)
		run := func(command string) (last string) {
			fmt.Fprintf(c, "t %s\r\n", command)
			for {
				line, err := br.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(line, "texte") {
					t.Errorf("%s shows %q", command, line)
				}
				if strings.HasPrefix(line, "t ") {
					return line
				}
			}
		}
		run("SELECT INBOX")
		box := w.box(patient)
		err := w.db.Write(t.Context(), func(tx *store.Tx) error { return mailbox.SetState(tx, box.ID, mailbox.Closed) })
		if err != nil {
			t.Fatal(err)
		}
		if got := run("FETCH 1 BODY.PEEK[]"); !strings.HasPrefix(got, "t NO") {
			t.Errorf("got %s", got)
		}
	})
}
