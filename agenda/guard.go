package agenda

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/vaguemestre/vaguemestre/fault"
)

// guard stands between a stranger's octets and the library's decoder, which has no
// limit, copies parameters octet by octet and panics where a line ends early. It
// unfolds the lines, counts what there is, drops every component, property and
// parameter that is not read here (alarms, attachments, styled texts, whatever they
// name or hold), and writes the rest in a plain form.
type guard struct {
	limits     Limits
	out        strings.Builder
	stack      []frame
	lines      int
	components int
	events     int
	calendars  int
}

// frame is an open component.
type frame struct {
	name string
	// kept says that the component is passed on.
	kept  bool
	props int
}

// errMalformed is what is no calendar.
func errMalformed(cause string) error {
	return fault.Newf(fault.Invalid, "calendar-malformed", "%s", cause)
}

// filter returns the part of a calendar that is read here. Faults, all Invalid:
// "calendar-malformed", "calendar-too-large", "calendar-too-deep",
// "calendar-too-many-components", "calendar-too-many-events",
// "calendar-too-many-properties".
func (g *guard) filter(data string) (string, error) {
	if len(data) > g.limits.Size {
		return "", fault.New(fault.Invalid, "calendar-too-large")
	}
	data = strings.TrimPrefix(text(data), "\uFEFF")
	if strings.Contains(data, "\x00") {
		return "", errMalformed("a NUL")
	}
	var logical []byte
	for physical := range strings.SplitSeq(data, "\n") {
		if g.lines++; g.lines > g.limits.Lines {
			return "", fault.New(fault.Invalid, "calendar-too-large")
		}
		physical = strings.TrimSuffix(physical, "\r")
		if physical == "" {
			continue
		}
		if physical[0] == ' ' || physical[0] == '\t' { // RFC 5545 3.1: folded
			logical = append(logical, physical[1:]...)
			continue
		}
		if err := g.line(string(logical)); err != nil {
			return "", err
		}
		logical = append(logical[:0], physical...)
	}
	if err := g.line(string(logical)); err != nil {
		return "", err
	}
	if len(g.stack) > 0 || g.calendars == 0 {
		return "", errMalformed("no whole VCALENDAR")
	}
	return g.out.String(), nil
}

// text returns octets as UTF-8. What is no UTF-8 is read as windows-1252, which is
// what old clients send without saying so.
func text(data string) string {
	if utf8.ValidString(data) {
		return data
	}
	out, err := charmap.Windows1252.NewDecoder().String(data)
	if err != nil {
		return strings.ToValidUTF8(data, "\uFFFD")
	}
	return out
}

// line takes one unfolded line.
func (g *guard) line(s string) error {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	name, rest := splitName(s)
	switch name {
	case "BEGIN":
		return g.begin(component(rest))
	case "END":
		return g.end(component(rest))
	}
	if len(g.stack) == 0 {
		return errMalformed("a line outside the calendar")
	}
	top := &g.stack[len(g.stack)-1]
	if !top.kept || !readProperty(top.name, name) {
		return nil
	}
	if top.props++; top.props > g.limits.Properties {
		return fault.New(fault.Invalid, "calendar-too-many-properties")
	}
	l, ok := parseLine(name, controls(rest), readParam)
	if !ok {
		return errMalformed("a property without a value")
	}
	if prose(name) {
		l.value = cut(l.value, 2*g.limits.Text)
	}
	if len(l.value) > maxValue && !prose(name) {
		return fault.New(fault.Invalid, "calendar-too-large")
	}
	l.write(&g.out)
	return nil
}

// component returns the name in a BEGIN or END line.
func component(rest string) string {
	i := strings.LastIndexByte(rest, ':')
	return strings.ToUpper(strings.TrimSpace(rest[i+1:]))
}

// begin opens a component.
func (g *guard) begin(name string) error {
	if g.components++; g.components > g.limits.Components {
		return fault.New(fault.Invalid, "calendar-too-many-components")
	}
	if len(g.stack) >= g.limits.Depth {
		return fault.New(fault.Invalid, "calendar-too-deep")
	}
	kept := false
	switch {
	case len(g.stack) == 0:
		if name != "VCALENDAR" {
			return errMalformed("no VCALENDAR")
		}
		g.calendars++
		kept = g.calendars == 1
	default:
		top := g.stack[len(g.stack)-1]
		kept = top.kept && readComponent(top.name, name)
	}
	if kept && name == "VEVENT" {
		if g.events++; g.events > g.limits.Events {
			return fault.New(fault.Invalid, "calendar-too-many-events")
		}
	}
	if kept {
		g.out.WriteString("BEGIN:" + name + "\r\n")
	}
	g.stack = append(g.stack, frame{name: name, kept: kept})
	return nil
}

// end closes the innermost component.
func (g *guard) end(name string) error {
	if len(g.stack) == 0 || g.stack[len(g.stack)-1].name != name {
		return errMalformed("END of what is not open")
	}
	if g.stack[len(g.stack)-1].kept {
		g.out.WriteString("END:" + name + "\r\n")
	}
	g.stack = g.stack[:len(g.stack)-1]
	return nil
}

// controls drops the control characters that no line may hold (RFC 5545 3.1); a tab
// becomes a space.
func controls(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7F:
			return -1
		}
		return r
	}, s)
}

// readComponent reports whether a component is read inside another.
func readComponent(outer, name string) bool {
	switch outer {
	case "VCALENDAR":
		return name == "VEVENT" || name == "VTIMEZONE"
	case "VTIMEZONE":
		return name == "STANDARD" || name == "DAYLIGHT"
	}
	return false
}

// readProperty reports whether a property of a component is read.
func readProperty(component, name string) bool {
	switch component {
	case "VCALENDAR":
		return name == "METHOD"
	case "VTIMEZONE":
		return name == "TZID"
	case "STANDARD", "DAYLIGHT":
		switch name {
		case "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE":
			return true
		}
	case "VEVENT":
		switch name {
		case "UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "SUMMARY", "LOCATION", "DESCRIPTION",
			"ORGANIZER", "ATTENDEE", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "STATUS":
			return true
		}
	}
	return false
}

// prose reports whether a property is text for people, which is cut where another
// would be refused.
func prose(name string) bool {
	return name == "SUMMARY" || name == "LOCATION" || name == "DESCRIPTION"
}

// readParam reports whether a parameter is read.
func readParam(name string) bool {
	switch name {
	case "TZID", "VALUE", "CN", "PARTSTAT", "SENT-BY", "RANGE":
		return true
	}
	return false
}
