package web

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
)

//go:embed page/*.html
var pages embed.FS //nolint:gochecknoglobals // the compiler fills it

// Site is what the pages say of the operator.
type Site struct {
	// Name is the operator's short name, Host its host name.
	Name, Host string
}

// New returns the handler of the door.
func New(site Site, db *store.DB) http.Handler {
	status := template.Must(template.ParseFS(pages, "page/status.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = status.Execute(w, site) // the client went away: nothing to do
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { health(w, r, db) })
	return hardened(mux)
}

// health reads the store: a node that cannot is no use behind a balancer.
func health(w http.ResponseWriter, r *http.Request, db *store.DB) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	state, code := "ok", http.StatusOK
	err := db.Read(ctx, func(tx *store.Tx) error {
		var one int
		return tx.QueryRow(`SELECT 1`).Scan(&one)
	})
	if err != nil {
		state, code = "store-unavailable", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"state": state}) // as above
}

// hardened adds the headers that every answer has (OWASP ASVS 5.0 v5.0.0-3.4).
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
