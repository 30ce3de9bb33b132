package main

import (
	_ "embed"
	"strings"
)

//go:embed inspect_reasons.txt
var reasonSentences string

// sentence is what a reason id means, in plain English.
func sentence(reason string) string {
	for line := range strings.Lines(reasonSentences) {
		if id, text, ok := strings.Cut(line, " "); ok && id == reason {
			return strings.TrimSpace(text)
		}
	}
	return "No sentence is written for this reason: look for its id in the documentation."
}

// remarks puts a sentence beside each reason id.
func remarks(reasons []string) []remark {
	var out []remark
	for _, id := range reasons {
		out = append(out, remark{id, sentence(id)})
	}
	return out
}
