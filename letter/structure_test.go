package letter_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vaguemestre/vaguemestre/letter"
)

var update = flag.Bool("update", false, "rewrite the golden structures")

// The file marks of a fixture in txtar form.
const (
	letterMark = "-- letter --\n"
	goldenMark = "-- structure --\n"
)

// TestStructures reads each fixture and compares what the walker says of it. In a
// fixture "letter" is the text, its lines ended by CRLF (the last one too, unless
// it ends with "<no line end>"); "structure" is the golden.
func TestStructures(t *testing.T) {
	t.Parallel()
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := dump(walk(t, data), data)
			file := filepath.Join("testdata", "structure", name+".txtar")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, want, _ := strings.Cut(string(text), goldenMark)
			if *update {
				if err := os.WriteFile(file, []byte(before+goldenMark+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("structure differs (-want +got):\n%s", diff)
			}
		})
	}
}

// fixtures returns the letters of testdata/structure by name.
func fixtures(tb testing.TB) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("testdata/structure/*.txtar")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no fixtures: %v", err)
	}
	all := make(map[string]string)
	for _, file := range files {
		archive, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		_, text, found := strings.Cut(string(archive), letterMark)
		if !found {
			tb.Fatalf("%s has no letter", file)
		}
		text, _, _ = strings.Cut(text, goldenMark)
		text = strings.ReplaceAll(text, "\n", "\r\n")
		text = strings.TrimSuffix(text, "<no line end>\r\n")
		all[strings.TrimSuffix(filepath.Base(file), ".txtar")] = text
	}
	return all
}

// dump prints a structure for people: what cannot be seen at a glance in the
// letter (offsets) is shown by the text that they span.
func dump(s *letter.Structure, data string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "size %d header %d received %d\n", s.Size, s.HeaderSize, s.Received)
	fmt.Fprintf(&b, "ambiguities %v\n", s.Ambiguities)
	dumpPart(&b, "letter", &s.Root, data)
	return b.String()
}

func dumpPart(b *strings.Builder, number string, p *letter.Part, data string) {
	fmt.Fprintf(b, "\n%s %s/%s %v", number, p.Type, p.Subtype, p.Params)
	fmt.Fprintf(b, " encoding %s size %d lines %d\n", p.Encoding, p.Size(), p.Lines)
	for _, f := range []struct{ name, value string }{
		{"id", p.ID},
		{"description", p.Description},
		{"md5", p.MD5},
		{"location", p.Location},
		{"language", strings.Join(p.Language, " ")},
		{"disposition", p.Disposition},
		{"file", p.FileName()},
	} {
		if f.value != "" {
			fmt.Fprintf(b, "  %s %q\n", f.name, f.value)
		}
	}
	if len(p.DispositionParams) > 0 {
		fmt.Fprintf(b, "  %v\n", p.DispositionParams)
	}
	fmt.Fprintf(b, "  header %s\n  body %s\n", shown(data, p.Header), shown(data, p.Body))
	if e := p.Envelope; e != nil {
		fmt.Fprintf(b, "  envelope date %q subject %q\n", e.Date, e.Subject)
		for _, f := range []struct {
			name string
			list []letter.Address
		}{
			{"from", e.From}, {"sender", e.Sender}, {"reply-to", e.ReplyTo}, {"to", e.To}, {"cc", e.Cc}, {"bcc", e.Bcc},
		} {
			if f.list != nil {
				fmt.Fprintf(b, "    %s %q\n", f.name, f.list)
			}
		}
		fmt.Fprintf(b, "    in-reply-to %q message-id %q\n", e.InReplyTo, e.MessageID)
	}
	if m := p.Message(); m != nil {
		dumpPart(b, number+" message", m, data)
		return
	}
	number = strings.TrimSuffix(strings.TrimPrefix(number, "letter"), " message") // IMAP does not count that level
	for i := range p.Children {
		dumpPart(b, strings.TrimPrefix(fmt.Sprintf("%s.%d", number, i+1), "."), &p.Children[i], data)
	}
}

// shown prints a range with the beginning and the end of its text.
func shown(data string, r letter.Range) string {
	text := data[r.Start:r.End]
	if len(text) > 60 {
		return fmt.Sprintf("%d-%d %q…%q", r.Start, r.End, text[:25], text[len(text)-25:])
	}
	return fmt.Sprintf("%d-%d %q", r.Start, r.End, text)
}
