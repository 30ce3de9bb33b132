// Package lifecycle opens spaces: a box with its keys and folders, the person who
// holds it, and what the person proves themselves with, in one transaction.
//
//	registrar := lifecycle.New(db, platform, works)
//	opened, err := registrar.Open(ctx, lifecycle.Opening{Kind: mailbox.PER, Address: a, ...})
//
// Opening is idempotent by address: a box that is there already stays as it is,
// so that a start that was cut short can be repeated.
package lifecycle
