package smtpd_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/smtpd"
)

var update = flag.Bool("update", false, "rewrite the wire scripts with what was seen")

// TestScripts runs testdata/*.txtar against a real door over loopback. A script
// has these parts:
//
//	peer     "key value" lines: kind, cert, and limits and deadlines that differ
//	wire     C: lines the peer says (those that stand together leave in one write;
//	         Go escapes are understood; "C- " adds no CRLF), S: lines the door
//	         says, TLS a handshake, ENTER all that comes before the first MAIL or
//	         AUTH, WAIT a pause, CLOSE the peer's end; "S: CLOSED" is the door's
//	         end. {{text}} stands for the base64 of text.
//	letters  what was kept
//	refused  what the door says that it refused, by reason
//
// The S: lines and the last two parts are goldens: -update rewrites them.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script := newScript(t, archive)
			script.run()
			if *update {
				script.rewrite(file)
				return
			}
			for name, got := range script.seen() {
				if diff := cmp.Diff(script.part(name), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// script is one file at work.
type script struct {
	t       *testing.T
	archive *txtar.Archive
	door    *door
	peer    *peer
	wire    strings.Builder // as seen
}

func newScript(t *testing.T, a *txtar.Archive) *script {
	s := &script{t: t, archive: a}
	kind, cert, o := smtpd.MX, "", smtpd.Options{}
	for line := range strings.Lines(s.part("peer")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.Atoi(value)
		wait, _ := time.ParseDuration(value)
		switch key {
		case "kind":
			kind = map[string]smtpd.Kind{"mx": smtpd.MX, "submission": smtpd.Submission, "submissions": smtpd.Submissions}[value]
		case "cert":
			cert = value
		case "size":
			o.MaxSize = int64(n)
		case "postmaster":
			o.Postmaster, _ = identity.ParseAddress(value)
		case "recipients":
			o.Limits.Recipients = n
		case "errors":
			o.Limits.Errors = n
		case "chatter":
			o.Limits.Chatter = n
		case "early":
			o.Deadlines.Early = wait
		case "command":
			o.Deadlines.Command = wait
		case "content":
			o.Deadlines.Content = wait
		case "grace":
			o.Deadlines.Grace = wait
		case "transaction":
			o.Deadlines.Transaction = wait
		case "":
		default:
			t.Fatalf("unknown setting %q", key)
		}
	}
	s.door = open(t, kind, o)
	s.peer = s.door.dial(t, cert)
	return s
}

// part returns one part of the archive.
func (s *script) part(name string) string {
	for _, f := range s.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// run plays the wire part.
func (s *script) run() {
	var said strings.Builder
	flush := func() {
		if said.Len() > 0 {
			s.peer.say(said.String())
			said.Reset()
		}
	}
	lines := strings.Split(strings.TrimSuffix(s.part("wire"), "\n"), "\n")
	for _, line := range lines {
		verb, rest, _ := strings.Cut(line, " ")
		if verb != "S:" {
			s.wire.WriteString(line + "\n")
		}
		switch verb {
		case "C:":
			said.WriteString(s.unescape(rest) + "\r\n")
			continue
		case "C-":
			said.WriteString(s.unescape(rest))
			continue
		}
		flush()
		switch verb {
		case "S:":
			if len(rest) < 4 || rest[3] != '-' { // the last line of a reply
				for l := range strings.SplitSeq(s.peer.reply(5*time.Second), "\n") {
					s.wire.WriteString("S: " + l + "\n")
				}
			}
		case "ENTER":
			s.enter()
		case "TLS":
			if err := s.peer.secure(); err != nil {
				s.t.Errorf("handshake: %v", err)
			}
		case "WAIT":
			d, err := time.ParseDuration(rest)
			if err != nil {
				s.t.Fatal(err)
			}
			time.Sleep(d)
		case "CLOSE":
			s.peer.conn.Close()
		case "", "#":
		default:
			s.t.Fatalf("unknown line %q", line)
		}
	}
	flush()
	s.peer.conn.Close()
	s.door.shut(s.t)
}

// enter greets, does TLS and greets again.
func (s *script) enter() {
	s.peer.want("220")
	if s.door.kind != smtpd.Submissions {
		s.peer.say("EHLO peer.test\r\n")
		s.peer.want("250")
		s.peer.say("STARTTLS\r\n")
		s.peer.want("220")
		if err := s.peer.secure(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.peer.say("EHLO peer.test\r\n")
	s.peer.want("250")
}

// unescape understands Go's escapes, and {{base64}}.
func (s *script) unescape(line string) string {
	if before, rest, ok := strings.Cut(line, "{{"); ok {
		plain, after, _ := strings.Cut(rest, "}}")
		return s.unescape(before) + base64.StdEncoding.EncodeToString([]byte(s.unescape(plain))) + s.unescape(after)
	}
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(line, `"`, `\"`) + `"`)
	if err != nil {
		s.t.Fatalf("%q: %v", line, err)
	}
	return text
}

// seen returns what the goldens are compared with.
func (s *script) seen() map[string]string {
	var letters strings.Builder
	for _, l := range s.door.kept() {
		fmt.Fprintf(&letters, "from <%s>", l.From)
		if m := l.Mail; m.Size != 0 || m.UTF8 || m.EightBit || m.Ret != "" || m.EnvelopeID != "" {
			fmt.Fprintf(&letters, " %+v", m)
		}
		letters.WriteString("\n")
		for i, to := range l.To {
			fmt.Fprintf(&letters, "to <%s>", to)
			if r := l.Rcpt[i]; r.Notify != nil || r.Original != "" {
				fmt.Fprintf(&letters, " %+v", r)
			}
			letters.WriteString("\n")
		}
		for line := range strings.Lines(l.Body) {
			fmt.Fprintf(&letters, "  %q\n", line)
		}
	}
	return map[string]string{"wire": s.wire.String(), "letters": letters.String(), "refused": s.door.tally()}
}

// rewrite writes the goldens.
func (s *script) rewrite(file string) {
	seen := s.seen()
	out := &txtar.Archive{Comment: s.archive.Comment}
	for _, name := range []string{"peer", "wire", "letters", "refused"} {
		data, ok := seen[name]
		if !ok {
			data = s.part(name)
		}
		if data != "" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(data)})
		}
	}
	if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
		s.t.Fatal(err)
	}
}
