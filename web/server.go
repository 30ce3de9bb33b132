package web

import (
	"log/slog"
	"net/http"
	"sync"
	"time"
	_ "time/tzdata" // a static binary on a bare machine knows Europe/Paris

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/pace"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Parts are the things the door works with; all are required.
type Parts struct {
	DB      *store.DB
	Blobs   blob.Store
	Works   *seal.Works
	Porter  *porter.Porter
	Reading *reading.Room
	Office  *delivery.Office
	Bus     bus.Bus
	Log     *slog.Logger
}

// Options says who the operator is and adjusts the door.
type Options struct {
	// Name is the operator's short name, Host its host name.
	Name, Host string
	// Help is how a person is helped, such as a telephone number; it may be empty.
	Help string
	// Hosts are further names the door answers to: "name" at the usual ports, or
	// "name:port". The loopback addresses are always among them, at the port the
	// connection came in by.
	Hosts []string
	// Zone is where the readers live; nil is Europe/Paris.
	Zone *time.Location
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// Server is the web door, an http.Handler. It is safe for concurrent use.
type Server struct {
	Parts
	opts   Options
	kit    *ui.Kit
	mux    *http.ServeMux
	routes []ui.Route
	csrf   *http.CrossOriginProtection

	over     chan struct{} // closed by Drain
	overOnce sync.Once
	streams  places
	uploads  places
	refusals *pace.Pacer
}

// New returns the door. It fails when a page or a catalogue is malformed.
func New(p Parts, o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Zone == nil {
		var err error
		if o.Zone, err = time.LoadLocation("Europe/Paris"); err != nil {
			return nil, err
		}
	}
	s := &Server{
		Parts: p, opts: o, mux: http.NewServeMux(), csrf: http.NewCrossOriginProtection(), over: make(chan struct{}),
		streams:  places{perSession: streamsPerSession, inAll: streamsInAll},
		uploads:  places{perSession: uploadsPerSession, inAll: uploadsInAll},
		refusals: pace.New(pace.Rate{Every: refusalEvery, Burst: 1}, refusalKeys),
	}
	rooms, err := s.rooms()
	if err != nil {
		return nil, err
	}
	if s.kit, err = ui.NewKit(ui.Site{Name: o.Name, Host: o.Host, Help: o.Help}, o.Zone, rooms...); err != nil {
		return nil, err
	}
	for _, room := range rooms {
		for _, route := range room.Routes {
			s.routes = append(s.routes, route)
			s.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route) })
		}
	}
	return s, nil
}

// Routes returns the route table, for the tests that try every route.
func (s *Server) Routes() []ui.Route { return s.routes }

// Drain ends the streams, so that a server that shuts down need not wait for them.
func (s *Server) Drain() { s.overOnce.Do(func() { close(s.over) }) }
