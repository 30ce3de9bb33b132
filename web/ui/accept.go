package ui

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// WantsJSON reports whether a request asks for facts: it names application/json,
// and no page that it would like better. A browser names text/html.
func WantsJSON(r *http.Request) bool {
	json, page := -1.0, -1.0
	for _, header := range r.Header.Values("Accept") {
		for item := range strings.SplitSeq(header, ",") {
			kind, params, err := mime.ParseMediaType(item)
			if err != nil {
				continue
			}
			q := 1.0
			if text, has := params["q"]; has {
				if q, err = strconv.ParseFloat(text, 64); err != nil {
					continue
				}
			}
			switch kind {
			case "application/json":
				json = max(json, q)
			case "text/html", "application/xhtml+xml":
				page = max(page, q)
			}
		}
	}
	return json > 0 && json > page
}

// Language chooses the language of an answer: what the visitor chose, else what the
// browser prefers, else French.
func Language(chosen string, r *http.Request) string {
	switch chosen {
	case French, English:
		return chosen
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return French
	}
	for _, tag := range tags { // in the order of preference
		base, _ := tag.Base()
		switch base.String() {
		case French, English:
			return base.String()
		}
	}
	return French
}
