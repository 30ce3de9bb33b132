package cda

import (
	"strings"
	"time"
)

// time reads the value of a TS. What cannot be read keeps its raw form.
func (p *parser) time(n *node) Time {
	raw := tidy(n.attr("value"))
	if n.attr("nullFlavor") != "" || raw == "" {
		return Time{}
	}
	return parseTime(raw, p.limits.Zone)
}

// parseTime reads YYYY[MM[DD[HH[MM[SS[.fraction]]]]]][+ZZZZ].
func parseTime(raw string, zone *time.Location) Time {
	t := Time{Raw: raw}
	value, offset := raw, ""
	if i := strings.IndexAny(raw, "+-"); i >= 0 {
		value, offset = raw[:i], raw[i:]
	}
	value, _, _ = strings.Cut(value, ".")
	const layout = "20060102150405"
	if len(value) < 4 || len(value) > len(layout) || len(value)%2 != 0 {
		return t
	}
	var at time.Time
	var err error
	if offset == "" || len(value) <= 8 { // a day has no offset of its own
		at, err = time.ParseInLocation(layout[:len(value)], value, zone)
	} else {
		at, err = time.Parse(layout[:len(value)]+"-0700", value+offset)
	}
	if err != nil {
		return t
	}
	t.Time, t.Digits = at, len(value)
	return t
}

// birthDate returns YYYY-MM-DD of a birthTime: the date as written, whatever its offset.
// 00 stands for a month or day that the registry does not know.
func birthDate(raw string) string {
	raw = tidy(raw)
	if len(raw) < 8 || strings.Trim(raw[:8], "0123456789") != "" {
		return ""
	}
	year, month, day := raw[:4], raw[4:6], raw[6:8]
	if month > "12" || day > "31" || year == "0000" {
		return ""
	}
	return year + "-" + month + "-" + day
}
