package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// The bounds of the streams. A browser opens at most six connections to a host over
// HTTP/1.1, and a person has a few tabs.
const (
	streamsPerSession = 6
	streamsInAll      = 10_000
	// An upload is read and sealed while it comes, so its cost is the server's: somebody
	// sends one, and one again when the first seems to hang.
	uploadsPerSession = 2
	uploadsInAll      = 200
	// heartbeat is how often a quiet stream says that it is there, and looks whether its
	// session still is. Balancers cut connections that are silent for a minute.
	heartbeat = 25 * time.Second
)

// places counts what goes on at a time: streams, uploads.
type places struct {
	perSession, inAll int

	mu  sync.Mutex // guards the fields below
	of  map[string]int
	all int
}

// enter takes a place for a session, and reports whether there was one.
func (s *places) enter(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[session] >= s.perSession || s.all >= s.inAll {
		return false
	}
	if s.of == nil {
		s.of = make(map[string]int)
	}
	s.of[session]++
	s.all++
	return true
}

func (s *places) leave(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[session]--; s.of[session] <= 0 {
		delete(s.of, session)
	}
	s.all--
}

// liveRoutes is the stream that says when something changed.
func (s *Server) liveRoutes() []ui.Route {
	return []ui.Route{{Pattern: "GET /live", Stream: true, Serve: s.live}}
}

// live answers a stream of events "change", whose data is a sentence for the status
// line, until the session ends: "over". It says that something changed, never what: the
// page is asked for again, by the same way as ever.
func (s *Server) live(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	if !s.streams.enter(v.Session.ID()) {
		return nil, fault.New(fault.OverQuota, "too-many-streams")
	}
	var inbox mailbox.Folder
	err := s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
		inbox, err = mailbox.FolderByRole(tx, v.Reader.Box.ID, mailbox.Inbox)
		return err
	})
	if err != nil {
		s.streams.leave(v.Session.ID())
		return nil, err
	}
	return ui.Events{Run: func(ctx context.Context, send func(ui.Event) error) error {
		defer s.streams.leave(v.Session.ID())
		return s.follow(ctx, v, inbox, send)
	}}, nil
}

// follow waits for pokes, and between them for the end of the session.
func (s *Server) follow(ctx context.Context, v *ui.Visit, inbox mailbox.Folder, send func(ui.Event) error) error {
	space := string(v.Reader.Box.Space)
	sub := s.Bus.Subscribe("folder:"+string(inbox.ID), "vault:"+space, "agenda:"+space)
	defer sub.Close()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.over:
			return nil
		case <-v.Session.Over():
			return send(ui.Event{Name: "over"})
		case <-beat.C:
			alive, err := s.alive(ctx, v)
			switch {
			case err != nil:
				return err
			case !alive:
				return send(ui.Event{Name: "over"})
			}
			if err := send(ui.Event{}); err != nil {
				return err
			}
		case <-sub.C():
			words, err := s.news(ctx, v, &inbox)
			if err != nil {
				return err
			}
			if err := send(ui.Event{Name: "change", Data: words}); err != nil {
				return err
			}
		}
	}
}

// alive reports whether the session goes on, without being a request of its person: an
// open page keeps nobody signed in.
func (s *Server) alive(ctx context.Context, v *ui.Visit) (bool, error) {
	sessions, err := s.Porter.Sessions(ctx, v.Session)
	if err != nil {
		return false, err
	}
	for _, session := range sessions {
		if session.ID == v.Session.ID() {
			return true, nil
		}
	}
	return false, nil
}

// news says what the status line says after a poke.
func (s *Server) news(ctx context.Context, v *ui.Visit, inbox *mailbox.Folder) (string, error) {
	before := *inbox
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		*inbox, err = mailbox.FolderByRole(tx, v.Reader.Box.ID, mailbox.Inbox)
		return err
	})
	if more := int(inbox.UIDNext) - int(before.UIDNext); more > 0 && inbox.Unseen > before.Unseen {
		return v.T("live.letters", "Count", more), err
	}
	return v.T("live.changed"), err
}
