package record_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/record"
	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

// TestAbusedCalendarsAreOnlyText shows every hostile calendar that can be read at all,
// all together in one agenda, and each alone: text stays text, nothing takes long, and
// what is kept for another agenda invites nobody.
func TestAbusedCalendarsAreOnlyText(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(dir, "hostile", "ics", "*.ics"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("the samples are required: %v", err)
		}
		t.Skip("no samples here")
	}
	k := testKit(t)
	v := visit(k, ui.French)
	var all []reading.Event
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := agenda.Read(bytes.NewReader(text), agenda.Limits{})
		if err != nil {
			continue // refused: it never gets into an agenda
		}
		for _, e := range m.Events {
			e.ID, e.Status = agenda.EventID(filepath.Base(file)), agenda.NeedsAction
			all = append(all, reading.Event{Event: e, Version: "v1"})
		}
	}
	if len(all) < 30 {
		t.Fatalf("only %d events were read", len(all))
	}
	begin := time.Now()
	draw := func(name string, p ui.Page) {
		html := uitest.Draw(t, k, v, p, ui.Around{Section: "agenda"})
		uitest.Sound(t, html)
		for _, never := range []string{"<img", "<script>", "onerror=MARK()>", "javascript:", "mailto:", "@hopital-a.mss.test\"", "file:///"} {
			if strings.Contains(html, never) {
				t.Errorf("%s holds %q", name, never)
			}
		}
	}
	for _, view := range []string{"list", "week", "month"} {
		draw(view, record.AgendaPage(v, view, "2026-12-01", all))
	}
	for _, e := range all {
		draw(string(e.ID), record.EventPage(v, e, nil, ""))
		ics := record.Published(v, e)
		if strings.Contains(ics, "\nATTENDEE") || strings.Contains(ics, "\nORGANIZER") || strings.Contains(ics, "\nATTACH") || strings.Contains(ics, "VALARM") {
			t.Errorf("%s: kept as %.300s", e.ID, ics)
		}
		if m, err := agenda.Read(strings.NewReader(ics), agenda.Limits{}); err != nil || len(m.Events) != 1 {
			t.Errorf("%s: what is kept cannot be read again: %v", e.ID, err)
		}
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
