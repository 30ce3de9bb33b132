package letter_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

// refusal is the answer of a vault to a letter whose documents it did not file.
func refusal(tb testing.TB) letter.MDN {
	tb.Helper()
	return letter.MDN{
		From: address(tb, "depot@patient.example"), Name: "Dépôt de documents", To: address(tb, "appli@chu-a.example"),
		Reporter: "mx.patient.example", MessageID: "<mdn1@patient.example>", Date: noon(),
		Subject:      "XDM/1.0/DDM+Lettre de liaison à la sortie CORSE Dominique 03/04/1990",
		OriginalType: "rfc822", Original: "depot@patient.example", Final: address(tb, "depot@patient.example"),
		OriginalID: "<orig@chu-a.example>", Handling: letter.Processed, Code: letter.IntegrationINSDiffers,
		Reasons: []string{"identity-differs"}, Extensions: []letter.Extension{{"X-Filed", "0"}, {"error", "twice"}, {"Not a name", "x"}},
		Letter: strings.NewReader("From: <appli@chu-a.example>\r\nSubject: XDM/1.0/DDM+x\r\n\r\nbody\r\n"),
	}
}

// display is the receipt of a patient who opened a letter.
func display(tb testing.TB) letter.MDN {
	tb.Helper()
	return letter.MDN{
		From: address(tb, "278010254020147@patient.example"), Name: `Dominique "D" Corse`, To: address(tb, "c.dupont@chu-a.example"),
		Reporter: "mx.patient.example", MessageID: "<mdn2@patient.example>", Date: noon(), Subject: "Votre compte rendu",
		Final: address(tb, "278010254020147@patient.example"), OriginalID: "<orig2@chu-a.example>",
	}
}

// readMDN writes m and reads it back with net/mail and mime/multipart; it holds what
// is true of every notification.
func readMDN(t *testing.T, m letter.MDN) (header mail.Header, text string, fields textproto.MIMEHeader, third string) {
	t.Helper()
	var out bytes.Buffer
	n, err := m.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		t.Fatalf("%d octets of %d: %v", n, out.Len(), err)
	}
	s := walk(t, out.String())
	if !m.Full && (len(s.Ambiguities) > 0 || s.EightBit) {
		t.Errorf("ambiguities %v, 8-bit %v", s.Ambiguities, s.EightBit)
	}
	read, err := mail.ReadMessage(&out)
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(read.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "disposition-notification" {
		t.Fatalf("%s %v %v", kind, params, err)
	}
	parts := multipart.NewReader(read.Body, params["boundary"])
	for i := 0; ; i++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		switch kind := p.Header.Get("Content-Type"); {
		case i == 0 && kind == "text/plain; charset=utf-8":
			text = string(body)
		case i == 1 && kind == "message/disposition-notification":
			r := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader("\r\n\r\n"))))
			if fields, err = r.ReadMIMEHeader(); err != nil {
				t.Fatal(err)
			}
		case i == 2:
			third = string(body)
		default:
			t.Fatalf("part %d is %s", i, kind)
		}
	}
	return read.Header, text, fields, third
}

func TestMDNGoldens(t *testing.T) {
	t.Parallel()
	random := regexp.MustCompile(`=_[A-Z2-7]{26}`)
	filed := refusal(t)
	filed.Code, filed.Reasons, filed.Letter = 0, nil, nil
	for name, m := range map[string]letter.MDN{"refused": refusal(t), "displayed": display(t), "filed": filed} {
		var out bytes.Buffer
		if _, err := m.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(random.ReplaceAllString(out.String(), "BOUNDARY"), "\r\n", "\n")
		path := filepath.Join("testdata", "mdn", name+".eml")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a golden file
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// TestMDNRefusal holds the form that programs of hospitals look for (spec mssante 6.9).
func TestMDNRefusal(t *testing.T) {
	t.Parallel()
	header, text, fields, third := readMDN(t, refusal(t))
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if want := "[KO Intégration système !][904] XDM/1.0/DDM+Lettre de liaison à la sortie CORSE Dominique 03/04/1990"; err != nil || subject != want {
		t.Errorf("subject %q, %v", subject, err)
	}
	want := textproto.MIMEHeader{
		"Reporting-Ua":        {"mx.patient.example; vaguemestre"},
		"Original-Recipient":  {"rfc822; depot@patient.example"},
		"Final-Recipient":     {"rfc822; depot@patient.example"},
		"Original-Message-Id": {"<orig@chu-a.example>"},
		"Disposition":         {"automatic-action/MDN-sent-automatically; processed/Error: 904^INS discordante"},
		"Error":               {"904^INS discordante", "identity-differs"},
		"X-Filed":             {"0"},
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if !strings.Contains(text, "n'ont pas été classés") || !strings.Contains(text, "were not filed") || !strings.Contains(text, "Code : 904") {
		t.Errorf("text:\n%s", text)
	}
	if third != "From: <appli@chu-a.example>\r\nSubject: XDM/1.0/DDM+x\r\n\r\n" {
		t.Errorf("third part %q", third)
	}
	if header.Get("In-Reply-To") != "<orig@chu-a.example>" || header.Get("Auto-Submitted") != "auto-replied" {
		t.Errorf("header %v", header)
	}
}

// TestMDNForms holds subject, disposition and words of each handling and code.
func TestMDNForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		handling letter.Handling
		manual   bool
		code     letter.Integration
		subject  string
		want     string
		inText   string
	}{
		{letter.Displayed, true, 904, "Lu / Read: S", "manual-action/MDN-sent-manually; displayed", "no guarantee"},
		{"odd", false, 0, "Lu / Read: S", "automatic-action/MDN-sent-automatically; displayed", "affiché"},
		{letter.Dispatched, false, 0, "Transmis / Dispatched: S", "automatic-action/MDN-sent-automatically; dispatched", "passed on"},
		{letter.Deleted, false, 0, "Supprimé / Deleted: S", "automatic-action/MDN-sent-automatically; deleted", "supprimé"},
		{letter.Processed, false, 0, "Intégré / Processed: S", "automatic-action/MDN-sent-automatically; processed", "ont été classés"},
		{letter.Processed, false, 900, "[KO Intégration système !][900] S", "automatic-action/MDN-sent-automatically; processed/Error: 900^Version non supportee", "version"},
		{letter.Processed, false, 901, "[KO Intégration système !][901] S", "automatic-action/MDN-sent-automatically; processed/Error: 901^Auteur non autorise", "author"},
		{letter.Processed, false, 902, "[KO Intégration système !][902] S", "automatic-action/MDN-sent-automatically; processed/Error: 902^Patient inconnu", "No patient"},
		{letter.Processed, false, 903, "[KO Intégration système !][903] S", "automatic-action/MDN-sent-automatically; processed/Error: 903^INS absente", "do not carry"},
		{letter.Processed, false, 905, "[KO Intégration système !][905] S", "automatic-action/MDN-sent-automatically; processed/Error: 905^INS incomplete", "lacks a trait"},
		{letter.Processed, false, 906, "[KO Intégration système !][906] S", "automatic-action/MDN-sent-automatically; processed/Error: 906^Autre erreur", "could not"},
	} {
		m := refusal(t)
		m.Subject, m.Handling, m.Manual, m.Code, m.Letter = " S\r\n ", c.handling, c.manual, c.code, nil
		header, text, fields, _ := readMDN(t, m)
		subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
		if err != nil || subject != c.subject {
			t.Errorf("%s %d: subject %q, want %q", c.handling, c.code, subject, c.subject)
		}
		if got := fields.Get("Disposition"); got != c.want {
			t.Errorf("%s %d: disposition %q, want %q", c.handling, c.code, got, c.want)
		}
		if !strings.Contains(text, c.inText) {
			t.Errorf("%s %d: text %q", c.handling, c.code, text)
		}
	}
}

// TestMDNInjection puts line ends and other fields into everything that others
// can write.
func TestMDNInjection(t *testing.T) {
	t.Parallel()
	clean, _, _, _ := readMDN(t, refusal(t))
	for _, evil := range []string{"x\r\nX-Evil: 1\r\n\r\nbody", "x\nX-Evil: 1", "x\rX-Evil: 1", "x\x00y", "\u2028X-Evil: 1", "é\"(<>", strings.Repeat("x é", 5000), " ", "=?utf-8?q?=0d=0aX-Evil:_1?="} {
		m := refusal(t)
		m.Name, m.Reporter, m.MessageID, m.OriginalID, m.Subject = evil, evil, evil, "<"+evil+">", evil
		m.OriginalType, m.Original, m.French, m.English, m.Reasons = evil, evil, evil, evil, []string{evil}
		m.Handling = letter.Handling(evil)
		m.Extensions = []letter.Extension{{evil, evil}, {"X-Ours", evil}, {"X:Ours", "x"}}
		header, _, fields, _ := readMDN(t, m)
		if len(header) > len(clean) || header.Get("X-Evil") != "" || header.Get("Message-Id") == evil {
			t.Errorf("%.20q: header %v", evil, header)
		}
		if fields.Get("X-Evil") != "" || !strings.HasSuffix(fields.Get("Disposition"), "displayed") {
			t.Errorf("%.20q: fields %v", evil, fields)
		}
		if from, err := mail.ParseAddress(header.Get("From")); err != nil || from.Address != "depot@patient.example" {
			t.Errorf("%.20q: from %v, %v", evil, from, err)
		}
	}
}

// TestMDNFails holds that no half of a notification is taken for a whole one.
func TestMDNFails(t *testing.T) {
	t.Parallel()
	for _, m := range []letter.MDN{{}, {From: address(t, "a@b.example"), To: address(t, "a@b.example")}} {
		if _, err := m.WriteTo(io.Discard); fault.Reason(err) != "report-incomplete" {
			t.Errorf("got %v", err)
		}
	}
	broken := errors.New("broken")
	for _, full := range []bool{false, true} {
		m := refusal(t)
		m.Full, m.Letter = full, io.MultiReader(strings.NewReader("X: y\r\n"), iotest.ErrReader(broken))
		if _, err := m.WriteTo(io.Discard); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	for limit := range 1500 {
		if _, err := refusal(t).WriteTo(&failing{left: limit}); err == nil {
			t.Fatalf("no error of the writer after %d octets", limit)
		}
	}
}

// TestMDNFull holds that the whole letter comes back, octet for octet.
func TestMDNFull(t *testing.T) {
	t.Parallel()
	m := refusal(t)
	original := "Subject: \xe9\r\n\r\n" + strings.Repeat("0123456789 \xe9\r\n", 100)
	m.Letter, m.Full = strings.NewReader(original), true
	if header, _, _, third := readMDN(t, m); third != original || header.Get("Content-Transfer-Encoding") != "8bit" {
		t.Errorf("third part of %d octets, want %d; %v", len(third), len(original), header)
	}
}

// FuzzMDN holds that nothing a letter says adds a field to a notification.
func FuzzMDN(f *testing.F) {
	f.Add("Compte rendu", "<a@b>", "identity-differs", 904)
	f.Add("x\r\nX: y", "<a\r\nb@c>", "\xff\x00", 0)
	f.Add("=?utf-8?b?w6k=?= é", "", strings.Repeat("a ", 600), -1)
	f.Fuzz(func(t *testing.T, subject, id, reason string, code int) {
		m := refusal(t)
		m.Letter, m.Extensions = nil, nil
		m.Subject, m.OriginalID, m.Reasons, m.Name, m.Code = subject, id, []string{reason}, subject, letter.Integration(code)
		header, _, fields, _ := readMDN(t, m)
		for name := range header {
			switch name {
			case "Date", "From", "To", "Subject", "Message-Id", "In-Reply-To", "References", "Auto-Submitted", "Mime-Version", "Content-Type":
			default:
				t.Errorf("field %q", name)
			}
		}
		for name := range fields {
			switch name {
			case "Reporting-Ua", "Original-Recipient", "Final-Recipient", "Original-Message-Id", "Disposition", "Error":
			default:
				t.Errorf("field %q", name)
			}
		}
	})
}
