package letter

import "math/bits"

// doubt is one reason why two readers may read a letter differently.
type doubt uint8

// doubts is a set of them.
type doubts uint64

// add puts d into the set.
func (s *doubts) add(d doubt) { *s |= 1 << d }

// merge puts all of t into the set.
func (s *doubts) merge(t doubts) { *s |= t }

// reasons returns the reason ids in the order of the table; nil for none.
func (s doubts) reasons() []string {
	if s == 0 {
		return nil
	}
	out := make([]string, 0, bits.OnesCount64(uint64(s)))
	for d := range doubtCount {
		if s&(1<<d) != 0 {
			out = append(out, d.reason())
		}
	}
	return out
}

// AmbiguityReasons returns all reason ids that Structure.Ambiguities may hold, for
// message catalogues and tests.
func AmbiguityReasons() []string { return (doubts(1)<<doubtCount - 1).reasons() }

// The doubts; reason names them, and the package documentation explains them.
const (
	doubtNUL doubt = iota
	doubtBareCR
	doubtBareLF
	doubtLongLine
	doubtNoField
	doubtSpaceColon
	doubtBlankFold
	doubtFieldRepeated
	doubtNoVersion
	doubtTypeRepeated
	doubtTypeMalformed
	doubtEncodingRepeated
	doubtEncodingMalformed
	doubtEncodingUnknown
	doubtDispositionRepeated
	doubtDispositionMalformed
	doubtComment
	doubtParamRepeated
	doubtParamMalformed
	doubtParamConflict
	doubtBoundaryMissing
	doubtBoundaryEmpty
	doubtBoundaryLong
	doubtBoundaryOctets
	doubtBoundaryRepeated
	doubtBoundaryContinued
	doubtBoundaryPrefix
	doubtBoundaryClash
	doubtBoundaryUnclosed
	doubtPreamble
	doubtEpilogue
	doubtEncodedMultipart
	doubtEncodedMessage
	doubtPartial
	doubtExternal
	doubtTNEF
	doubtUuencode
	doubtBinHex
	doubtYEnc
	doubtBase64Junk
	doubtBase64Padding
	doubtBase64Length
	doubtQuotedJunk
	doubtQuotedLower
	doubtNameConflict
	doubtNameContent
	doubtNameExecutable
	doubtCount
)

// reason returns the stable, public id of d.
func (d doubt) reason() string {
	return [doubtCount]string{
		doubtNUL:                  "octet-nul",
		doubtBareCR:               "octet-bare-cr",
		doubtBareLF:               "octet-bare-lf",
		doubtLongLine:             "line-too-long",
		doubtNoField:              "header-line-malformed",
		doubtSpaceColon:           "header-space-before-colon",
		doubtBlankFold:            "header-blank-fold",
		doubtFieldRepeated:        "header-field-repeated",
		doubtNoVersion:            "mime-version-missing",
		doubtTypeRepeated:         "mime-type-repeated",
		doubtTypeMalformed:        "mime-type-malformed",
		doubtEncodingRepeated:     "mime-encoding-repeated",
		doubtEncodingMalformed:    "mime-encoding-malformed",
		doubtEncodingUnknown:      "mime-encoding-unknown",
		doubtDispositionRepeated:  "mime-disposition-repeated",
		doubtDispositionMalformed: "mime-disposition-malformed",
		doubtComment:              "mime-comment",
		doubtParamRepeated:        "mime-param-repeated",
		doubtParamMalformed:       "mime-param-malformed",
		doubtParamConflict:        "mime-param-conflict",
		doubtBoundaryMissing:      "mime-boundary-missing",
		doubtBoundaryEmpty:        "mime-boundary-empty",
		doubtBoundaryLong:         "mime-boundary-too-long",
		doubtBoundaryOctets:       "mime-boundary-octets",
		doubtBoundaryRepeated:     "mime-boundary-repeated",
		doubtBoundaryContinued:    "mime-boundary-continued",
		doubtBoundaryPrefix:       "mime-boundary-prefix",
		doubtBoundaryClash:        "mime-boundary-clash",
		doubtBoundaryUnclosed:     "mime-boundary-unclosed",
		doubtPreamble:             "mime-preamble",
		doubtEpilogue:             "mime-epilogue",
		doubtEncodedMultipart:     "mime-encoded-multipart",
		doubtEncodedMessage:       "mime-encoded-message",
		doubtPartial:              "mime-partial",
		doubtExternal:             "mime-external-body",
		doubtTNEF:                 "content-tnef",
		doubtUuencode:             "content-uuencode",
		doubtBinHex:               "content-binhex",
		doubtYEnc:                 "content-yenc",
		doubtBase64Junk:           "base64-junk",
		doubtBase64Padding:        "base64-early-padding",
		doubtBase64Length:         "base64-length",
		doubtQuotedJunk:           "quoted-printable-junk",
		doubtQuotedLower:          "quoted-printable-lower-case",
		doubtNameConflict:         "name-conflict",
		doubtNameContent:          "name-content-mismatch",
		doubtNameExecutable:       "name-executable",
	}[d]
}
