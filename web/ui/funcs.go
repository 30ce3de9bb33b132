package ui

import (
	"errors"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// funcs are what templates may call; those that say something are bound to one
// language.
func (k *Kit) funcs(w *Words) template.FuncMap {
	return template.FuncMap{
		"t":      w.T,
		"rich":   w.Rich,
		"number": w.Number,
		"size":   w.Size,
		// Dates: full "20 novembre 2026", day with its name, month "Novembre 2026",
		// clock "9 h 12"; when, short, moment and dayhead know today.
		"date": w.Date, "day": w.Day, "weekday": w.Weekday, "month": w.Month, "clock": w.Clock, "monthshort": w.MonthShort,
		"when": w.When, "short": w.Short, "moment": w.Moment, "dayhead": w.DayHead,
		"machine":  w.Machine,
		"dayno":    func(t time.Time) int { return t.In(w.Zone).Day() },
		"stamp":    func(t time.Time) map[string]string { return stamp(w, t) },
		"icon":     k.icon,
		"asset":    k.assets.url,
		"initials": Initials,
		"dict":     dict,
		"list":     func(items ...any) []any { return items },
	}
}

// icon draws an icon of icons.svg, named with or without "i-"; a size "s" is the
// small one.
func (k *Kit) icon(name string, size ...string) (template.HTML, error) {
	icons, err := k.assets.url("icons.svg")
	if err != nil {
		return "", err
	}
	name = strings.TrimPrefix(name, "i-")
	if !k.assets.icons[name] {
		return "", fmt.Errorf("no icon %q", name)
	}
	class := "ic"
	for _, s := range size {
		class += " ic--" + template.HTMLEscapeString(s)
	}
	return template.HTML(fmt.Sprintf( // ours; the name is escaped
		`<svg class="%s" aria-hidden="true" focusable="false"><use href="%s#i-%s"/></svg>`,
		class, icons, template.HTMLEscapeString(name))), nil
}

func stamp(w *Words, t time.Time) map[string]string {
	day, month := w.Stamp(t)
	return map[string]string{"Day": day, "Number": fmt.Sprint(t.In(w.Zone).Day()), "Month": month, "Label": capital(w.Day(t))}
}

// Initials returns the two letters that stand for a person: of the first and the
// last word that begin with a letter, titles left out.
func Initials(name string) string {
	var letters []string
	for word := range strings.FieldsSeq(name) {
		switch strings.ToLower(strings.TrimRight(word, ".")) {
		case "dr", "pr", "m", "mme", "mr", "mrs", "ms":
			continue
		}
		if r, _ := utf8.DecodeRuneInString(word); unicode.IsLetter(r) {
			letters = append(letters, strings.ToUpper(string(r)))
		}
	}
	switch len(letters) {
	case 0:
		return "·"
	case 1:
		return letters[0]
	}
	return letters[0] + letters[len(letters)-1]
}

// dict makes the argument of a part: pairs of a name and a value.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a name without a value")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, isName := pairs[i].(string)
		if !isName {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// cutAny cuts at whichever separator comes first.
func cutAny(s string, seps ...string) (before, after string, found bool) {
	at, length := len(s), 0
	for _, sep := range seps {
		if i := strings.Index(s, sep); i >= 0 && i < at {
			at, length = i, len(sep)
		}
	}
	if length == 0 {
		return s, "", false
	}
	return s[:at], s[at+length:], true
}
