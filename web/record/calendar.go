package record

import (
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/web/leaf"
)

// weekDay is a day of the week's view.
type weekDay struct {
	Name, Date string
	Today      bool
	Pills      []pill
}

// pill is an occurrence on a day.
type pill struct{ Href, Time, Title, Note, Kind string }

// weekday is the head of a column of the month's view.
type weekday struct{ Name, Short string }

// monthDay is a day of the month's view.
type monthDay struct {
	Number int
	// Month is the name of the month, for those who hear the page.
	Month      string
	Href       string
	Today, Off bool
	Pills      []pill
}

// mostPills is how many occurrences a day of the month's view shows; the week's view,
// a link away, shows all.
const mostPills = 4

// week shows the seven days around a day, Monday first.
func (b *book) week(day time.Time) calendarPage {
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	sunday := monday.AddDate(0, 0, 6)
	coming, cut := b.occurrences(monday, monday.AddDate(0, 0, 7))
	p := calendarPage{
		Ask: b.asking(), Tabs: b.tabs("week", day), Truncated: cut,
		Heading: b.v.T("cal.week.title", "From", b.v.Words.Short(b.v.Now, monday), "To", b.v.Words.Short(b.v.Now, sunday)),
		Before:  b.step("week", monday.AddDate(0, 0, -7), b.v.T("cal.week.before")),
		After:   b.step("week", monday.AddDate(0, 0, 7), b.v.T("cal.week.after")),
	}
	for i := range 7 {
		d := monday.AddDate(0, 0, i)
		name, date, _ := strings.Cut(b.v.Words.Weekday(d), " ")
		p.Days = append(p.Days, weekDay{
			Name: leaf.Capital(name), Date: date, Today: b.today(d), Pills: b.pills(coming, d, mostShown),
		})
	}
	return p
}

// month shows whole weeks around a month, and what takes place in it as a list.
func (b *book) month(day time.Time) calendarPage {
	first := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, day.Location())
	next := first.AddDate(0, 1, 0)
	start := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
	before, after := first.AddDate(0, -1, 0), next
	p := calendarPage{
		Ask: b.asking(), Tabs: b.tabs("month", day), Heading: b.v.Words.Month(first),
		Before: b.step("month", before, b.v.Words.Month(before)), After: b.step("month", after, b.v.Words.Month(after)),
	}
	for i := range 7 {
		name, _, _ := strings.Cut(b.v.Words.Weekday(start.AddDate(0, 0, i)), " ")
		short, _ := b.v.Words.Stamp(start.AddDate(0, 0, i))
		p.Weekdays = append(p.Weekdays, weekday{Name: name, Short: strings.ToLower(short)})
	}
	weeks := 0
	for d := start; d.Before(next); d = d.AddDate(0, 0, 7) {
		weeks++
	}
	coming, cut := b.occurrences(start, start.AddDate(0, 0, 7*weeks))
	p.Truncated = cut
	for w := range weeks {
		var row []monthDay
		for i := range 7 {
			row = append(row, b.monthDay(coming, start.AddDate(0, 0, 7*w+i), first.Month()))
		}
		p.Weeks = append(p.Weeks, row)
	}
	g := eventGroup{Head: p.Heading}
	for _, o := range coming {
		if o.from.Before(next) && (o.to.After(first) || !o.from.Before(first)) && len(g.Events) < mostShown {
			g.Events = append(g.Events, b.row(o, false))
		}
	}
	if len(g.Events) > 0 {
		p.Groups = []eventGroup{g}
	}
	return p
}

func (b *book) monthDay(coming []occurrence, d time.Time, month time.Month) monthDay {
	_, date, _ := strings.Cut(b.v.Words.Weekday(d), "\u00a0")
	return monthDay{
		Number: d.Day(), Month: date, Today: b.today(d), Off: d.Month() != month,
		Href: "/agenda?view=week&date=" + d.Format(time.DateOnly), Pills: b.pills(coming, d, mostPills),
	}
}

func (b *book) today(d time.Time) bool { return midnight(b.v.Now.In(b.v.Words.Zone)).Equal(d) }

func (b *book) step(view string, day time.Time, text string) leaf.Link {
	return leaf.Link{Href: "/agenda?view=" + view + "&date=" + day.Format(time.DateOnly), Text: text}
}

// pills are the occurrences on a day, at most a number of them.
func (b *book) pills(coming []occurrence, day time.Time, most int) []pill {
	var out []pill
	for _, o := range coming {
		if !o.touches(day) || len(out) == most {
			continue
		}
		w := b.v.Words
		p := pill{Href: eventPath(o.Event.ID), Title: leaf.EventTitle(w, o.Event)}
		switch {
		case o.Event.AllDay, o.from.Before(day):
			p.Time = w.T("event.all-day")
		default:
			p.Time = w.Clock(o.from)
		}
		switch o.Event.Status {
		case agenda.NeedsAction:
			p.Kind, p.Note = "ask", leaf.StatusTag(w, o.Event.Status).Text
		case agenda.Declined, agenda.Cancelled, agenda.Tentative:
			p.Kind, p.Note = "plan", leaf.StatusTag(w, o.Event.Status).Text
		case agenda.Accepted, agenda.Void:
		}
		out = append(out, p)
	}
	return out
}
