package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
	"github.com/vaguemestre/vaguemestre/web"
)

func TestStatusAndHealth(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := web.New(web.Site{Name: "essai <b>", Host: "mx.essai.example"}, db)
		get := func(path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			return w
		}
		if w := get("/"); w.Code != 200 || !strings.Contains(w.Body.String(), "essai &lt;b&gt;") {
			t.Errorf("status page: %d %q", w.Code, w.Body)
		}
		if w := get("/healthz"); w.Code != 200 || !strings.Contains(w.Body.String(), `"ok"`) {
			t.Errorf("health: %d %q", w.Code, w.Body)
		}
		if w := get("/messages"); w.Code != 404 {
			t.Errorf("an unknown page answered %d", w.Code)
		}
		if w := get("/"); w.Header().Get("Content-Security-Policy") == "" {
			t.Error("no content security policy")
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if w := get("/healthz"); w.Code != 503 {
			t.Errorf("health without a store: %d, want 503", w.Code)
		}
	})
}
