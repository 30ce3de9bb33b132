package message_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

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

type listed struct {
	Messages []struct {
		ID, From, Subject, Date string
		Unread, Answered        bool
		Attachments             int
	}
	Unread int
	Next   string
}

type told struct {
	ID, From, Subject, Text, HTML string
	Attachments                   []struct {
		Part, Name, Kind string
		Size             int64
	}
	Documents   []struct{ Part, Title, Outcome, ID, Reason string }
	Invitations []struct{ ID, Summary, Status, Reason string }
	Answer      struct {
		Allowed bool
		Why     string
	}
}

// newest is the path of a patient's newest letter.
func newest(t *testing.T, p *roomtest.Patient) string {
	t.Helper()
	l := read[listed](t, p.Facts("/messages"))
	if len(l.Messages) == 0 {
		t.Fatal("no letter")
	}
	return "/messages/" + l.Messages[0].ID
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

func TestADischargeIsReadOnItsPage(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	person := roomtest.Person("jeanne")
	w.Receive(jeanne, roomtest.Letter("XDM/1.0/DDM+Lettre de sortie", []roomtest.Part{
		roomtest.Text("Bonjour Madame,\n\nvoici la lettre."),
		roomtest.Package(t, person, map[string][]byte{
			"1.2.250.1.999.1": roomtest.CDA(person, "1.2.250.1.999.1", "Lettre de sortie", nil),
		}),
		{Type: "application/pdf", Name: "lettre.pdf", Content: roomtest.PDF()},
	}))
	list := read[listed](t, jeanne.Facts("/messages"))
	if len(list.Messages) != 1 || !list.Messages[0].Unread || list.Unread != 1 || list.Messages[0].From != "Dr Salima Berrahal" ||
		list.Messages[0].Subject != "Lettre de sortie" || list.Messages[0].Attachments != 2 {
		t.Errorf("the list is %+v", list)
	}
	says(t, jeanne.Get("/messages"), []string{"Lettre de sortie", "2 pièces jointes", "Dr Salima Berrahal</strong>"}, "XDM/1.0")
	path := newest(t, jeanne)
	says(t, jeanne.Get(path), []string{
		"<h1>Lettre de sortie</h1>", "Bonjour Madame,", "rangé dans vos documents", `href="/documents/`, "Furosémide 40 mg", "Potassium",
		"JEANNE MORVAN", "12\u00a0mars\u00a01951", "Dr Salima Berrahal, Hôpital de Valbrume", path + "/parts/2.d0?keep=1", `<iframe class="pdf-frame" src="` + path + `/parts/3#`, "Documents de santé",
		`href="` + path + `/reply"`,
	})
	facts := read[told](t, jeanne.Facts(path))
	if len(facts.Documents) != 1 || facts.Documents[0].Outcome != "filed" || facts.Documents[0].ID == "" || !facts.Answer.Allowed ||
		facts.Text != "Bonjour Madame,\n\nvoici la lettre." {
		t.Errorf("the letter is %+v", facts)
	}
	if got := read[listed](t, jeanne.Facts("/messages")); got.Messages[0].Unread || got.Unread != 0 {
		t.Errorf("read letters stay unread: %+v", got)
	}
	if document := jeanne.Get(path + "/parts/2.d0"); document.Err != nil || !strings.Contains(document.Text, "ClinicalDocument") ||
		!strings.HasPrefix(document.Header.Get("Content-Disposition"), "inline") || document.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("the document is served as %v, %v", document.Header, document.Err)
	}
}

func TestAPDFInADocumentComesFirst(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	person := roomtest.Person("jeanne")
	w.Receive(jeanne, roomtest.Letter("Compte rendu", []roomtest.Part{
		roomtest.Text("Bonjour"), {Type: "text/xml", Name: "DOC0001.XML", Content: roomtest.CDA(person, "1.2.250.1.999.2", "Compte rendu", roomtest.PDF())},
	}))
	path := newest(t, jeanne)
	page := jeanne.Get(path)
	says(t, page, []string{`<iframe class="pdf-frame" src="` + path + `/parts/2.e0#`, "Ouvrir le PDF"})
	if strings.Index(page.Text, "<iframe") > strings.Index(page.Text, `class="leaf"`) {
		t.Error("the PDF does not come first")
	}
	pdf := jeanne.Get(path + "/parts/2.e0")
	if pdf.Text != string(roomtest.PDF()) || pdf.Header.Get("Content-Type") != "application/pdf" || strings.Contains(pdf.Header.Get("Content-Security-Policy"), "sandbox") ||
		!strings.Contains(pdf.Header.Get("Content-Security-Policy"), "default-src 'none'") || !strings.HasPrefix(pdf.Header.Get("Content-Disposition"), "inline") {
		t.Errorf("the PDF is served as %v, %v", pdf.Header, pdf.Err)
	}
	if kept := jeanne.Get(path + "/parts/2.e0?keep=1"); !strings.HasPrefix(kept.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("kept as %v", kept.Header)
	}
}

func TestWhatIsKeptOutSaysWhy(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	other := roomtest.Person("albert")
	w.Receive(jeanne, roomtest.Letter("Lettre", []roomtest.Part{
		roomtest.Text("Bonjour"), roomtest.Package(t, other, map[string][]byte{"1.2.3.9": roomtest.CDA(other, "1.2.3.9", "Lettre", nil)}),
		{Type: "application/zip", Name: "IHE_XDM.ZIP", Content: []byte("PK\x03\x04 rien de bon")},
	}))
	path := newest(t, jeanne)
	says(t, jeanne.Get(path), []string{"n’est pas rangé dans vos documents", "L’identité écrite dans le document n’est pas tout à fait la vôtre", "IHE_XDM.ZIP"})
	for _, d := range read[told](t, jeanne.Facts(path)).Documents {
		if d.Outcome != "refused" || d.Reason == "" {
			t.Errorf("a document is %+v", d)
		}
	}
}

func TestOnlyWhatIsHarmlessIsShown(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	w.Receive(jeanne, roomtest.Letter("Fichiers", []roomtest.Part{
		roomtest.Text("Bonjour"),
		{Type: "application/pdf", Name: "page.pdf", Content: []byte("<html><script>alert(1)</script>")},
		{Type: "text/html", Name: "page.html", Content: []byte("<script>alert(1)</script>")},
		{Type: "image/svg+xml", Name: "dessin.svg", Content: []byte("<svg onload=alert(1)>\x00")},
		{Type: "application/octet-stream", Name: "photo", Content: roomtest.PNG()},
		{Type: "text/plain; charset=iso-8859-1", Name: "note.txt", Content: []byte("pes\xe9e \xe0 jeun")},
		{Type: "application/x-msdownload", Name: "facture.pdf.exe", Content: []byte("MZ\x90\x00")},
	}))
	path := newest(t, jeanne)
	for part, want := range map[string]string{
		"2": `inline; filename="page.pdf.txt"; filename*=UTF-8''page.pdf.txt text/plain; charset=utf-8`,
		"3": `inline; filename="page.html.txt"; filename*=UTF-8''page.html.txt text/plain; charset=utf-8`,
		"4": `attachment; filename="dessin.svg"; filename*=UTF-8''dessin.svg application/octet-stream`,
		"5": `inline; filename="photo.png"; filename*=UTF-8''photo.png image/png`,
		"6": `inline; filename="note.txt"; filename*=UTF-8''note.txt text/plain; charset=utf-8`,
		"7": `attachment; filename="facture.pdf.exe"; filename*=UTF-8''facture.pdf.exe application/octet-stream`,
	} {
		a := jeanne.Get(path + "/parts/" + part)
		if got := a.Header.Get("Content-Disposition") + " " + a.Header.Get("Content-Type"); got != want || a.Err != nil {
			t.Errorf("part %s: %s, %v; want %s", part, got, a.Err, want)
		}
		if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("part %s has the policy %q", part, policy)
		}
	}
	if note := jeanne.Get(path + "/parts/6"); note.Text != "pesée à jeun" {
		t.Errorf("a text of another charset is %q", note.Text)
	}
	for _, part := range []string{"9", "0", "1.1", "2.d0", "2.e0", "x", "2.d0.e0", "2..1", "01", "+2", "2.e99999999"} {
		if a := jeanne.Get(path + "/parts/" + part); !fault.Is(a.Err, fault.NotFound) {
			t.Errorf("part %q: %v", part, a.Err)
		}
	}
}

func TestALayoutIsShownBehindTwoWalls(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	html := `<p>Bonjour <b>Jeanne</b></p><script>alert(1)</script><img src="cid:logo@chu" alt="Logo"><img src="https://canary.invalid/1" alt="Suivi"><a href="https://chu.example/plan">plan</a>`
	w.Receive(jeanne, roomtest.Letter("Mise en page", []roomtest.Part{
		{Type: "text/html; charset=utf-8", Content: []byte(html)}, {Type: "image/png", ID: "logo@chu", Name: "logo.png", Inline: true, Content: roomtest.PNG()},
	}))
	path := newest(t, jeanne)
	says(t, jeanne.Get(path), []string{`sandbox="allow-popups allow-popups-to-escape-sandbox"`, `src="` + path + `/html"`}, "allow-scripts", "allow-same-origin", "alert(1)")
	if got := read[told](t, jeanne.Facts(path)); got.Text != "Bonjour Jeanne\n\n[Logo][Suivi]plan (chu.example)" || got.HTML != path+"/html" {
		t.Errorf("in words the letter is %+v", got)
	}
	frame := jeanne.Get(path + "/html")
	says(t, frame, []string{"<p>Bonjour <b>Jeanne</b></p>", `<img src="data:image/png;base64,`, "<i>[Suivi]</i>", `<a href="https://chu.example/plan" target="_blank"`}, "canary.invalid", "<script", "cid:")
	policy := frame.Header.Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "img-src data:", "style-src 'sha256-", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'", "sandbox allow-popups"} {
		if !strings.Contains(policy, rule) {
			t.Errorf("the policy %q has no %q", policy, rule)
		}
	}
	if a := jeanne.Get(newest(t, jeanne) + "/parts/2"); a.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture alone is %v, %v", a.Header, a.Err)
	}
	w.Receive(jeanne, roomtest.Letter("Simple", []roomtest.Part{roomtest.Text("Bonjour")}))
	if a := jeanne.Get(newest(t, jeanne) + "/html"); !fault.Is(a.Err, fault.NotFound) {
		t.Errorf("a layout that is not there: %v", a.Err)
	}
}

func TestAnInvitationIsAnsweredFromItsLetter(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	at := w.Clock.Now().AddDate(0, 0, 13).Truncate(time.Hour)
	w.Receive(jeanne, roomtest.Letter("Visite", []roomtest.Part{
		roomtest.Text("Bonjour"), roomtest.Invitation(t, agenda.Request, "u1@chu", jeanne.Address, at, 0),
	}))
	path := newest(t, jeanne)
	says(t, jeanne.Get(path), []string{"Visite de suivi", "Hôpital de Valbrume", "Oui, je viens", "/answer", "À confirmer"})
	facts := read[told](t, jeanne.Facts(path))
	if len(facts.Invitations) != 1 || facts.Invitations[0].Status != "needs-action" || facts.Invitations[0].ID == "" {
		t.Fatalf("the letter is %+v", facts)
	}
	if a := jeanne.Post("/agenda/"+facts.Invitations[0].ID+"/answer", "answer", "accept"); a.Err != nil {
		t.Fatal(a.Err)
	}
	says(t, jeanne.Get(path), []string{"Vous avez dit oui"}, "Oui, je viens")
}

func TestLettersAreMarkedAndMoved(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	w.Receive(jeanne, roomtest.Letter("Une", []roomtest.Part{roomtest.Text("Bonjour")}))
	path := newest(t, jeanne)
	says(t, jeanne.Get(path), nil)
	redirected(t, jeanne.Post(path+"/unread"), "/messages")
	if got := read[listed](t, jeanne.Facts("/messages")); !got.Messages[0].Unread {
		t.Errorf("not unread again: %+v", got)
	}
	redirected(t, jeanne.Post(path+"/trash"), "/messages")
	redirected(t, jeanne.Post(path+"/trash"), "/messages") // twice is once
	if got := read[listed](t, jeanne.Facts("/messages")); len(got.Messages) != 0 {
		t.Errorf("still in the inbox: %+v", got)
	}
	if got := read[listed](t, jeanne.Facts("/messages?folder=trash")); len(got.Messages) != 1 {
		t.Errorf("not in the bin: %+v", got)
	}
	says(t, jeanne.Get(path), []string{"/restore", `href="/messages?folder=trash"`})
	redirected(t, jeanne.Post(path+"/restore"), "/messages")
	if got := read[listed](t, jeanne.Facts("/messages")); len(got.Messages) != 1 {
		t.Errorf("not back: %+v", got)
	}
}

func redirected(t *testing.T, a roomtest.Answer, to string) {
	t.Helper()
	if r, is := a.Answer.(ui.Redirect); a.Err != nil || !is || !strings.HasPrefix(r.To, to) {
		t.Fatalf("answered %+v, %v", a.Answer, a.Err)
	}
}

func TestListsHavePages(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	for range 32 {
		if err := deliverytest.Send(w.Peer(deliverytest.City), roomtest.Doctor, []string{jeanne.Address.String()}, roomtest.Letter("Une", []roomtest.Part{roomtest.Text("x")})); err != nil {
			t.Fatal(err)
		}
	}
	first := read[listed](t, jeanne.Facts("/messages"))
	if len(first.Messages) != 30 || first.Next == "" {
		t.Fatalf("the first page has %d letters and the cursor %q", len(first.Messages), first.Next)
	}
	rest := read[listed](t, jeanne.Facts("/messages?before="+first.Next))
	if len(rest.Messages) != 2 || rest.Next != "" || rest.Messages[0].ID == first.Messages[29].ID {
		t.Errorf("the rest is %+v", rest)
	}
	says(t, jeanne.Get("/messages"), []string{`href="/messages?before=` + first.Next + `"`})
	for path, kind := range map[string]fault.Kind{"/messages?before=x": fault.Invalid, "/messages?before=0": fault.Invalid, "/messages?folder=drafts": fault.NotFound} {
		if a := jeanne.Get(path); !fault.Is(a.Err, kind) {
			t.Errorf("%s: %v", path, a.Err)
		}
	}
}

func TestSomebodyElsesLetterIsUnknown(t *testing.T) {
	t.Parallel()
	w := roomtest.New(t)
	jeanne, albert := w.Patient("jeanne"), w.Patient("albert")
	w.Receive(jeanne, roomtest.Letter("Une", []roomtest.Part{roomtest.Text("Bonjour"), {Type: "application/pdf", Name: "a.pdf", Content: roomtest.PDF()}}))
	path := newest(t, jeanne)
	for _, rest := range []string{"", "/html", "/parts/2", "/reply"} {
		known, unknown := albert.Get(path+rest), albert.Get("/messages/nobody"+rest)
		if !fault.Is(known.Err, fault.NotFound) || fault.Reason(known.Err) != fault.Reason(unknown.Err) {
			t.Errorf("GET %s: %v, and %v for nobody's", rest, known.Err, unknown.Err)
		}
	}
	for _, rest := range []string{"/unread", "/trash", "/restore", "/reply"} {
		if a := albert.Post(path+rest, "text", "Bonjour"); !fault.Is(a.Err, fault.NotFound) {
			t.Errorf("POST %s: %v", rest, a.Err)
		}
	}
}
