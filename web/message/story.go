package message

import (
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// storyPage is what became of a sent letter.
type storyPage struct {
	At         time.Time
	Recipients []recipientStory
}

type recipientStory struct {
	Name   string
	Status leaf.Tag
	// Why is the word key of what to do after a refusal, empty for none.
	Why   string
	Items []leaf.Step
}

// storyFacts are the facts of a sent letter: what outside programs build on.
type storyFacts struct {
	At         string           `json:"at"`
	Recipients []recipientFacts `json:"recipients"`
}

type recipientFacts struct {
	Recipient string       `json:"recipient"`
	Status    string       `json:"status"`
	Facts     []factOfMail `json:"facts"`
}

type factOfMail struct {
	Fact     string `json:"fact"`
	At       string `json:"at"`
	Evidence string `json:"evidence"`
	Code     string `json:"code,omitempty"`
}

// newStory makes the page and the facts of a story. name says how the sender knows a
// recipient: a patient sees names, never addresses.
func newStory(v *ui.Visit, s outcome.Story, name func(outcome.Chapter) string) (storyPage, storyFacts) {
	p := storyPage{At: s.At}
	f := storyFacts{At: v.Words.Machine(s.At), Recipients: make([]recipientFacts, 0, len(s.Chapters))}
	for _, c := range s.Chapters {
		r := recipientStory{Name: nameOr(v, name(c)), Status: statusTag(v, c.State)}
		facts := recipientFacts{Recipient: r.Name, Status: string(c.State.What), Facts: make([]factOfMail, 0, len(c.Facts))}
		for _, fact := range c.Facts {
			r.Items = append(r.Items, step(v, fact))
			facts.Facts = append(facts.Facts, factOfMail{
				Fact: string(fact.What), At: v.Words.Machine(fact.At), Evidence: evidence(fact.Evidence), Code: fact.Code,
			})
		}
		if c.State.Failed() {
			r.Why = whyKey(c.State)
		} else if waits(c.State.What) {
			r.Items = append(r.Items, leaf.Step{Icon: "letter-open", What: v.T("out.next.read"), When: v.T("out.next.when"), Kind: "next"})
		}
		p.Recipients = append(p.Recipients, r)
		f.Recipients = append(f.Recipients, facts)
	}
	return p, f
}

// waits reports whether reading is still to come.
func waits(w outcome.What) bool {
	switch w {
	case outcome.Accepted, outcome.Held, outcome.Relayed, outcome.Delivered, outcome.Noticed:
		return true
	case outcome.Expired, outcome.Refused, outcome.Read, outcome.Filed, outcome.Integrated, outcome.Answered:
	}
	return false
}

func step(v *ui.Visit, f outcome.Fact) leaf.Step {
	s := leaf.Step{
		Icon: factIcon(f.What), What: v.T("out.what." + string(f.What)),
		When: v.T("msg.day-at", "Day", v.Words.Weekday(f.At), "Clock", v.Words.Clock(f.At)),
	}
	if f.What == outcome.Refused || f.What == outcome.Expired {
		s.Kind = "bad"
	}
	if key := "out.proof." + f.Evidence.Source; v.Words.Has(key) {
		s.Proof = v.T(key)
	}
	return s
}

func statusTag(v *ui.Visit, s outcome.State) leaf.Tag {
	t := leaf.Tag{Text: v.T("out.what." + string(s.What)), Icon: factIcon(s.What), Kind: "info", Wrap: true}
	switch {
	case s.Failed():
		t.Kind = "bad"
	case s.What == outcome.Held:
		t.Kind = "warn"
	case !waits(s.What), s.What == outcome.Delivered:
		t.Kind = "good"
	}
	return t
}

func factIcon(w outcome.What) string {
	switch w {
	case outcome.Accepted:
		return "check"
	case outcome.Held:
		return "clock"
	case outcome.Relayed:
		return "send"
	case outcome.Delivered:
		return "letter"
	case outcome.Noticed:
		return "bell"
	case outcome.Read:
		return "letter-open"
	case outcome.Filed, outcome.Integrated:
		return "folder"
	case outcome.Answered:
		return "reply"
	case outcome.Expired, outcome.Refused:
	}
	return "stop"
}

// whyKey chooses the sentence for a failure by its code: an enhanced status code
// (RFC 3463), an integration code of three digits (spec mssante 6.10) or a reason id.
func whyKey(s outcome.State) string {
	code := s.Code
	switch {
	case s.What == outcome.Expired || strings.HasPrefix(code, "4."):
		return "out.why.later"
	case code == "5.2.2" || code == "box-full" || code == "letters-limit":
		return "out.why.full"
	case code == "5.3.4" || code == "5.2.3" || code == "letter-too-large":
		return "out.why.size"
	case strings.HasPrefix(code, "5.1.") || strings.HasPrefix(code, "5.2.") || strings.HasPrefix(code, "box-"):
		return "out.why.box"
	case len(code) == 3 && strings.Trim(code, "0123456789") == "":
		return "out.why.software"
	}
	return "out.why.other"
}

// evidence tells how a fact is known, for programs. What a server said may quote an
// address; those words are left out.
func evidence(e outcome.Evidence) string {
	var words []string
	for word := range strings.FieldsSeq(e.Source + " " + e.Peer + " " + e.Text) {
		if !strings.Contains(word, "@") && len(word) <= 200 {
			words = append(words, tame(word))
		}
	}
	return strings.Join(words, " ")
}
