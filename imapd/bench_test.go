package imapd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/imapd"
)

// BenchmarkCommands measures single commands on a folder of 1,000 letters of 2 KiB.
func BenchmarkCommands(b *testing.B) {
	w := sqliteWorld(b, imapd.Options{})
	for i := range 1000 {
		w.deliver(patient, "Received: from x by y\r\n", text(fmt.Sprintf("letter %d", i), strings.Repeat("une ligne de texte\n", 100)))
	}
	for _, command := range []string{
		"SELECT INBOX", "FETCH 1:* FLAGS", "FETCH 1:* (UID RFC822.SIZE INTERNALDATE)", "FETCH 1:* (ENVELOPE BODYSTRUCTURE FLAGS)",
		"FETCH 1:* BODY.PEEK[]", "FETCH 500 BODY.PEEK[]", "SEARCH UNSEEN", "SEARCH SUBJECT nothing", "SEARCH TEXT nothing", "NOOP",
	} {
		b.Run(command, func(b *testing.B) {
			c, br := w.raw(b)
			run := func(tag, command string) {
				fmt.Fprintf(c, "%s %s\r\n", tag, command)
				for {
					line, err := br.ReadSlice('\n')
					if err != nil {
						b.Fatal(err)
					}
					if strings.HasPrefix(string(line), tag+" OK") {
						return
					}
				}
			}
			run("s", "SELECT INBOX")
			for b.Loop() {
				run("t", command)
			}
		})
	}
}

// BenchmarkFirstFetch measures what a session pays once: bodies that it has not read
// before, which are traced. One command for all, and one for each of a hundred.
func BenchmarkFirstFetch(b *testing.B) {
	w := sqliteWorld(b, imapd.Options{})
	for i := range 1000 {
		w.deliver(patient, "Received: from x by y\r\n", text(fmt.Sprintf("letter %d", i), strings.Repeat("une ligne de texte\n", 100)))
	}
	singly := make([]string, 100)
	for i := range singly {
		singly[i] = fmt.Sprintf("FETCH %d BODY.PEEK[]", i+1)
	}
	for name, commands := range map[string][]string{"all 1000": {"FETCH 1:* BODY.PEEK[]"}, "100 singly": singly} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c, br := w.raw(b)
				for _, command := range append([]string{"SELECT INBOX"}, commands...) {
					fmt.Fprintf(c, "t %s\r\n", command)
					for {
						line, err := br.ReadSlice('\n')
						if err != nil {
							b.Fatal(err)
						}
						if strings.HasPrefix(string(line), "t OK") {
							break
						}
					}
				}
				c.Close()
			}
		})
	}
}
