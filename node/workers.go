package node

import (
	"context"
	"fmt"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/queue"
	"github.com/vaguemestre/vaguemestre/rounds"
)

// startWorkers starts what runs besides the doors; Stop waits for it.
func (n *Node) startWorkers(ctx context.Context) error {
	n.workers.Go(func() { n.Office.Run(ctx) })
	n.workers.Go(func() { n.trust.run(ctx) })
	r := rounds.New(rounds.Parts{DB: n.DB, Blobs: n.Blobs, Log: n.log}, rounds.Options{Clock: n.opts.Clock})
	n.workers.Go(func() { r.Run(ctx) })
	if n.Config.Workers.Sequencer {
		s, err := audit.NewSequencer(n.DB, n.signer, audit.Options{Bus: n.Bus, Logger: n.log, Now: n.opts.Clock})
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		n.run(ctx, "sequencer", s.Run)
	}
	kinds := map[string]queue.Kind{}
	if n.Config.Workers.Relay {
		kinds[delivery.RelayKind] = n.relay.Jobs()
	}
	if n.Config.Workers.Filing {
		kinds[delivery.FileKind] = n.clerk.Jobs()
	}
	if len(kinds) > 0 {
		w := queue.NewWorker(n.DB, kinds,
			queue.Options{Bus: n.Bus, Node: n.Config.Workers.Node, Logger: n.log, Now: n.opts.Clock})
		n.run(ctx, "worker", w.Run)
	}
	return nil
}

// run starts a worker and tells if it ends before its time.
func (n *Node) run(ctx context.Context, name string, fn func(context.Context) error) {
	n.workers.Go(func() {
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("worker.failed", "component", "node", "worker", name, "error", err)
		}
	})
}
