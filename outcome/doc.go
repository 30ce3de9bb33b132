// Package outcome keeps what became of each sent letter, for each recipient: a set
// of dated facts with their evidence, and a status derived from the set.
//
//	opening, err := book.Prepare(outcome.Letter{ID: id, Sender: box, MessageID: mid, Recipients: rcpts})
//	err = db.Write(ctx, func(tx *store.Tx) error { return outcome.Begin(tx, opening) })
//	...
//	entry, err := book.Enter(id, 0, outcome.Fact{At: now, What: outcome.Relayed, Evidence: …})
//	err = db.Write(ctx, func(tx *store.Tx) error { return outcome.Add(tx, entry) })
//
// Sealing is done by a [Book], outside of transactions; Begin and Add only write.
//
// # Layout
//
//	outcome_letter     letter -> sender's box, keyed hash of (sender, Message-ID), time
//	outcome_recipient  (letter, rcpt) -> state, due, sealed {address, first facts}
//	outcome_fact       (letter, rcpt, id) -> sealed fact; id is a keyed hash of it
//
// Begin costs two statements for all recipients, Add two for a fact. Facts are only
// ever added; nobody reads one to write another. The column state is the highest
// rank of the facts, kept by comparison in the UPDATE: it needs no lock beyond the
// row's own and no order.
//
// # The status
//
// Each kind of fact has a rank, and the status is the fact of the highest rank:
//
//	 10 accepted    we answer for the letter
//	 20 held        set aside: undo, scan, announced patient
//	 30 relayed     the other operator said 250
//	 40 expired     given up after 48 h, or nothing heard by the deadline
//	 50 refused     by an operator, with an enhanced code (5.1.1) or a reason id
//	 60 delivered   it lies in the recipient's box
//	 70 noticed     the recipient was told that it lies there
//	 80 read        it was opened
//	 90 filed       its documents are in the recipient's record
//	 95 refused     by the recipient's software, with an integration code (902)
//	100 integrated  the recipient's software said so
//	110 answered    the recipient wrote back
//
// So: what is proven stays proven. A failure outranks what came before it on the
// way, whatever their order of arrival: relayed, then a failure DSN, is refused. A
// proof of delivery outranks any failure to deliver: an expired letter whose
// delivery DSN comes late was delivered. A refusal by the recipient's software
// (integration codes 100-207 and 900-906, spec mssante 6.10) comes after delivery
// and outranks reading and filing, because somebody must act on it, until
// integration or an answer shows that somebody did.
//
// Among facts of one rank the earliest counts, then the smallest code; so the status
// depends on the set alone, neither on the order nor on the number of arrivals.
//
// # Invariants
//
//  1. A recipient has at least one fact, and so exactly one status, from the
//     transaction that accepts the letter on.
//  2. Addresses, codes and evidence are sealed under the works key; in clear are
//     letter, number, rank, due time and the sender's box.
//
// What it does not do: decide who may see what (a projection is the viewer's), or
// escalate at a deadline (rounds does, from [Waiting]).
package outcome
