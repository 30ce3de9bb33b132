package leaf_test

import (
	"bytes"
	"errors"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

func TestKindsAreReadFromOctets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64<<10-1) + "é et la suite"
	for in, want := range map[string]leaf.Kind{
		"%PDF-1.7\n": leaf.PDF, " %PDF-1.7": leaf.Text, "\xff\xd8\xff\xe0": leaf.JPEG, "\xff\xd8": leaf.Other, "\x89PNG\r\n\x1a\n": leaf.PNG, "\x89PNG": leaf.Other,
		"Bonjour,\r\n\tà demain\f": leaf.Text, "<script>": leaf.Text, "": leaf.Other, "a\x00b": leaf.Other, "pes\xe9e": leaf.Other, "caf\xc3": leaf.Other,
		"PK\x03\x04": leaf.Other, "GIF89a\x01": leaf.Other, "a\u009bb": leaf.Other, long: leaf.Text,
	} {
		if got := leaf.Sniff(strings.NewReader(in)); got != want {
			t.Errorf("%.20q: got %s, want %s", in, got, want)
		}
	}
	for _, k := range []leaf.Kind{leaf.PDF, leaf.JPEG, leaf.PNG, leaf.Text, leaf.Other} {
		if k.Shown() != (k != leaf.Other) || k.Shown() != (k.Extension() != "") || k.MIME() == "" {
			t.Errorf("%s is %t %q %q", k, k.Shown(), k.Extension(), k.MIME())
		}
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 256 << 10, 256<<10 + 1, 1 << 20} {
		content := bytes.Repeat([]byte{7}, size)
		h, err := leaf.Hold(iotest.HalfReader(bytes.NewReader(content)), 1<<20)
		if err != nil {
			t.Fatalf("%d octets: %v", size, err)
		}
		got, err := io.ReadAll(io.NewSectionReader(h, 0, h.Size))
		if err != nil || !bytes.Equal(got, content) || h.Close() != nil {
			t.Errorf("%d octets came back as %d, %v", size, len(got), err)
		}
	}
	for _, limit := range []int64{10, 300 << 10} {
		if _, err := leaf.Hold(bytes.NewReader(make([]byte, limit+1)), limit); fault.Reason(err) != "file-too-large" {
			t.Errorf("one octet over %d: %v", limit, err)
		}
	}
	broken := errors.New("gone")
	if _, err := leaf.Hold(io.MultiReader(bytes.NewReader(make([]byte, 300<<10)), iotest.ErrReader(broken)), 1<<20); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// page draws one document alone.
func page(d leaf.Document) ui.Page {
	return ui.Page{Template: "leaf-alone", Title: "brand", Data: d}
}

func kit(t *testing.T) *ui.Kit {
	t.Helper()
	alone := ui.Room{Name: "test", Pages: os.DirFS("testdata")}
	return uitest.Kit(t, leaf.Room(), alone)
}

func visit(k *ui.Kit, lang string) *ui.Visit {
	w := k.Words(lang)
	return &ui.Visit{Session: new(porter.WebSession), Lang: lang, Words: w, Now: time.Date(2026, 11, 20, 9, 42, 0, 0, time.UTC).In(w.Zone)}
}

func TestEveryWordIsSaid(t *testing.T) {
	t.Parallel()
	uitest.Words(t, kit(t), ".")
}

// TestNoDocumentIsBlank shows every document of the corpora: each has words, an
// original, or a sentence why not, and makes a sound page.
func TestNoDocumentIsBlank(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("the samples are required: %v", err)
		}
		t.Skip("no samples here")
	}
	k := kit(t)
	seen := 0
	for _, folder := range []string{"cda-fr", "cda-fr-versions", filepath.Join("hostile", "xml")} {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(file string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.EqualFold(filepath.Ext(file), ".xml") {
				return err
			}
			seen++
			shown(t, k, file)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 80 {
		t.Errorf("only %d documents were shown", seen)
	}
}

func shown(t *testing.T, k *ui.Kit, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	v := visit(k, ui.French)
	d, err := leaf.ReadCDA(f, info.Size(), v.Words, leaf.Place{Base: "/documents/x/original", Level: 2})
	if err != nil && d.Unread == "" || d.Title == "" {
		t.Errorf("%s: %v, shown as %+v", file, err, d)
	}
	if strings.TrimSpace(string(d.Narrative)) == "" && len(d.Originals) == 0 && d.Unread == "" {
		t.Errorf("%s is blank", file)
	}
	html := uitest.Draw(t, k, v, page(d), ui.Around{Section: "documents"})
	uitest.Sound(t, html)
	if t.Failed() {
		t.Fatalf("in %s", file)
	}
}

func TestADocumentThatIsBrokenIsASentence(t *testing.T) {
	t.Parallel()
	v := visit(kit(t), ui.French)
	d, err := leaf.ReadCDA(strings.NewReader("<x/>"), 4, v.Words, leaf.Place{Base: "/p"})
	if err == nil || d.Unread != "leaf.unread.damaged" || d.Save != "/p?keep=1" || d.Narrative != template.HTML("") {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]ui.File{
		"%PDF-1.4": {Type: "application/pdf", Inline: true}, "<b>": {Type: "text/plain; charset=utf-8", Inline: true}, "\x00": {Type: "application/octet-stream"},
	} {
		h, err := leaf.Hold(strings.NewReader(in), 100)
		if err != nil {
			t.Fatal(err)
		}
		got := leaf.Serve(h, "x", true)
		if got.Type != want.Type || got.Inline != want.Inline || got.Size != int64(len(in)) || (got.Policy != "") != (want.Type == "application/pdf") {
			t.Errorf("%q is served as %+v", in, got)
		}
		if leaf.Serve(h, "x", false).Inline {
			t.Errorf("%q is shown against its wish", in)
		}
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	w := kit(t).Words(ui.French)
	at := func(d, h, m int) time.Time { return time.Date(2026, 12, d, h, m, 0, 0, time.UTC) }
	for _, c := range []struct {
		e          agenda.Event
		start, end time.Time
		want       string
	}{
		{agenda.Event{}, at(3, 13, 15), at(3, 13, 45), "jeudi 3 décembre 2026, 14 h 15 à 14 h 45"},
		{agenda.Event{Floating: true}, at(3, 13, 15), at(3, 13, 15), "jeudi 3 décembre 2026, 13 h 15"},
		{agenda.Event{}, at(3, 22, 30), at(4, 7, 0), "jeudi 3 décembre 2026, 23 h 30 au vendredi 4 décembre 2026, 8 h"},
		{agenda.Event{AllDay: true}, at(3, 0, 0), at(4, 0, 0), "jeudi 3 décembre 2026, Toute la journée"},
		{agenda.Event{AllDay: true}, at(3, 0, 0), at(3, 0, 0), "jeudi 3 décembre 2026, Toute la journée"},
		{agenda.Event{AllDay: true}, at(3, 0, 0), at(6, 0, 0), "jeudi 3 décembre 2026 au samedi 5 décembre 2026"},
		{agenda.Event{}, time.Time{}, time.Time{}, "La date n’est pas lisible : appelez pour la demander."},
	} {
		if got := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(leaf.When(w, &c.e, c.start, c.end)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if end := leaf.Ends(&agenda.Event{Start: at(3, 9, 0), End: at(3, 8, 0)}, time.UTC); !end.Equal(at(3, 9, 0)) {
		t.Errorf("an event that ends before it begins is over at %v", end)
	}
	if !leaf.Ends(&agenda.Event{Start: at(3, 9, 0), Rule: "FREQ=DAILY"}, time.UTC).IsZero() {
		t.Error("a series has an end")
	}
}
