// Package rounds does what has to be done from time to time: it looks after the
// whitelist and the revocation lists, closes replay windows, prunes tombstones
// and collects blobs that nothing refers to.
//
//	go rounds.New(rounds.Parts{...}, rounds.Options{}).Run(ctx)
//
// Every round is safe to run twice, on two nodes, or half: each step is its own
// transaction and finds its work anew.
package rounds
