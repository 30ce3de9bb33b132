package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/vaguemestre/vaguemestre/fault"
)

// filePolicy lets a file do nothing.
const filePolicy = "default-src 'none'; sandbox; frame-ancestors 'self'"

// redirect answers 303. To is ours: whatever it holds, the browser stays here.
func redirect(w http.ResponseWriter, a Redirect) {
	to := a.To
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\t\r\n") {
		to = "/"
	}
	addHeader(w, a.Header)
	if strings.HasPrefix(a.Notice, "notice.") {
		http.SetCookie(w, noticeCookie(a.Notice, 60))
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// NoticeCookie is the name of the cookie that carries a notice to the next page.
const NoticeCookie = "__Host-notice"

func noticeCookie(key string, age int) *http.Cookie {
	return &http.Cookie{
		Name: NoticeCookie, Value: url.QueryEscape(key), Path: "/", MaxAge: age,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// TakeNotice returns the notice that came with the request, "" for none, and ends it.
// A page that a script fetches beside the one that a person looks at leaves it alone
// (Fetch Metadata, Sec-Fetch-Mode).
func TakeNotice(w http.ResponseWriter, r *http.Request, words *Words) string {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return ""
	}
	cookie, err := r.Cookie(NoticeCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, noticeCookie("", -1))
	key, err := url.QueryUnescape(cookie.Value)
	if err != nil || !strings.HasPrefix(key, "notice.") || !words.Has(key) {
		return ""
	}
	return key
}

// file answers octets, or a range of them.
func file(w http.ResponseWriter, r *http.Request, f File) error {
	if f.Close != nil {
		defer func() { _ = f.Close() }() // it was read only
	}
	h := w.Header()
	kind, policy := f.Type, f.Policy
	if policy == "" {
		policy = filePolicy
		if runs(kind) {
			kind = "application/octet-stream"
		}
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", policy)
	disposition := "attachment"
	if f.Inline && kind != "application/octet-stream" {
		disposition = "inline"
	}
	h.Set("Content-Disposition", Disposition(disposition, f.Name))
	// RFC 9110 14.2: a server may ignore Range. One range is what readers of PDF ask for;
	// a list of them only costs.
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	r.Header.Del("If-Range") // no validator is ever given
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(f.Content, 0, f.Size))
	return nil
}

// runs reports whether a browser would run or render a media type as a document of
// our origin.
func runs(kind string) bool {
	media, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return true
	}
	switch {
	case media == "image/svg+xml", strings.HasSuffix(media, "+xml"), strings.Contains(media, "html"),
		strings.Contains(media, "xml"), strings.Contains(media, "javascript"), strings.Contains(media, "ecmascript"):
		return true
	case media == "application/pdf", media == "text/plain", media == "text/calendar", media == "application/zip":
		return false
	}
	major, _, _ := strings.Cut(media, "/")
	return major != "image" && major != "audio" && major != "video"
}

// Disposition writes a Content-Disposition (RFC 6266): an ASCII name for old browsers,
// and the whole name in filename* (RFC 8187). Controls, separators of paths and
// characters that turn the direction of writing are replaced.
func Disposition(how, name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control, unicode.Co, unicode.Cs), r == '/', r == '\\', r == unicode.ReplacementChar:
			return '_'
		}
		return r
	}, name)
	clean = strings.TrimLeft(strings.TrimSpace(clean), ".")
	if clean == "" {
		clean = "document"
	}
	if runes := []rune(clean); len(runes) > 150 { // what file systems take, with room for UTF-8
		clean = string(runes[:100]) + string(runes[len(runes)-50:])
	}
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '%' || r == ';' {
			return '_'
		}
		return r
	}, clean)
	return how + `; filename="` + ascii + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(clean), "+", "%20")
}

// stream answers server-sent events. The deadlines of the server are moved on at each
// event: a client that does not read for a minute is let go.
func stream(w http.ResponseWriter, r *http.Request, e Events) error {
	const patience = time.Minute
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Accel-Buffering", "no")
	send := func(event Event) error {
		if err := control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		text := ":\n\n"
		if event.Name != "" {
			line := strings.NewReplacer("\r", " ", "\n", " ")
			text = "event: " + line.Replace(event.Name) + "\ndata: " + line.Replace(event.Data) + "\n\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	w.WriteHeader(http.StatusOK)
	_ = control.Flush() // Run is called in any case: it has things to give back
	err := e.Run(r.Context(), send)
	switch {
	case err == nil, errors.Is(err, context.Canceled), r.Context().Err() != nil, fault.Is(err, fault.Denied):
		return nil
	}
	return fmt.Errorf("events: %w", err)
}
