package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/web/roomtest"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

// read reads the facts of an answer.
func read[T any](t *testing.T, a roomtest.Answer) (v T) {
	t.Helper()
	if a.Err != nil {
		t.Fatal(a.Err)
	}
	if err := json.Unmarshal([]byte(a.Text), &v); err != nil {
		t.Fatalf("%v in %s", err, a.Text)
	}
	return v
}

// says holds a page to what it must say and must not say.
func says(t *testing.T, a roomtest.Answer, want []string, never ...string) {
	t.Helper()
	if a.Err != nil {
		t.Fatal(a.Err)
	}
	for _, text := range want {
		if !strings.Contains(a.Text, text) {
			t.Errorf("the page does not say %q:\n%s", text, a.Text)
		}
	}
	for _, text := range append(never, "@"+deliverytest.City, "@"+deliverytest.Patients) {
		if strings.Contains(a.Text, text) {
			t.Errorf("the page says %q", text)
		}
	}
}

type documents struct {
	Documents []struct {
		ID, Title, Type, Date, Author, Status, Category string
		Origins                                         []struct{ Kind, Letter, From, At string }
	}
	Categories []struct {
		Category, Name string
		Count          int
	}
	Next string
}

// discharge files a narrative, and a PDF under a header, for a person.
func discharge(t *testing.T, person account.Person) []roomtest.Part {
	t.Helper()
	return []roomtest.Part{
		roomtest.Text("Bonjour"),
		roomtest.Package(t, person, map[string][]byte{"1.2.250.1.999.1": roomtest.CDA(person, "1.2.250.1.999.1", "Lettre <b>de sortie</b>", nil)}),
		{Type: "text/xml", Name: "DOC0002.XML", Content: roomtest.CDA(person, "1.2.250.1.999.2", "Original", roomtest.PDF())},
	}
}

func TestDocumentsAreFoundAndRead(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	says(t, jeanne.Get("/documents"), []string{"Aucun document"})
	w.Receive(jeanne, roomtest.Letter("Sortie", discharge(t, roomtest.Person("jeanne"))))
	says(t, jeanne.Get("/documents"), []string{"2 documents, rangés pour vous", "/documents?category=CPT_REND", "Dr Salima Berrahal, Hôpital de Valbrume", "Nouveau"})
	all := read[documents](t, jeanne.Facts("/documents"))
	if len(all.Documents) != 2 || len(all.Categories) != 1 || all.Categories[0].Count != 2 {
		t.Fatalf("the documents are %+v", all)
	}
	for _, d := range all.Documents {
		if d.Type != "11490-0" || d.Status != "approved" || d.Date == "" || len(d.Origins) != 1 || d.Origins[0].Kind != "letter" || d.Origins[0].From != "Dr Salima Berrahal" {
			t.Errorf("a document is %+v", d)
		}
		document(t, jeanne, d.ID, d.Origins[0].Letter)
	}
	page := read[documents](t, jeanne.Facts("/documents?category=CPT_REND&limit=1"))
	if len(page.Documents) != 1 || page.Next == "" {
		t.Fatalf("a page is %+v", page)
	}
	rest := read[documents](t, jeanne.Facts("/documents?category=CPT_REND&limit=1&before="+page.Next))
	if len(rest.Documents) != 1 || rest.Documents[0].ID == page.Documents[0].ID {
		t.Errorf("the rest is %+v", rest)
	}
	says(t, jeanne.Get("/documents?category=CPT_REND&limit=1"), []string{"<h1>Comptes rendus</h1>", "before=", "limit=1"})
	says(t, jeanne.Get("/documents?category=all"), []string{"<h1>Tous vos documents</h1>"})
	for path, kind := range map[string]fault.Kind{"/documents?category=rien": fault.NotFound, "/documents?limit=0": fault.Invalid, "/documents?limit=x": fault.Invalid} {
		if a := jeanne.Get(path); !fault.Is(a.Err, kind) {
			t.Errorf("%s: %v", path, a.Err)
		}
	}
}

// document holds the pages of one document.
func document(t *testing.T, p *roomtest.Patient, id, letter string) {
	t.Helper()
	path := "/documents/" + id
	page := p.Get(path)
	says(t, page, []string{"JEANNE MORVAN", `href="/messages/` + letter + `"`, path + "/original", "16\u00a0novembre\u00a02026"})
	facts := read[struct {
		Title, SHA256, Original string
		Size                    int64
		Embedded                []struct {
			Kind, URL string
			Size      int64
		}
	}](t, p.Facts(path))
	original := p.Get(facts.Original)
	if !strings.HasPrefix(original.Header.Get("Content-Disposition"), "attachment") || int64(len(original.Text)) != facts.Size ||
		!strings.Contains(original.Text, "ClinicalDocument") || original.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("the original is %v, %v", original.Header, original.Err)
	}
	if facts.Title == "Original" {
		says(t, page, []string{`<iframe class="pdf-frame" src="` + path + `/embedded/0#`})
		pdf := p.Get(path + "/embedded/0")
		if pdf.Text != string(roomtest.PDF()) || pdf.Header.Get("Content-Type") != "application/pdf" || len(facts.Embedded) != 1 || facts.Embedded[0].URL != path+"/embedded/0" {
			t.Errorf("the PDF is %v, %v", pdf.Header, pdf.Err)
		}
	} else {
		says(t, page, []string{"Furosémide 40 mg", "Lettre &lt;b&gt;de sortie&lt;/b&gt;"}, "<b>de")
		if a := p.Get(path + "/embedded/0"); !fault.Is(a.Err, fault.NotFound) {
			t.Errorf("a file that is not there: %v", a.Err)
		}
	}
	for _, part := range []string{"1", "-1", "00", "x", "999999999999"} {
		if a := p.Get(path + "/embedded/" + part); !fault.Is(a.Err, fault.NotFound) {
			t.Errorf("file %q: %v", part, a.Err)
		}
	}
}

func TestAPDFAloneIsADocument(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	w.Receive(jeanne, roomtest.Letter("Analyses", []roomtest.Part{roomtest.Text("Bonjour"), {Type: "application/pdf", Name: "analyses.pdf", Content: roomtest.PDF()}}))
	all := read[documents](t, jeanne.Facts("/documents"))
	if len(all.Documents) != 1 {
		t.Fatalf("the documents are %+v", all)
	}
	path := "/documents/" + all.Documents[0].ID
	says(t, jeanne.Get(path), []string{`src="` + path + `/embedded/self#`, "Ouvrir le PDF"})
	if pdf := jeanne.Get(path + "/embedded/self"); pdf.Text != string(roomtest.PDF()) || pdf.Header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the PDF is %v, %v", pdf.Header, pdf.Err)
	}
}

type eventList struct {
	Events []struct{ ID, UID, Summary, Start, End, Status, Version, Letter string }
}

// invited has received an invitation for a moment.
func invited(t *testing.T, at func(now time.Time) time.Time) (*roomtest.World, *roomtest.Patient, string, string) {
	t.Helper()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	when := at(w.Clock.Now()).Truncate(time.Hour)
	w.Receive(jeanne, roomtest.Letter("Visite", []roomtest.Part{roomtest.Text("Bonjour"), roomtest.Invitation(t, agenda.Request, "u1@chu", jeanne.Address, when, 0)}))
	all := read[eventList](t, jeanne.Facts("/agenda"))
	if len(all.Events) != 1 || all.Events[0].Status != "needs-action" || all.Events[0].Summary != "Visite de suivi" || all.Events[0].UID != "u1@chu" {
		t.Fatalf("the agenda is %+v", all)
	}
	return w, jeanne, "/agenda/" + all.Events[0].ID, all.Events[0].Version
}

func soon(now time.Time) time.Time { return now.AddDate(0, 0, 13) }

func TestAnInvitationIsAnswered(t *testing.T) {
	t.Parallel()
	w, jeanne, path, version := invited(t, soon)
	says(t, jeanne.Get("/agenda"), []string{"1 rendez-vous à confirmer", "Visite de suivi", "Hôpital de Valbrume"})
	says(t, jeanne.Get("/agenda?view=week&date="+w.Clock.Now().AddDate(0, 0, 13).Format(time.DateOnly)), []string{"pill--ask", "Visite de suivi"})
	says(t, jeanne.Get("/agenda?view=month&date="+w.Clock.Now().AddDate(0, 0, 13).Format(time.DateOnly)), []string{"dot--ask", "Visite de suivi"})
	says(t, jeanne.Get(path), []string{"Dr Salima Berrahal vous propose ce rendez-vous.", "Pouvez-vous venir\u00a0?", `value="` + version + `"`, "/ics", "Lire la lettre"})
	if a := jeanne.Post(path+"/answer", "answer", "accept", "version", "another"); fault.Reason(a.Err) != "event-changed" {
		t.Errorf("an answer to another version: %v", a.Err)
	}
	if a := jeanne.Post(path+"/answer", "answer", "oui"); fault.Reason(a.Err) != "answer-malformed" {
		t.Errorf("an answer that is none: %v", a.Err)
	}
	a := jeanne.Post(path+"/answer", "answer", "accept", "version", version)
	if r, is := a.Answer.(ui.Redirect); a.Err != nil || !is || r.To != path || r.Notice != "notice.event-accepted" {
		t.Fatalf("answered %+v, %v", a.Answer, a.Err)
	}
	if got := read[eventList](t, jeanne.Facts("/agenda")); got.Events[0].Status != "accepted" {
		t.Errorf("the agenda is %+v", got)
	}
	story := w.Story(jeanne.Holder)
	if len(story.Chapters) != 1 || story.Chapters[0].Address.String() != roomtest.Doctor {
		t.Errorf("the answer went to %+v", story.Chapters)
	}
	says(t, jeanne.Get(path), []string{"Vous avez dit oui", "Changer votre réponse", "Peut-être"})
	if a := jeanne.Post(path+"/answer", "answer", "decline"); a.Err != nil {
		t.Errorf("another answer: %v", a.Err)
	}
	ics := jeanne.Get(path + "/ics")
	if !strings.HasPrefix(ics.Text, "BEGIN:VCALENDAR") || strings.Contains(ics.Text, "ORGANIZER") || strings.Contains(ics.Text, "ATTENDEE") ||
		!strings.HasPrefix(ics.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file is %v %s", ics.Header, ics.Text)
	}
	says(t, jeanne.Get("/history"), []string{"Vous avez répondu à un rendez-vous"}, "METHOD")
}

func TestWhatIsOverIsNotAnswered(t *testing.T) {
	t.Parallel()
	w, jeanne, path, _ := invited(t, soon)
	at := soon(w.Clock.Now()).Truncate(time.Hour)
	w.Receive(jeanne, roomtest.Letter("Annulation", []roomtest.Part{roomtest.Text("Bonjour"), roomtest.Invitation(t, agenda.Cancel, "u1@chu", jeanne.Address, at, 1)}))
	says(t, jeanne.Get(path), []string{"Annulé", "Ce rendez-vous est annulé. Vous n’avez rien à faire."}, "<form")
	if a := jeanne.Post(path+"/answer", "answer", "accept"); fault.Reason(a.Err) != "event-cancelled" {
		t.Errorf("an answer: %v", a.Err)
	}
	says(t, jeanne.Get("/agenda"), []string{"Annulé", "Rien à confirmer"})

	later, anne, path, _ := invited(t, func(now time.Time) time.Time { return now.Add(2 * time.Hour) })
	later.Clock.Advance(24 * time.Hour)
	says(t, anne.Get(path), []string{"Ce rendez-vous est passé"}, "<form")
	if a := anne.Post(path+"/answer", "answer", "accept"); fault.Reason(a.Err) != "event-past" {
		t.Errorf("an answer: %v", a.Err)
	}
	if n := later.Count("outcome_letter"); n != 0 {
		t.Errorf("%d letters left", n)
	}
}

func TestWhoClosedGetsNoAnswer(t *testing.T) {
	t.Parallel()
	w, jeanne, path, _ := invited(t, soon)
	w.Receive(jeanne, roomtest.Letter("[FIN]", []roomtest.Part{roomtest.Text("Au revoir")}))
	says(t, jeanne.Get(path), []string{"ne lit pas de réponse ici"}, "<form")
	if a := jeanne.Post(path+"/answer", "answer", "accept"); !fault.Is(a.Err, fault.Denied) {
		t.Errorf("an answer: %v", a.Err)
	}
	if got := read[eventList](t, jeanne.Facts("/agenda")); got.Events[0].Status != "needs-action" {
		t.Errorf("the agenda says %+v", got)
	}
}

func TestTheHistoryTellsWhoLooked(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	w.Receive(jeanne, roomtest.Letter("XDM/1.0/DDM+Sortie", discharge(t, roomtest.Person("jeanne"))))
	all := read[documents](t, jeanne.Facts("/documents"))
	says(t, jeanne.Get("/documents/"+all.Documents[0].ID), nil)
	says(t, jeanne.Get("/messages/"+all.Documents[0].Origins[0].Letter), nil)
	says(t, jeanne.Get("/history"), []string{"Vous avez ouvert un document", "Vous avez ouvert une lettre", "A rangé un document", "C’est votre espace"}, "XDM/1.0")
	got := read[struct {
		Accesses []struct{ At, Who, What, Why, Title string }
	}](t, jeanne.Facts("/history"))
	seen := map[string]int{}
	for _, a := range got.Accesses {
		seen[a.What]++
		if a.Who == "" || a.At == "" || a.Why == "" {
			t.Errorf("a line is %+v", a)
		}
	}
	if seen["document-opened"] != 1 || seen["letter-opened"] != 1 || seen["document-filed"] != 2 {
		t.Errorf("the history has %v", seen)
	}
}

func TestSomebodyElsesRecordIsUnknown(t *testing.T) {
	t.Parallel()
	w, jeanne, event, _ := invited(t, soon)
	albert := w.Patient("albert")
	w.Receive(jeanne, roomtest.Letter("Sortie", discharge(t, roomtest.Person("jeanne"))))
	document := "/documents/" + read[documents](t, jeanne.Facts("/documents")).Documents[0].ID
	for _, path := range []string{document, document + "/original", document + "/embedded/0", document + "/embedded/self", event, event + "/ics"} {
		nobody := strings.Replace(strings.Replace(path, document, "/documents/nobody", 1), event, "/agenda/nobody", 1)
		known, unknown := albert.Get(path), albert.Get(nobody)
		if !fault.Is(known.Err, fault.NotFound) || fault.Reason(known.Err) != fault.Reason(unknown.Err) {
			t.Errorf("GET %s: %v, and %v for nobody's", path, known.Err, unknown.Err)
		}
	}
	if a := albert.Post(event+"/answer", "answer", "accept"); !fault.Is(a.Err, fault.NotFound) {
		t.Errorf("an answer: %v", a.Err)
	}
	for _, path := range []string{"/documents", "/agenda"} {
		if got := albert.Facts(path); strings.Contains(got.Text, `"id"`) {
			t.Errorf("%s: %s", path, got.Text)
		}
	}
	for _, path := range []string{"/agenda?date=2026-02-30", "/agenda?date=9999-01-01", "/agenda?view=year"} {
		if a := albert.Get(path); a.Err == nil {
			t.Errorf("%s is answered", path)
		}
	}
}
