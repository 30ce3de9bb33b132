package filing

import (
	"slices"

	"github.com/vaguemestre/vaguemestre/letter"
)

// reasonAmbiguous keeps out everything that a letter brings.
const reasonAmbiguous = "letter-ambiguous"

// harmless reports whether a verdict of package letter leaves no doubt which parts a
// letter has and what they hold. Every other verdict, and each that is invented later,
// keeps the letter's attachments from being filed: what one reader files must be what
// the scanner saw and what the other reader is shown (spec security 2.2).
//
//   - line-too-long, header-field-repeated, mime-version-missing: every reader finds
//     the same parts;
//   - mime-disposition-malformed, name-conflict, name-content-mismatch,
//     name-executable: about names; what a part is, its octets say;
//   - base64-junk, base64-length, quoted-printable-lower-case, -junk: RFC 2045 6.7
//     and 6.8 say how to read on, hospital software writes them (spec dmp 4.5), and
//     the document has to be sound afterwards.
func harmless(verdict string) bool {
	switch verdict {
	case "line-too-long", "header-field-repeated", "mime-version-missing",
		"mime-disposition-malformed", "name-conflict", "name-content-mismatch", "name-executable",
		"base64-junk", "base64-length", "quoted-printable-lower-case", "quoted-printable-junk":
		return true
	}
	return false
}

// ambiguous returns the verdicts on a letter that keep its attachments out.
func ambiguous(s *letter.Structure) []string {
	return slices.DeleteFunc(slices.Clone(s.Ambiguities), harmless)
}
