package dmp

import (
	"mime"
	"slices"
	"strings"
)

// templateUnstructured marks a CDA whose body is one file (N1): its format is that of
// the file (ASS_A12).
const templateUnstructured = "1.3.6.1.4.1.19376.1.2.20"

// systemFormatIHE is the code system of the formats that IHE defined (IHE ITI TF-3
// 4.2.3.2.9). The one of the French formats is in none of our sources: left empty.
const systemFormatIHE = "1.3.6.1.4.1.19376.1.2.3"

// FormatOf returns the formatCode of a document: by the last of its CDA header's
// templates that is known (ASS_A11), else, for an unstructured CDA or a bare file, by
// the media type of the file (ASS_A12). False if neither is known.
func FormatOf(templates []string, media string) (Code, bool) {
	for _, t := range slices.Backward(templates) {
		if f, ok := codes().templates[strings.TrimSpace(t)]; ok {
			return format(f), true
		}
	}
	if len(templates) > 0 && !slices.Contains(templates, templateUnstructured) {
		return Code{}, false
	}
	base, _, err := mime.ParseMediaType(media)
	if err != nil {
		return Code{}, false
	}
	f, ok := codes().media[base]
	return format(f), ok
}

// format returns a formatCode with its system.
func format(code string) Code {
	switch {
	case code == "":
		return Code{}
	case strings.HasPrefix(code, "urn:ihe:") && !strings.HasPrefix(code, "urn:ihe:iti-fr:"):
		return Code{Code: code, System: systemFormatIHE}
	}
	return Code{Code: code}
}
