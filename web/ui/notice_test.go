package ui_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vaguemestre/vaguemestre/web/ui"
	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

// TestANoticeIsForThePageThatIsLookedAt: the script that asks for a page again in the
// background neither takes nor ends it.
func TestANoticeIsForThePageThatIsLookedAt(t *testing.T) {
	t.Parallel()
	kit := uitest.Kit(t, words("[notice]\nsent = \"Parti.\"", "[notice]\nsent = \"Sent.\""))
	for mode, want := range map[string]string{"navigate": "notice.sent", "": "notice.sent", "cors": "", "same-origin": ""} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: ui.NoticeCookie, Value: "notice.sent"})
		if mode != "" {
			r.Header.Set("Sec-Fetch-Mode", mode)
		}
		got := ui.TakeNotice(w, r, kit.Words(ui.French))
		if ended := w.Header().Get("Set-Cookie") != ""; got != want || ended != (want != "") {
			t.Errorf("Sec-Fetch-Mode %q: %q, ended %t; want %q", mode, got, ended, want)
		}
	}
}
