// Package pace slows down whoever comes too often.
//
//	attempts := pace.New(pace.Rate{Every: time.Second, Burst: 5}, 100_000)
//	if err := attempts.Allow("login:" + key); err != nil { ... } // fault.OverQuota "too-fast"
//
// A Pacer holds one token bucket per key, in this process. Keys are opaque (a
// network prefix, a keyed hash of an address); the table is bounded: when it is
// full, the buckets that have filled up again are dropped first, as they remember
// nothing.
package pace
