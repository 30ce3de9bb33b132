package letter

import (
	"bytes"
	"fmt"
	"mime/quotedprintable"
	"strings"
)

// human writes the text part: French, then English.
func (d DSN) human(b *bytes.Buffer) error {
	line(b, "Content-Type: text/plain; charset=utf-8")
	line(b, "Content-Transfer-Encoding: quoted-printable\r\n")
	_, french, english := d.words()
	host := hostName(d.Reporter)
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n\nCeci est un avis automatique du serveur %s ; il est inutile d'y répondre.\n", french, host)
	if !d.Arrival.IsZero() {
		fmt.Fprintf(&t, "Le message concerné nous est parvenu le %s.\n", d.Arrival.Format("02/01/2006 à 15:04 (-0700)"))
	}
	for _, r := range d.Recipients {
		text := oneLine(r.French, 1000)
		if text == "" {
			text = r.french()
		}
		fmt.Fprintf(&t, "\n<%s>\n%s\n", r.Final, text)
	}
	fmt.Fprintf(&t, "\n----------\n\n%s\n\nThis is an automatic notice from the server %s; there is no need to answer it.\n", english, host)
	if !d.Arrival.IsZero() {
		fmt.Fprintf(&t, "The message concerned reached us on %s.\n", d.Arrival.Format("2 January 2006 at 15:04 (-0700)"))
	}
	for _, r := range d.Recipients {
		text := oneLine(r.English, 1000)
		if text == "" {
			text = r.english()
		}
		fmt.Fprintf(&t, "\n<%s>\n%s\n", r.Final, text)
	}
	q := quotedprintable.NewWriter(b)
	if _, err := q.Write([]byte(t.String())); err != nil {
		return err
	}
	return q.Close()
}

// words returns the subject, in both languages, and the first sentence in each, by
// the gravest action.
func (d DSN) words() (subject, french, english string) {
	gravest := Delivered
	for _, r := range d.Recipients {
		switch a := r.action(); {
		case a == Failed, a == Delayed && gravest != Failed:
			gravest = a
		}
	}
	switch gravest {
	case Failed:
		return "Message non remis / Undelivered message",
			"Votre message n'a pas pu être remis à tous ses destinataires.",
			"Your message could not be delivered to all of its recipients."
	case Delayed:
		return "Message retardé / Delayed message",
			"Votre message n'a pas encore été remis à tous ses destinataires.",
			"Your message has not been delivered to all of its recipients yet."
	}
	return "Accusé de remise / Delivery report",
		"Votre message a été traité comme indiqué ci-dessous.",
		"Your message was handled as said below."
}

// french says what happened to a recipient and what to do.
func (r Recipient) french() string {
	switch r.action() {
	case Delayed:
		if r.RetryUntil.IsZero() {
			return "Le message n'a pas encore été remis. Nous continuons d'essayer ; vous n'avez rien à faire."
		}
		return "Le message n'a pas encore été remis. Nous essayons jusqu'au " +
			r.RetryUntil.Format("02/01/2006 à 15:04 (-0700)") + " ; vous n'avez rien à faire d'ici là."
	case Delivered:
		return "Le message a été déposé dans la boîte de ce destinataire."
	case Relayed:
		return "Le message a été transmis à un serveur qui n'enverra peut-être pas d'accusé de remise."
	case Expanded:
		return "Le message a été transmis aux membres de cette liste."
	}
	return "Le message n'a pas été remis et nous n'essaierons plus. " +
		"Vérifiez l'adresse, ou joignez cette personne par un autre moyen."
}

// english says the same in English.
func (r Recipient) english() string {
	switch r.action() {
	case Delayed:
		if r.RetryUntil.IsZero() {
			return "The message has not been delivered yet. We keep trying; there is nothing for you to do."
		}
		return "The message has not been delivered yet. We keep trying until " +
			r.RetryUntil.Format("2 January 2006 at 15:04 (-0700)") + "; there is nothing for you to do until then."
	case Delivered:
		return "The message was placed in the mailbox of this recipient."
	case Relayed:
		return "The message was passed on to a server that may send no delivery report."
	case Expanded:
		return "The message was passed on to the members of this list."
	}
	return "The message was not delivered and we will not try again. " +
		"Check the address, or reach this person in another way."
}
