package web

import (
	"context"
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// How often a refusal is told. Our choice: one who tries a thousand identifiers, or a
// page that sends a form again and again, is one line a minute in the audit log.
const (
	refusalEvery = time.Minute
	refusalKeys  = 10_000
)

// actRefused is the act of a leaf about a refusal at this door.
const actRefused = "web.refused"

// auditRefusal writes a leaf about a request that was refused: of whom, or of which
// network, and why, never what for. What is somebody's mistake in a form is none.
func (s *Server) auditRefusal(r *http.Request, v *ui.Visit, err error) {
	reason := fault.Reason(err)
	if !telling(v, reason) {
		return
	}
	leaf := audit.Leaf{
		Act: actRefused, Object: "request:" + v.ID, Result: audit.Refused, Reason: reason, Peer: audit.Network(remote(r)),
	}
	if v.Signed() {
		leaf.Actor, leaf.Role = v.Reader.By.Pseudonym, v.Reader.By.Role
	}
	if s.refusals.Allow(leaf.Actor+" "+leaf.Peer+" "+reason) != nil {
		return // told a moment ago
	}
	ctx := context.WithoutCancel(r.Context())
	if err := s.DB.Write(ctx, func(tx *store.Tx) error { return audit.Append(tx, leaf) }); err != nil {
		s.Log.Error("refusal.lost", "component", "web", "request", v.ID, "reason", reason, "error", err)
	}
}

// telling reports whether a refusal of this door's own tells of more than a slip: a
// page or name of another site, more than is allowed, or an item that is not one's own.
// What packages porter and reading refuse, they tell themselves.
func telling(v *ui.Visit, reason string) bool {
	switch reason {
	case "foreign-origin", "host-unknown", "body-too-large", "too-many-uploads", "too-many-streams":
		return true
	case "letter-unknown", "document-unknown", "event-unknown", "outcome-unknown", "session-unknown":
		return v.Signed()
	}
	return false
}
