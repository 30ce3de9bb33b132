// Package node wires one node of an operator from its configuration and runs it:
//
//	cfg, err := node.Load("vaguemestre.toml")
//	n, err := node.New(ctx, cfg, node.Options{Log: log})
//	err = n.Start(ctx)   // everything listens
//	n.Stop(ctx)          // drained, closed
//
// The configuration says which doors and workers the node runs. Zero values are
// production-safe; unknown keys are errors with their line. Tests and the demo
// build nodes the same way.
//
// # Order
//
// Start: platform key, store (migrated), custody, blobs, bus, trust, certificates,
// porter, office, workers, doors last. Stop: doors first (they drain), workers,
// office, bus, store last.
package node
