// Package demo runs a whole trust space in one process on loopback: a sandbox
// authority, a hospital, city practices and the patients' operator, with people
// in their boxes.
//
//	space, err := demo.Open(ctx, demo.Options{Keep: "demo-data"})
//	ready := space.Ready()       // who is who and where everything listens
//	err = space.Walk(ctx, out)   // a first letter, told step by step
//	space.Close(ctx)
//
// What it keeps, and where:
//
//	DIR/cast.json            who is who, with passwords
//	DIR/authority/           the authority's keys, what it publishes, the whitelist
//	DIR/people/ADDRESS/      client certificates and keys
//	DIR/operators/NAME/      exactly what that operator's machine would hold:
//	    vaguemestre.toml  platform.key  operator.pem  operator.key
//	    store.db  blobs/  trust/  log.jsonl
//
// Each step of making it can be cut short and is taken up at the next start.
// The operators speak with each other as they would over a network; only the MX
// look-up is replaced.
package demo
