package web_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/web/ui/uitest"
)

// All rooms together: what one of them says in a template of another is said too.
func TestEveryWordOfEveryRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	uitest.Words(t, w.server.Kit(), ".", "ui", "leaf", "message", "record")
}
