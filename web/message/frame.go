package message

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
)

// frameStyle is the one style of a framed letter: the words of a person, readable on a
// phone, on paper as white as the sender meant it.
const frameStyle = `:root{color-scheme:light}` +
	`body{margin:1rem;background:#fff;color:#231a35;font:1.0625rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}` +
	`img{max-width:100%;height:auto}table{border-collapse:collapse;max-width:100%}th,td{padding:.25rem .5rem;text-align:left;vertical-align:top}` +
	`pre{white-space:pre-wrap}blockquote{margin:.5rem 0;padding-left:1rem;border-left:3px solid #dcd8e0}a{color:#54308c}`

// framePolicy is the Content-Security-Policy of a framed letter, the second wall:
// nothing is loaded but the pictures in the document itself, nothing runs, nothing is
// submitted, and the document has no origin (security spec 2.4). Its one style is
// named by its digest, so no other one counts. Links open a window of their own.
func framePolicy() string {
	sum := sha256.Sum256([]byte(frameStyle))
	return "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors 'self'; " +
		"sandbox allow-popups allow-popups-to-escape-sandbox"
}

// framed writes the document of a frame around sanitised HTML.
func framed(lang, title, clean string) []byte {
	return []byte(`<!doctype html><html lang="` + html.EscapeString(lang) + `"><head><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width, initial-scale=1"><title>` + html.EscapeString(title) +
		`</title><style>` + frameStyle + `</style></head><body><main>` + clean + `</main></body></html>`)
}
