package dmp

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Bounds of what a record holds, so that a page of a list has one too.
const (
	// maxText is the longest text, in octets; longer ones are cut.
	maxText = 2 << 10
	// maxList is how many entries a list has; the others are left out.
	maxList = 32
	// MaxReplaces is how many documents one document replaces.
	MaxReplaces = 16
	// maxRecord is the largest metadata before sealing, in octets. Only lists of long
	// texts reach it.
	maxRecord = 64 << 10
)

// warningCut is the warning of a document whose metadata were cut to our bounds.
const warningCut = "metadata-cut"

// prepared returns the metadata within bounds, in the forms that are compared, with
// class and category. It changes nothing that the caller shares.
func (d Document) prepared() (Document, error) {
	d.UniqueID = cleanID(d.UniqueID)
	switch {
	case d.UniqueID == "":
		return d, fault.New(fault.Invalid, "document-id-missing")
	case len(d.UniqueID) > MaxUniqueID || len(d.EntryUUID) > MaxUniqueID:
		return d, fault.New(fault.Invalid, "document-id-too-long")
	}
	names, err := cleanNames(d.Replaces)
	if err != nil {
		return d, err
	}
	d.Replaces = names
	d.cut()
	known, ok := Classify(d.Type.Code)
	if d.Class.Code == "" && ok {
		d.Class = known.Class
	}
	if d.Category == "" {
		d.Category = known.Category
		if !ok {
			d.Category = categoryOfClass(d.Class.Code)
		}
	}
	return d, nil
}

// cleanNames returns the names of replaced documents, each once.
func cleanNames(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		name = cleanID(name)
		switch {
		case name == "" || slices.Contains(out, name):
			continue
		case len(name) > MaxUniqueID:
			return nil, fault.New(fault.Invalid, "document-id-too-long")
		case len(out) == MaxReplaces:
			return nil, fault.New(fault.Invalid, "document-replaces-too-many")
		}
		out = append(out, name)
	}
	return out, nil
}

// cut brings texts and lists within bounds, with a warning.
func (d *Document) cut() {
	was := false
	text := func(texts ...*string) {
		for _, t := range texts {
			if s := cutText(*t); s != *t {
				*t, was = s, true
			}
		}
	}
	code := func(c *Code) { text(&c.Code, &c.System, &c.Display) }
	author := func(a *Author) {
		text(&a.Person, &a.PersonID, &a.Role, &a.Specialty, &a.Institution, &a.InstitutionID)
	}
	text(&d.LogicalID, &d.SetID, &d.Version, &d.Title, &d.Comments, &d.MIME, &d.Language, (*string)(&d.Category))
	for _, c := range [...]*Code{&d.Type, &d.Class, &d.Format, &d.Facility, &d.Practice} {
		code(c)
	}
	d.Confidentiality = cutList(d.Confidentiality, &was, code)
	d.Events = cutList(d.Events, &was, code)
	d.Authors = cutList(d.Authors, &was, author)
	author(&d.LegalAuthenticator)
	p := &d.SourcePatient
	text(&p.OID, &p.Matricule, &p.BirthName, &p.UsedName, &p.Given, &p.BirthDate, &p.Sex, &p.BirthPlace)
	d.Warnings = cutList(d.Warnings, &was, func(s *string) { text(s) })
	if was {
		d.Warnings = append(d.Warnings[:min(len(d.Warnings), maxList-1)], warningCut)
	}
}

// cutText makes a text valid UTF-8 and cuts it at a character.
func cutText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// cutList returns a copy within bounds, each entry treated.
func cutList[T any](list []T, cut *bool, treat func(*T)) []T {
	if len(list) > maxList {
		list, *cut = list[:maxList], true
	}
	list = slices.Clone(list)
	for i := range list {
		treat(&list[i])
	}
	return list
}
