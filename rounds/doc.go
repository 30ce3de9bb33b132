// Package rounds does what has to be done from time to time.
//
//	go rounds.New(rounds.Parts{...}, rounds.Options{}).Run(ctx)
//
// One round:
//
//	replays   ends the replay windows of letters that came five days ago
//	garbage   deletes blobs whose last letter is gone for an hour
//	strays    deletes blobs older than an hour that no row knows
//	sessions  forgets web sessions that are over
//
// Every round is safe to run twice, on two nodes, or half: each step is its own
// transaction and finds its work anew. What fails is logged and done in the next one.
//
// [Fetcher] gets what the authority of the trust space publishes; the node asks it
// for whitelist and CRLs in its own rhythm.
package rounds
