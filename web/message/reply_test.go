package message_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/message"
	"github.com/vaguemestre/vaguemestre/web/roomtest"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// file is a file in a form.
type file struct {
	name, kind string
	content    []byte
}

// form writes what a browser sends.
func form(t *testing.T, text string, files ...file) (string, io.Reader) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	err := w.WriteField("text", text)
	for _, f := range files {
		h := textproto.MIMEHeader{"Content-Type": {f.kind}}
		h.Set("Content-Disposition", `form-data; name="files"; filename="`+f.name+`"`)
		var part io.Writer
		if part, err = w.CreatePart(h); err == nil {
			_, err = part.Write(f.content)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), &b
}

// waiting has received a letter that can be answered.
func waiting(t *testing.T) (*roomtest.World, *roomtest.Patient, string) {
	t.Helper()
	w := roomtest.New(t)
	jeanne := w.Patient("jeanne")
	w.Receive(jeanne, roomtest.Letter("XDM/1.0/DDM+Votre retour =?utf-8?q?=C3=A0?= la maison", []roomtest.Part{roomtest.Text("Bonjour")}))
	return w, jeanne, newest(t, jeanne)
}

func TestAnAnswerLeavesOnce(t *testing.T) {
	t.Parallel()
	w, jeanne, path := waiting(t)
	says(t, jeanne.Get(path+"/reply"), []string{"Répondre à Dr Salima Berrahal", `enctype="multipart/form-data"`}, `name="to"`, `type="email"`)
	kind, body := form(t, "Bonjour Docteur,\r\n\r\nJe pèse 63 kg.\r\n.\r\nMerci", file{"Carnet d’été.pdf", "application/octet-stream", roomtest.PDF()}, file{"", "application/octet-stream", nil})
	a := jeanne.Send(path+"/reply", kind, body)
	redirected(t, a, "/outcome/")
	sent := w.Folder(jeanne.Holder, role(t, w, jeanne, mailbox.Sent))
	if len(sent) != 1 {
		t.Fatalf("%d letters in Sent", len(sent))
	}
	text := sent[0].Head + sent[0].Body
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != roomtest.Doctor {
		t.Errorf("To is %v, %v", to, err)
	}
	if from, err := m.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != jeanne.Address.String() || from[0].Name != "Jeanne Morvan" {
		t.Errorf("From is %v, %v", from, err)
	}
	if got := letter.DecodeWords(m.Header.Get("Subject")); got != "Re: Votre retour à la maison" {
		t.Errorf("Subject is %q", got)
	}
	if m.Header.Get("In-Reply-To") == "" || m.Header.Get("In-Reply-To") != m.Header.Get("References") {
		t.Errorf("threads by %q and %q", m.Header.Get("In-Reply-To"), m.Header.Get("References"))
	}
	for _, want := range []string{"Je p=C3=A8se 63 kg.\r\n.\r\nMerci", "Content-Type: application/pdf\r\n", "filename*=utf-8''Carnet%20d%E2%80%99%C3%A9t%C3%A9.pdf"} {
		if !strings.Contains(text, want) {
			t.Errorf("the letter has no %q:\n%s", want, text)
		}
	}
	if got := read[listed](t, jeanne.Facts("/messages")); !got.Messages[0].Answered {
		t.Errorf("the letter is not marked as answered: %+v", got)
	}
	outcomes(t, jeanne, redirectOf(a))
}

func redirectOf(a roomtest.Answer) string {
	r, _ := a.Answer.(ui.Redirect)
	return r.To
}

// outcomes holds the timeline and the list of sent letters after one was sent.
func outcomes(t *testing.T, p *roomtest.Patient, path string) {
	t.Helper()
	says(t, p.Get(path), []string{"Ce qui s’est passé", "Dr Salima Berrahal", "Parti", "L’équipe le lit"})
	story := read[struct {
		Recipients []struct {
			Recipient, Status string
			Facts             []struct{ Fact, At, Evidence string }
		}
	}](t, p.Facts(path))
	if len(story.Recipients) != 1 || story.Recipients[0].Recipient != "Dr Salima Berrahal" || story.Recipients[0].Status != "accepted" || len(story.Recipients[0].Facts) == 0 {
		t.Errorf("the story is %+v", story)
	}
	says(t, p.Get("/outcome"), []string{`href="` + path + `"`, "Re: Votre retour à la maison", "à Dr Salima Berrahal"})
	list := read[listed](t, p.Facts("/messages?folder=sent"))
	if len(list.Messages) != 1 || list.Messages[0].From != "Dr Salima Berrahal" || list.Messages[0].Unread {
		t.Fatalf("the sent letters are %+v", list)
	}
	says(t, p.Get("/messages/"+list.Messages[0].ID), []string{"Vous", "à Dr Salima Berrahal", "Je pèse 63 kg.", "/outcome/", "Carnet d’été.pdf"}, "/reply\"")
	if a := p.Get("/outcome/nobody"); !fault.Is(a.Err, fault.NotFound) {
		t.Errorf("an unknown outcome: %v", a.Err)
	}
}

func role(t *testing.T, w *roomtest.World, p *roomtest.Patient, r mailbox.Role) (id mailbox.FolderID) {
	t.Helper()
	w.Read(func(tx *store.Tx) error {
		f, err := mailbox.FolderByRole(tx, p.ID, r)
		id = f.ID
		return err
	})
	return id
}

func TestWhatIsWrongComesBackWithItsSentence(t *testing.T) {
	t.Parallel()
	w, jeanne, path := waiting(t)
	var many []file
	for range 11 {
		many = append(many, file{"a.txt", "text/plain", []byte("x")})
	}
	for name, c := range map[string]struct {
		text  string
		files []file
		want  []string
	}{
		"nothing":  {" \r\n", nil, []string{"Écrivez votre message."}},
		"too long": {strings.Repeat("é", 100_001), nil, []string{"100\u202f000 caractères au plus"}},
		"a film":   {"Voilà", []file{{"vacances.mov", "image/png", []byte("\x00\x00\x00\x14ftyp")}}, []string{"«\u00a0vacances.mov\u00a0» n’est ni une photo", "Voilà</textarea>"}},
		"empty":    {"Voilà", []file{{"vide.txt", "text/plain", nil}}, []string{"«\u00a0vide.txt\u00a0» est vide"}},
		"large":    {"Voilà", []file{{`C:\photos\grande.png`, "image/png", append(roomtest.PNG(), make([]byte, 6_000_000)...)}}, []string{"«\u00a0grande.png\u00a0» fait 6,0\u00a0Mo"}},
		"many":     {"Voilà", many, []string{"10 fichiers au plus"}},
	} {
		kind, body := form(t, c.text, c.files...)
		a := jeanne.Send(path+"/reply", kind, body)
		if page, is := a.Answer.(ui.Page); !is || page.Status != 422 {
			t.Errorf("%s: answered %+v, %v", name, a.Answer, a.Err)
			continue
		}
		says(t, a, append(c.want, `role="alert"`))
	}
	if n := w.Count("outcome_letter"); n != 0 {
		t.Errorf("%d letters left", n)
	}
	if a := jeanne.Send(path+"/reply", "multipart/form-data; boundary=x", strings.NewReader("--x\r\nbroken")); fault.Reason(a.Err) != "body-malformed" {
		t.Errorf("a broken form: %v", a.Err)
	}
}

func TestALetterThatEndsTheExchangeHasNoForm(t *testing.T) {
	t.Parallel()
	w, jeanne, first := waiting(t)
	w.Receive(jeanne, roomtest.Letter("[FIN]", []roomtest.Part{roomtest.Text("Au revoir")}))
	path := newest(t, jeanne)
	says(t, jeanne.Get(path), []string{"<h1>Fin de la conversation</h1>", "La conversation est finie", "Vous ne pouvez pas répondre à cette lettre.", "a fermé la conversation"}, path+`/reply"`)
	for _, p := range []string{path, first} {
		says(t, jeanne.Get(p+"/reply"), []string{"Vous ne pouvez pas répondre à cette lettre."}, "<textarea")
		if a := jeanne.Post(p+"/reply", "text", "Encore"); !fault.Is(a.Err, fault.Denied) || fault.Reason(a.Err) != "correspondent-closed" {
			t.Errorf("an answer to %s: %v", p, a.Err)
		}
	}
	if n := w.Count("outcome_letter"); n != 0 {
		t.Errorf("%d letters left", n)
	}
	jobs := 0
	w.Read(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM queue_job WHERE kind = $1`, delivery.RelayKind).Scan(&jobs)
	})
	if jobs != 0 {
		t.Errorf("%d jobs", jobs)
	}
}

func TestNoFieldNamesAnotherRecipient(t *testing.T) {
	t.Parallel()
	w, jeanne, path := waiting(t)
	redirected(t, jeanne.Post(path+"/reply", "text", "Bonjour", "to", "intrus@ailleurs.example", "bcc", "intrus@ailleurs.example", "subject", "x\r\nBcc: intrus@ailleurs.example"), "/outcome/")
	sent := w.Folder(jeanne.Holder, role(t, w, jeanne, mailbox.Sent))
	if len(sent) != 1 || strings.Contains(sent[0].Head+sent[0].Body, "intrus") {
		t.Errorf("sent %+v", sent)
	}
	if n := len(w.Story(jeanne.Holder).Chapters); n != 1 {
		t.Errorf("%d recipients", n)
	}
}

func TestFilesFitALetter(t *testing.T) {
	t.Parallel()
	n := message.RoomFor(message.MaxSize())
	if encoded := n / 57 * 78; encoded > message.MaxSize()-(256<<10) || n < 15<<20 {
		t.Errorf("%d octets of files make %d of %d", n, encoded, message.MaxSize())
	}
}
