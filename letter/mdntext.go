package letter

import (
	"bytes"
	"fmt"
	"mime/quotedprintable"
	"strings"
)

// Label is the code's label in US-ASCII, as fields for machines carry it; that of
// [IntegrationOther] for a code that is none.
func (c Integration) Label() string {
	label, _, _ := c.words()
	return label
}

// words returns the label, and a sentence in French and in English.
func (c Integration) words() (label, french, english string) {
	switch c {
	case IntegrationVersion:
		return "Version non supportee", "La forme ou la version des documents n'est pas prise en charge.",
			"The form or the version of the documents is not supported."
	case IntegrationAuthor:
		return "Auteur non autorise", "L'auteur n'est pas autorisé à déposer ces documents.",
			"The author is not allowed to file these documents."
	case IntegrationPatient:
		return "Patient inconnu", "Aucun patient ne correspond ici à l'identité que portent les documents.",
			"No patient here has the identity that the documents carry."
	case IntegrationINSMissing:
		return "INS absente", "Les documents ne portent pas l'identité nationale de santé (INS) du patient.",
			"The documents do not carry the national health identity (INS) of the patient."
	case IntegrationINSDiffers:
		return "INS discordante", "L'identité que portent les documents n'est pas celle du patient.",
			"The identity that the documents carry is not that of the patient."
	case IntegrationINSIncomplete:
		return "INS incomplete", "Il manque un trait à l'identité que portent les documents : nom de naissance, " +
				"premier prénom de naissance, date de naissance ou sexe.",
			"The identity that the documents carry lacks a trait: birth name, first birth given name, birth date or sex."
	}
	return "Autre erreur", "Les documents n'ont pas pu être intégrés.", "The documents could not be integrated."
}

// subject returns what the notification says, and the letter's subject. That of an
// integration that failed is the one of spec mssante 6.9, which programs look for.
func (m MDN) subject() string {
	said := "Lu / Read: "
	switch m.handling() {
	case Processed:
		said = "Intégré / Processed: "
		if m.failed() {
			said = fmt.Sprintf("[KO Intégration système !][%d] ", int(m.Code))
		}
	case Dispatched:
		said = "Transmis / Dispatched: "
	case Deleted:
		said = "Supprimé / Deleted: "
	}
	return strings.TrimRight(said+clip(strings.Join(strings.Fields(shown(printable(m.Subject))), " "), maxSubject), " ")
}

// human writes the text part: French, then English.
func (m MDN) human(b *bytes.Buffer) error {
	line(b, "Content-Type: text/plain; charset=utf-8")
	line(b, "Content-Transfer-Encoding: quoted-printable\r\n")
	french, english := m.sentences()
	if s := oneLine(m.French, 1000); s != "" {
		french = s
	}
	if s := oneLine(m.English, 1000); s != "" {
		english = s
	}
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n\nDestinataire : <%s>\n", french, m.Final)
	if m.failed() {
		fmt.Fprintf(&t, "Code : %d\n", int(m.Code))
	}
	fmt.Fprintf(&t, "\n----------\n\n%s\n\nRecipient: <%s>\n", english, m.Final)
	if m.failed() {
		fmt.Fprintf(&t, "Code: %d\n", int(m.Code))
	}
	q := quotedprintable.NewWriter(b)
	if _, err := q.Write([]byte(t.String())); err != nil {
		return err
	}
	return q.Close()
}

// sentences returns what a notification says of itself. RFC 8098 2.1: "displayed"
// is no promise that the letter was read or understood.
func (m MDN) sentences() (french, english string) {
	switch m.handling() {
	case Processed:
		if !m.failed() {
			return "Les documents joints à votre message ont été classés dans le dossier de leur destinataire.",
				"The documents attached to your message were filed in the record of their recipient."
		}
		_, french, english = m.Code.words()
		return "Les documents joints à votre message n'ont pas été classés. " + french,
			"The documents attached to your message were not filed. " + english
	case Dispatched:
		return "Votre message a été transmis à une autre boîte.", "Your message was passed on to another box."
	case Deleted:
		return "Votre message a été supprimé sans avoir été affiché.", "Your message was deleted without being displayed."
	}
	return "Votre message a été affiché à son destinataire. Rien ne garantit qu'il l'a lu ou compris.",
		"Your message was displayed to its recipient. There is no guarantee that it was read or understood."
}
