package xdm

import (
	"cmp"
	"strings"
	"time"
)

// The HL7 v2 data types inside metadata values: components parted by "^", their parts
// by "&". Nothing here fails: what cannot be read stays in the raw value.

// components splits a value. An ampersand that was escaped twice is one
// ampersand: real files have it (spec dmp 4.5).
func components(v string) []string {
	return strings.Split(strings.ReplaceAll(v, "&amp;", "&"), "^")
}

// at returns a component, "" when there are fewer.
func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// authority returns the OID of an assigning authority (HD): "name&OID&ISO".
func authority(hd string) string {
	parts := strings.Split(hd, "&")
	if len(parts) == 1 {
		return hd
	}
	return parts[1]
}

// parsePatient reads an identity (CX): "matricule^^^&OID&ISO^NH". Both halves have to
// be there; they are taken as they are, blanks included.
func parsePatient(cx string) Patient {
	parts := components(cx)
	p := Patient{OID: authority(at(parts, 3)), Matricule: parts[0]}
	if p.OID == "" || p.Matricule == "" {
		return Patient{}
	}
	return p
}

// insRoot is the arc of the INS identifiers (spec dmp 3).
const insRoot = "1.2.250.1.213.1.4."

func (p Patient) isINS() bool { return strings.HasPrefix(p.OID, insRoot) }

// parsePerson reads a person (XCN): "id^family^given^^^^^^&OID&ISO^…".
func parsePerson(xcn string) Person {
	parts := components(xcn)
	if len(parts) == 1 {
		return Person{Family: xcn, Raw: xcn}
	}
	family, _, _ := strings.Cut(at(parts, 1), "&")
	return Person{ID: parts[0], Family: family, Given: at(parts, 2), System: authority(at(parts, 8)), Raw: xcn}
}

// parseInstitution reads an organisation (XON): "name^^^^^&OID&ISO^IDNST^^^id".
func parseInstitution(xon string) Institution {
	parts := components(xon)
	return Institution{Name: parts[0], ID: at(parts, 9), System: authority(at(parts, 5)), Raw: xon}
}

// parseCodes reads roles and specialties: "code^label^system", or a text.
func parseCodes(values []string) []Code {
	var codes []Code
	for _, v := range values {
		parts := components(v)
		switch {
		case v == "":
		case len(parts) == 1:
			codes = append(codes, Code{Display: v})
		default:
			codes = append(codes, Code{Code: parts[0], Display: at(parts, 1), System: authority(at(parts, 2))})
		}
	}
	return codes
}

// parseTime reads an HL7 DTM of 4 to 14 digits. Metadata are in UTC; an offset that
// some writers add all the same is honoured.
func parseTime(v string) Time {
	t := Time{Raw: v}
	digits, zone := v, ""
	if i := strings.IndexAny(v, "+-"); i > 0 {
		digits, zone = v[:i], v[i:]
	}
	digits, _, _ = strings.Cut(digits, ".")
	const layout = "20060102150405"
	if len(digits) < 4 || len(digits) > len(layout) || len(digits)%2 != 0 {
		return t
	}
	form := layout[:len(digits)]
	if zone != "" {
		form, digits = form+"-0700", digits+zone
	}
	if at, err := time.Parse(form, digits); err == nil {
		t.At = at.UTC()
	}
	return t
}

// parseSourcePatient reads the "PID-n|value" lines of sourcePatientInfo.
func parseSourcePatient(lines []string) SourcePatient {
	s := SourcePatient{Raw: lines}
	for _, line := range lines {
		field, value, ok := strings.Cut(line, "|")
		if !ok || value == "" {
			continue
		}
		switch field {
		case "PID-3":
			if s.Patient.IsZero() {
				s.Patient = parsePatient(value)
			}
		case "PID-5":
			for name := range strings.SplitSeq(value, "~") {
				s.takeName(components(name))
			}
		case "PID-7":
			if born := parseTime(value); len(value) >= 8 && !born.At.IsZero() {
				s.BirthDate = value[:4] + "-" + value[4:6] + "-" + value[6:8]
			}
		case "PID-8":
			s.Sex = strings.ToUpper(value)
		}
	}
	return s
}

// takeName keeps the first name, or the legal one (XPN component 7 "L"), which is the
// birth name in France.
func (s *SourcePatient) takeName(parts []string) {
	if s.Family == "" && s.Given == "" || at(parts, 6) == "L" {
		s.Family, _, _ = strings.Cut(parts[0], "&")
		s.Given = at(parts, 1)
	}
}

// cx writes an identity (spec dmp 3: identifier type NH).
func (p Patient) cx() string {
	return plain(p.Matricule) + "^^^&" + plain(p.OID) + "&ISO^NH"
}

// nationalPerson is the OID of the professionals' identifiers (PS_IdNat).
const nationalPerson = "1.2.250.1.71.4.2.1"

func (p Person) xcn() string {
	switch {
	case p.Raw != "" || p == Person{}:
		return p.Raw
	case p.ID == "" && p.Given == "":
		return plain(p.Family)
	}
	v := plain(p.ID) + "^" + plain(p.Family) + "^" + plain(p.Given)
	if p.System != "" {
		v += "^^^^^^&" + plain(p.System) + "&ISO^D"
		if p.System == nationalPerson {
			v += "^^^IDNPS"
		}
	}
	return v
}

func (i Institution) xon() string {
	if i.Raw != "" || i.ID == "" {
		return cmp.Or(i.Raw, plain(i.Name))
	}
	return plain(i.Name) + "^^^^^&" + plain(i.System) + "&ISO^IDNST^^^" + plain(i.ID)
}

func (c Code) text() string {
	if c.Code == "" {
		return plain(c.Display)
	}
	return plain(c.Code) + "^" + plain(c.Display) + "^" + plain(c.System)
}

// plain takes the separators of HL7 v2 out of a text.
func plain(s string) string {
	return strings.NewReplacer("^", " ", "&", " ", "~", " ", "|", " ").Replace(s)
}

// stamp writes a time as metadata have it: UTC without offset.
func stamp(t Time) string {
	if t.At.IsZero() {
		return t.Raw
	}
	return t.At.UTC().Format("20060102150405")
}

// lines writes sourcePatientInfo, as it was read or from what is known.
func (s SourcePatient) lines() []string {
	if len(s.Raw) > 0 {
		return s.Raw
	}
	var lines []string
	if !s.Patient.IsZero() {
		lines = append(lines, "PID-3|"+s.Patient.cx())
	}
	if s.Family != "" || s.Given != "" {
		lines = append(lines, "PID-5|"+plain(s.Family)+"^"+plain(s.Given)+"^^^^^L")
	}
	if s.BirthDate != "" {
		lines = append(lines, "PID-7|"+strings.ReplaceAll(s.BirthDate, "-", ""))
	}
	if s.Sex != "" {
		lines = append(lines, "PID-8|"+plain(s.Sex))
	}
	return lines
}
