package demo

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// dischargeLetter is what a hospital's system sends when a patient goes home: a few
// words, and the report in an IHE_XDM.zip (spec dmp 4.1, 4.2). It says where the
// report comes from.
func dischargeLetter(from, to Person, marker string, at time.Time) ([]byte, string, error) {
	document, source, err := discharge(to, at)
	if err != nil {
		return nil, "", err
	}
	var archive bytes.Buffer
	err = xdm.Write(&archive, xdm.Lot{
		Patient: xdm.Patient{OID: to.INSOID, Matricule: to.INS}, SourceID: documentID(), Submitted: at,
		Title: "Lettre de liaison à la sortie", Software: "Vaguemestre, demonstration", Contact: "support of the demonstration",
		Documents: []xdm.Content{{
			Entry: xdm.Entry{
				UniqueID: idOf(document), MIME: "text/xml", Title: "Lettre de liaison à la sortie", Language: "fr-FR",
				Type:    xdm.Code{Code: "11490-0", System: "2.16.840.1.113883.6.1", Display: "Lettre de liaison à la sortie"},
				Created: xdm.Time{At: at},
			},
			Body: bytes.NewReader(document),
		}},
	})
	if err != nil {
		return nil, "", err
	}
	m := letterHead(from, to, "XDM/1.0/DDM+Lettre de liaison à la sortie "+to.Family+" "+to.Given, marker, at)
	m += "Disposition-Notification-To: <" + from.Address + ">\r\nX-MSS-CODECDA: 11490-0\r\nX-MSS-INS: O\r\n" +
		"Content-Type: multipart/mixed; boundary=\"pli\"\r\n\r\n--pli\r\n" + plain(`Bonjour,

Vous trouverez ci-joint la lettre qui résume votre séjour. Prenez votre traitement
comme convenu. Une invitation suit pour la consultation dans un mois.

Service de cardiologie, CHU Rivière
`)
	m += "--pli\r\n" + attached("application/zip", "IHE_XDM.zip", archive.Bytes()) + "--pli--\r\n"
	return []byte(m), source, nil
}

// invitationLetter is a doctor's invitation to the follow-up (RFC 6047).
func invitationLetter(from, to Person, at time.Time) ([]byte, error) {
	organizer, err := identity.ParseAddress(from.Address)
	if err != nil {
		return nil, err
	}
	attendee, err := identity.ParseAddress(to.Address)
	if err != nil {
		return nil, err
	}
	day := at.AddDate(0, 1, 0)
	start := time.Date(day.Year(), day.Month(), day.Day(), 9, 30, 0, 0, time.UTC)
	calendar, err := agenda.Compose(agenda.Request, agenda.Event{
		UID: identity.NewID() + "@chu-riviere.mss.example", Start: start, End: start.Add(30 * time.Minute), Stamp: at,
		Summary: "Consultation de suivi, cardiologie", Location: "CHU Rivière, consultations, rez-de-chaussée",
		Description: "Venez avec votre ordonnance et vos derniers résultats.",
		Organizer:   agenda.Party{Address: organizer, Raw: from.Address, Name: strings.ReplaceAll(from.Name, "_", " ")},
		Attendees:   []agenda.Party{{Address: attendee, Raw: to.Address, Name: to.Name}},
	}, at)
	if err != nil {
		return nil, err
	}
	m := letterHead(from, to, "Consultation de suivi", identity.NewID(), at) +
		"Content-Type: multipart/alternative; boundary=\"pli\"\r\n\r\n--pli\r\n" + plain(`Bonjour,

Je vous propose une consultation de suivi dans un mois. Dites-moi si cela vous convient.

Dr Claire Martin, cardiologie
`)
	m += "--pli\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64Lines(calendar) + "--pli--\r\n"
	return []byte(m), nil
}

// letterHead is the header that all letters of the walk have.
func letterHead(from, to Person, subject, id string, at time.Time) string {
	return fmt.Sprintf("From: %s <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@walk.mss.example>\r\nMIME-Version: 1.0\r\n",
		mime.QEncoding.Encode("utf-8", strings.ReplaceAll(from.Name, "_", " ")), from.Address, to.Address,
		mime.QEncoding.Encode("utf-8", subject), at.Format(time.RFC1123Z), id)
}

// plain is a text part.
func plain(text string) string {
	return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n")
}

// attached is a part with a file.
func attached(kind, name string, data []byte) string {
	return "Content-Type: " + kind + "; name=" + name + "\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=" + name + "\r\n\r\n" + base64Lines(data)
}

// base64Lines is base64 in lines of 76 (RFC 2045 6.8).
func base64Lines(data []byte) string {
	var b strings.Builder
	text := base64.StdEncoding.EncodeToString(data)
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return b.String() + text + "\r\n"
}
