package dmp

import (
	"slices"
	"strings"
)

// Systems of the codes (spec dmp 1.1, 1.2).
const (
	systemClass = "1.2.250.1.213.1.1.4.1"
	systemType  = "1.2.250.1.213.1.1.4.12"
	systemLOINC = "2.16.840.1.113883.6.1"
)

// Category is where the patient finds a document (spec dmp 1.5).
type Category string

// Other is the category of what has no other.
const Other Category = "AUTR_DOC"

// Label is a text for people in both languages.
type Label struct{ FR, EN string }

// In returns the text in a language, French if it has none of its own.
func (l Label) In(lang string) string {
	if strings.HasPrefix(lang, "en") {
		return l.EN
	}
	return l.FR
}

// Shelf is how a category is shown.
type Shelf struct {
	Category Category
	// Special says that it is shown when it has documents only.
	Special bool
	// Tint is the class of its colour, Icon the name of its drawing.
	Tint, Icon string
	Label      Label
}

// Categories returns all categories in the order in which they are shown.
func Categories() []Shelf { return slices.Clone(codes().categories) }

// ShelfOf returns how a category is shown; one that is unknown is [Other].
func ShelfOf(c Category) Shelf {
	if s, ok := codes().shelves[c]; ok {
		return s
	}
	return codes().shelves[Other]
}

// Kind is what a type of document is.
type Kind struct {
	Type, Class Code
	Category    Category
	Label       Label
}

// Classify returns what a typeCode is: the class is a function of it (ASS_X04), the
// category too. A type that is not in the table answers false, no class, and [Other]:
// it is filed all the same (spec dmp 0.6).
func Classify(typeCode string) (Kind, bool) {
	typeCode = strings.TrimSpace(typeCode)
	if k, ok := codes().kinds[typeCode]; ok {
		return k, true
	}
	return Kind{Type: Code{Code: typeCode}, Category: Other}, false
}

// Class returns the classCode of table JDV_J06, false if it is not there.
func Class(code string) (Code, bool) {
	c, ok := codes().classes[strings.TrimSpace(code)]
	return c, ok
}

// categoryOfClass is the category of a document whose type is unknown.
func categoryOfClass(class string) Category {
	if c, ok := codes().byClass[strings.TrimSpace(class)]; ok {
		return c
	}
	return Other
}

// loinc reports whether a code has the form of LOINC: digits, a hyphen, a check digit.
func loinc(code string) bool {
	number, check, ok := strings.Cut(code, "-")
	return ok && len(check) == 1 && number != "" && strings.Trim(number+check, "0123456789") == ""
}
