package web

import (
	"context"
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// aboutRoutes are the pages that say how things are: the same for everybody.
func (s *Server) aboutRoutes() []ui.Route {
	page := func(name string) func(*ui.Visit, *http.Request) (ui.Answer, error) {
		return func(v *ui.Visit, _ *http.Request) (ui.Answer, error) {
			return ui.Page{Template: name, Title: name + ".title", Door: !v.Signed(), Data: v.Signed()}, nil
		}
	}
	return []ui.Route{
		{Pattern: "GET /help", Section: "more", Public: true, Serve: page("help")},
		{Pattern: "GET /accessibility", Section: "more", Public: true, Serve: page("accessibility")},
		{Pattern: "GET /privacy", Section: "more", Public: true, Serve: page("privacy")},
		{Pattern: "GET /status", Public: true, Serve: s.status},
		{Pattern: "GET /more", Section: "more", Serve: more},
	}
}

// more lists what has no room in the phone's navigation.
func more(v *ui.Visit, _ *http.Request) (ui.Answer, error) {
	born, err := time.Parse(time.DateOnly, v.Person.BirthDate)
	return ui.Page{Template: "more", Title: "more.title", Data: struct {
		Born  time.Time
		Known bool
	}{born.Add(12 * time.Hour), err == nil}}, nil
}

// status says who this operator is, to people who come by.
func (s *Server) status(*ui.Visit, *http.Request) (ui.Answer, error) {
	return ui.Page{
		Template: "site", Title: "site.title", Door: true,
		JSON: map[string]string{"name": s.opts.Name, "host": s.opts.Host},
	}, nil
}

// health reads the store: a node that cannot is no use behind a balancer. It answers
// to any Host, as balancers ask by address, and says nothing of anybody.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	state, code := "ok", http.StatusOK
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		var one int
		return tx.QueryRow(`SELECT 1`).Scan(&one)
	})
	if err != nil {
		state, code = "store-unavailable", http.StatusServiceUnavailable
	}
	_ = ui.WriteJSON(w, code, map[string]string{"state": state}) // a string: marshalled without fail
}
