package ui

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

// The languages of the service, the first one being what a stranger gets.
const (
	French  = "fr"
	English = "en"
)

// Languages returns every language there is a catalogue for.
func Languages() []string { return []string{French, English} }

// Words says things in one language. It is safe for concurrent use.
type Words struct {
	// Lang is "fr" or "en".
	Lang string
	// Zone is where the readers live: every date and hour is told in it.
	Zone *time.Location

	keys      map[string]bool
	localizer *i18n.Localizer
	months    []string // twelve names, and twelve short ones
	days      []string // seven names, Sunday first, and seven short ones
}

// catalogue reads the words of all rooms, one Words per language.
func catalogue(rooms []fs.FS, zone *time.Location) (map[string]*Words, error) {
	bundle := i18n.NewBundle(language.French)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	all := make(map[string]*Words)
	for _, lang := range Languages() {
		w := &Words{Lang: lang, Zone: zone, keys: make(map[string]bool), localizer: i18n.NewLocalizer(bundle, lang)}
		for _, room := range rooms {
			file, err := bundle.LoadMessageFileFS(room, lang+".toml")
			if err != nil {
				return nil, fmt.Errorf("words %s: %w", lang, err)
			}
			for _, m := range file.Messages {
				if w.keys[m.ID] {
					return nil, fmt.Errorf("words %s: %q is said twice", lang, m.ID)
				}
				w.keys[m.ID] = true
			}
		}
		all[lang] = w
	}
	for _, w := range all {
		w.months = append(strings.Fields(w.T("date.months")), strings.Fields(w.T("date.months-short"))...)
		w.days = append(strings.Fields(w.T("date.days")), strings.Fields(w.T("date.days-short"))...)
		if len(w.months) != 24 || len(w.days) != 14 {
			return nil, fmt.Errorf("words %s: a year has 12 months and a week 7 days", w.Lang)
		}
	}
	return all, nil
}

// Has reports whether the catalogue has a key.
func (w *Words) Has(key string) bool { return w.keys[key] }

// Keys returns every key, sorted.
func (w *Words) Keys() []string { return slices.Sorted(maps.Keys(w.keys)) }

// T says a key. The arguments are pairs of a name and a value, for {{.Name}} in the
// catalogue; one that is named Count (an int) chooses singular or plural. A key
// that no catalogue has is answered as it is: a test holds that none is asked for.
func (w *Words) T(key string, args ...any) string { return w.say(key, args, fmt.Sprint) }

// Rich is T for a text of the catalogue that has HTML in it, such as <strong>. The
// arguments are escaped.
func (w *Words) Rich(key string, args ...any) template.HTML {
	return template.HTML(w.say(key, args, func(v ...any) string { // ours, and the arguments are escaped
		if safe, ok := v[0].(template.HTML); ok {
			return string(safe)
		}
		return template.HTMLEscapeString(fmt.Sprint(v...))
	}))
}

func (w *Words) say(key string, args []any, show func(...any) string) string {
	data := make(map[string]any, len(args)/2)
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: data}
	for i := 0; i+1 < len(args); i += 2 {
		name := fmt.Sprint(args[i])
		switch n, whole := args[i+1].(int); {
		case whole:
			data[name] = w.Number(int64(n))
			if name == "Count" {
				config.PluralCount = n
			}
		default:
			data[name] = show(args[i+1])
		}
	}
	text, err := w.localizer.Localize(config)
	if err != nil && config.PluralCount != nil {
		config.PluralCount = 2 // a language that has one more form for millions
		text, err = w.localizer.Localize(config)
	}
	if err != nil {
		return key
	}
	return w.typeset(text)
}

// typeset keeps French marks on the line of their word: a no-break space stands before
// : ; ? ! and inside « ».
func (w *Words) typeset(text string) string {
	if w.Lang != French {
		return text
	}
	return strings.NewReplacer(
		" :", nbsp+":", " ;", nbsp+";", " ?", nbsp+"?", " !", nbsp+"!", "« ", "«"+nbsp, " »", nbsp+"»",
	).Replace(text)
}

// Number writes a whole number, its digits in groups of three.
func (w *Words) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = digits[:1], digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && len(digits) > 4 {
			b.WriteString(w.group())
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// group stands between thousands, point before decimals.
func (w *Words) group() string {
	if w.Lang == English {
		return ","
	}
	return "\u202f"
}

// Size writes a number of octets for people: "212 Ko", "1,4 Mo".
func (w *Words) Size(octets int64) string {
	const nbsp = "\u00a0"
	switch {
	case octets < 1000:
		return w.Number(octets) + nbsp + w.T("size.octets")
	case octets < 999_500:
		return w.Number((octets+500)/1000) + nbsp + w.T("size.kilo")
	default:
		tenth := strconv.FormatFloat(float64(octets)/1e6, 'f', 1, 64)
		if w.Lang == French {
			tenth = strings.Replace(tenth, ".", ",", 1)
		}
		return tenth + nbsp + w.T("size.mega")
	}
}
