package node

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/bus"
	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/relay"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Options adjusts a node beyond its configuration file.
type Options struct {
	Log *slog.Logger
	// Route replaces the DNS and workers.routes.
	Route relay.Route
	// Trouble may refuse a recipient; the demo forces failures with it.
	Trouble func(ctx context.Context, to identity.Address) error
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// Node is one running node of an operator.
type Node struct {
	Config *Config
	DB     *store.DB
	Blobs  blob.Store
	Bus    bus.Bus
	Office *delivery.Office
	Porter *porter.Porter
	// Reading is the reading room: every opening of a letter or document.
	Reading *reading.Room

	opts     Options
	log      *slog.Logger
	platform seal.Platform
	works    *seal.Works
	signer   string // of audit checkpoints, a note key
	trust    *anchorage
	relay    *relay.Relay
	clerk    *filing.Clerk

	doors   []door
	stop    context.CancelFunc
	workers sync.WaitGroup
}

// New opens everything that the configuration names and starts nothing.
func New(ctx context.Context, c *Config, o Options) (*Node, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	n := &Node{Config: c, opts: o, log: o.Log.With("operator", c.Operator.Name)}
	if err := n.open(ctx); err != nil {
		_ = n.close() // what failed first is what counts
		return nil, err
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	var err error
	c := n.Config
	if n.platform, err = seal.KeyFile(c.path(c.Storage.PlatformKey)); err != nil {
		return fmt.Errorf("platform key: %w", err)
	}
	if n.Bus, err = bus.Open(cmp.Or(c.Storage.Bus, "mem:")); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	if file, ok := strings.CutPrefix(c.url(c.Storage.Store), "sqlite:"); ok {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
	}
	n.DB, err = store.Open(ctx, c.url(c.Storage.Store), store.Options{
		Logger: n.log, Publish: func(topics []string) { n.Bus.Publish(topics...) }, Clock: n.opts.Clock,
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if n.Blobs, err = blob.Open(c.url(c.Storage.Blob), blob.Options{Logger: n.log}); err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	err = n.DB.Write(ctx, func(tx *store.Tx) error {
		if n.works, err = custody.Works(tx, n.platform); err != nil {
			return err
		}
		_, secret, err := custody.Secret(tx, n.platform, custody.Audit, func() (public, secret []byte, err error) {
			skey, vkey, err := audit.NewKey(c.Operator.Name)
			return []byte(vkey), []byte(skey), err
		})
		n.signer = string(secret)
		return err
	})
	if err != nil {
		return fmt.Errorf("custody: %w", err)
	}
	known, err := n.knownList(ctx)
	if err != nil {
		return err
	}
	if n.trust, err = openTrust(c, known); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	n.wire()
	return nil
}

// knownList ties the whitelist to the database, which remembers the newest list
// ever accepted: a file put back from a backup is no way back.
func (n *Node) knownList(ctx context.Context) (trust.KeeperOptions, error) {
	o := trust.KeeperOptions{Logger: n.log, Clock: n.opts.Clock}
	err := n.DB.Read(ctx, func(tx *store.Tx) (err error) {
		o.Known, err = trust.KnownMark(tx)
		return err
	})
	o.Accepted = func(ctx context.Context, m trust.Mark) error {
		return n.DB.Write(ctx, func(tx *store.Tx) error { return trust.KeepMark(tx, m) })
	}
	return o, err
}

// patients is the kind of an operator whose boxes are people's own.
const patients = "patient"

// wire builds the works on the houses.
func (n *Node) wire() {
	c := n.Config
	n.Porter = porter.New(porter.Parts{
		DB: n.DB, Platform: n.platform, Works: n.works, Checker: n.trust.checker,
		Trust: n.trust.keeper.Current, Log: n.log,
	}, porter.Options{PasswordAlone: c.Operator.PasswordsAlone, Name: c.Operator.Name, Clock: n.opts.Clock})
	domains := make([]identity.Domain, 0, len(c.Operator.Domains))
	for _, d := range c.Operator.Domains {
		if domain, err := identity.ParseDomain(d); err == nil { // Check holds it
			domains = append(domains, domain)
		}
	}
	n.Office = delivery.New(delivery.Parts{
		DB: n.DB, Blobs: n.Blobs, Platform: n.platform, Works: n.works, Desk: n.Porter,
		Trust: n.trust.keeper.Current, Log: n.log,
	}, delivery.Options{
		Host: identity.Domain(c.Operator.Host), Domains: domains, MaxSize: c.Limits.MaxSize,
		Inline: c.Limits.Inline, Depot: c.Operator.Kind == patients, Trouble: n.opts.Trouble, Clock: n.opts.Clock,
	})
	n.Reading = reading.New(reading.Parts{
		DB: n.DB, Blobs: n.Blobs, Works: n.works, Office: n.Office, Log: n.log, SpoolDir: c.path(c.Storage.Spool),
	})
	n.clerk = filing.New(filing.Parts{
		DB: n.DB, Blobs: n.Blobs, Platform: n.platform, Works: n.works, Office: n.Office, Log: n.log,
	}, filing.Options{Dir: c.path(c.Storage.Spool), Inline: c.Limits.Inline, Clock: n.opts.Clock})
	route := n.opts.Route
	if route == nil {
		route = c.route()
	}
	n.relay = relay.New(relay.Parts{
		DB: n.DB, Office: n.Office, Platform: n.platform, Works: n.works, Checker: n.trust.checker,
		Certificate: func() tls.Certificate { return n.trust.cert }, Trust: n.trust.keeper.Current, Log: n.log,
	}, relay.Options{Host: identity.Domain(c.Operator.Host), Route: route, Clock: n.opts.Clock})
}

// Refresh looks at the whitelist and the CRLs now.
func (n *Node) Refresh(ctx context.Context) error { return n.trust.refresh(ctx) }

// Start runs workers and opens the doors. It returns once everything listens.
func (n *Node) Start(ctx context.Context) error {
	if err := n.trust.refresh(ctx); err != nil {
		// What is kept on disk stays in force; without any, doors answer 451.
		n.log.Warn("trust.refresh.failed", "component", "node", "error", err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	if err := n.startWorkers(run); err != nil {
		return err
	}
	if err := n.openDoors(ctx); err != nil {
		return err
	}
	n.log.Info("node.started", "component", "node", "engine", n.DB.Engine())
	return nil
}

// Stop drains the doors, ends the workers and closes what New opened. It takes at
// most as long as ctx allows.
func (n *Node) Stop(ctx context.Context) error {
	err := n.closeDoors(ctx)
	if n.stop != nil {
		n.stop()
	}
	n.workers.Wait()
	n.log.Info("node.stopped", "component", "node")
	return errors.Join(err, n.close())
}

// close ends what open made, as far as it came.
func (n *Node) close() error {
	var all []error
	if n.DB != nil {
		all = append(all, n.DB.Close())
	}
	if n.Bus != nil {
		all = append(all, n.Bus.Close())
	}
	if n.works != nil {
		n.works.Zero()
	}
	return errors.Join(all...)
}

// Registrar opens spaces at this operator.
func (n *Node) Registrar() *lifecycle.Registrar { return lifecycle.New(n.DB, n.platform, n.works) }
