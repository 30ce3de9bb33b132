package ui

import (
	"strconv"
	"strings"
	"time"
)

// nbsp keeps a number and its word on one line.
const nbsp = "\u00a0"

// Date writes a day in full, without its name: "20 novembre 2026".
func (w *Words) Date(t time.Time) string {
	t = t.In(w.Zone)
	return w.dayOfMonth(t) + nbsp + w.months[t.Month()-1] + nbsp + strconv.Itoa(t.Year())
}

// Day writes a day in full with its name: "vendredi 20 novembre 2026".
func (w *Words) Day(t time.Time) string { return w.days[t.In(w.Zone).Weekday()] + " " + w.Date(t) }

// Weekday writes the name of a day and its date without the year: "vendredi 20 novembre".
func (w *Words) Weekday(t time.Time) string {
	t = t.In(w.Zone)
	return w.days[t.Weekday()] + " " + w.dayOfMonth(t) + nbsp + w.months[t.Month()-1]
}

// DayName writes the name of a day, as the beginning of a line: "Vendredi".
func (w *Words) DayName(t time.Time) string { return capital(w.days[t.In(w.Zone).Weekday()]) }

// Short writes a day in little room: "20 nov.", with its year when that is not now's.
func (w *Words) Short(now, t time.Time) string {
	now, t = now.In(w.Zone), t.In(w.Zone)
	text := w.dayOfMonth(t) + nbsp + w.MonthShort(t)
	if t.Year() != now.Year() {
		text += nbsp + strconv.Itoa(t.Year())
	}
	return text
}

// MonthShort writes a month in little room: "nov.".
func (w *Words) MonthShort(t time.Time) string { return w.months[12+t.In(w.Zone).Month()-1] }

// Month writes a month and its year, as a heading: "Novembre 2026".
func (w *Words) Month(t time.Time) string {
	t = t.In(w.Zone)
	return capital(w.months[t.Month()-1]) + nbsp + strconv.Itoa(t.Year())
}

// Clock writes the hour: "9 h 12", "8 h"; in English "09:12".
func (w *Words) Clock(t time.Time) string {
	t = t.In(w.Zone)
	switch {
	case w.Lang == English:
		return t.Format("15:04")
	case t.Minute() == 0:
		return strconv.Itoa(t.Hour()) + nbsp + "h"
	}
	return strconv.Itoa(t.Hour()) + nbsp + "h" + nbsp + t.Format("04")
}

// When writes a moment for a list: the hour for today, "hier", else the short day.
func (w *Words) When(now, t time.Time) string {
	switch w.daysBefore(now, t) {
	case 0:
		return w.Clock(t)
	case 1:
		return w.T("date.yesterday")
	}
	return w.Short(now, t)
}

// Moment writes a moment in a sentence: "aujourd’hui à 9 h 12", "hier à 18 h 40",
// "le 14 novembre à 20 h 15".
func (w *Words) Moment(now, t time.Time) string {
	args := []any{"Clock", w.Clock(t)}
	switch w.daysBefore(now, t) {
	case 0:
		return w.T("date.today-at", args...)
	case 1:
		return w.T("date.yesterday-at", args...)
	}
	return w.T("date.day-at", append(args, "Day", w.in(now, t))...)
}

// in writes a day without its year when that is now's.
func (w *Words) in(now, t time.Time) string {
	now, t = now.In(w.Zone), t.In(w.Zone)
	if t.Year() == now.Year() {
		return w.dayOfMonth(t) + nbsp + w.months[t.Month()-1]
	}
	return w.Date(t)
}

// DayHead writes the heading of a day in a list: "Aujourd’hui", "Hier", "Jeudi 19
// novembre", with the year when that is not now's.
func (w *Words) DayHead(now, t time.Time) string {
	switch w.daysBefore(now, t) {
	case 0:
		return capital(w.T("date.today"))
	case 1:
		return capital(w.T("date.yesterday"))
	}
	return capital(w.days[t.In(w.Zone).Weekday()] + " " + w.in(now, t))
}

// Stamp writes the two words of a postmark: "VEN." and "NOV.".
func (w *Words) Stamp(t time.Time) (day, month string) {
	t = t.In(w.Zone)
	return strings.ToUpper(w.days[7+t.Weekday()]), strings.ToUpper(w.MonthShort(t))
}

// Machine writes a moment for <time datetime>: RFC 3339 in the readers' zone.
func (w *Words) Machine(t time.Time) string { return t.In(w.Zone).Format(time.RFC3339) }

// dayOfMonth writes the number of a day; French has an ordinal for the first.
func (w *Words) dayOfMonth(t time.Time) string {
	if t.Day() == 1 && w.Lang == French {
		return "1er"
	}
	return strconv.Itoa(t.Day())
}

// daysBefore counts the calendar days from t to now; -1 for what is to come.
func (w *Words) daysBefore(now, t time.Time) int {
	now, t = now.In(w.Zone), t.In(w.Zone)
	noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	days := int(noon(now).Sub(noon(t)) / (24 * time.Hour))
	if days < 0 {
		return -1
	}
	return days
}

// capital writes the first letter as a capital.
func capital(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}
