package agenda

import (
	"fmt"
	"strings"
	"time"
)

// words returns the subject and the text of a letter, in French, then in English.
// The subject tells when, never what: subjects travel further than bodies (spec dmp
// 8.1.10).
func (l *Letter) words() (subject, body string) {
	french, english := l.when()
	act := map[string][2]string{
		string(Accepted):  {"Accepté", "Accepted"},
		string(Declined):  {"Refusé", "Declined"},
		string(Tentative): {"Peut-être", "Tentative"},
		Request:           {"Invitation", "Invitation"},
		Cancel:            {"Annulation", "Cancelled"},
	}
	said := act[l.Method]
	if l.Method == Answers {
		said = act[string(l.Status)]
	}
	subject = said[0] + " : rendez-vous " + french
	var b strings.Builder
	for _, part := range []struct{ opening, when, place string }{
		{l.opening(true), l.article(french), "Lieu : "},
		{l.opening(false), english, "Place: "},
	} {
		if b.Len() > 0 {
			b.WriteString("\n----------\n\n")
		}
		fmt.Fprintf(&b, "%s\n", fmt.Sprintf(part.opening, part.when))
		if l.Method == Answers {
			continue
		}
		b.WriteString("\n")
		if s := line(l.Event.Summary, maxTitle); s != "" {
			fmt.Fprintf(&b, "%s\n", s)
		}
		if s := line(l.Event.Location, maxPlace); s != "" {
			fmt.Fprintf(&b, "%s%s\n", part.place, s)
		}
		if s := plain(l.Event.Description, DefaultLimits().Text); s != "" {
			fmt.Fprintf(&b, "\n%s\n", s)
		}
	}
	return subject, b.String()
}

// article puts "un rendez-vous le…" for "le rendez-vous du…".
func (l *Letter) article(french string) string {
	if date, found := strings.CutPrefix(french, "du "); found && l.Method == Request {
		return "le " + date
	}
	return french
}

// opening returns the first sentence, with a place for when.
func (l *Letter) opening(french bool) string {
	name := line(l.FromName, maxName)
	if name == "" {
		name = l.From.String()
	}
	name = strings.ReplaceAll(name, "%", "%%")
	verbs := map[string][2]string{
		string(Accepted):  {" accepte le rendez-vous %s.", " accepts the appointment %s."},
		string(Declined):  {" n'accepte pas le rendez-vous %s.", " declines the appointment %s."},
		string(Tentative): {" viendra peut-être au rendez-vous %s.", " may come to the appointment %s."},
		Request:           {" vous propose un rendez-vous %s. Vous pouvez répondre depuis votre agenda.", " invites you to an appointment %s. You can answer from your agenda."},
		Cancel:            {" annule le rendez-vous %s.", " cancels the appointment %s."},
	}
	verb := verbs[l.Method]
	if l.Method == Answers {
		verb = verbs[string(l.Status)]
	}
	if french {
		return name + verb[0]
	}
	return name + verb[1]
}

// when tells the event's start in words. A time without a known zone is told as it
// is written.
func (l *Letter) when() (french, english string) {
	e := &l.Event
	t := e.Start
	if t.IsZero() {
		return "proposé", "proposed"
	}
	days := strings.Fields("dimanche lundi mardi mercredi jeudi vendredi samedi")
	months := strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre")
	if l.Zone != nil && !e.AllDay && !e.Floating {
		t = t.In(l.Zone)
	}
	day := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	french = fmt.Sprintf("du %s %s %s %d", days[t.Weekday()], day, months[t.Month()-1], t.Year())
	english = t.Format("on Monday 2 January 2006")
	if e.AllDay {
		return french, english
	}
	clock := t.Format("15:04")
	if !e.Floating {
		if t.Location() == time.UTC {
			clock += " UTC"
		} else {
			clock = t.Format("15:04 (-0700)")
		}
	}
	return french + " à " + clock, english + " at " + clock
}
