// Package bench measures how many letters a whole trust space takes, and what a
// letter costs, beside a floor measured in the same run:
//
//	report, err := bench.Run(ctx, bench.Options{Quick: true})
//	report.WriteText(os.Stdout)
//
// # What runs
//
//	this process                    processes of our own program
//	  load client   -- TLS -->        demo, one per engine: hospital -> city's MX
//	                -- TLS -->        bench floor: go-smtp + append + fsync
//	  IMAP client   -- TLS -->        demo: the city's inbox
//	  /proc, pg_stat_wal, strace      read or watch them from outside
//
// Nothing in the servers knows that it is measured. Everything listens on loopback
// and is kept in a fresh folder that is removed at the end.
//
// # How
//
//   - A cell is a size of letters over a number of connections. Each connection
//     sends one letter after another, MAIL, RCPT and DATA in one group, and goes
//     round the boxes.
//   - A round is a window in the middle of a running load. Floor and engines take
//     turns, round by round, and medians count: what else the machine does falls on
//     all of them.
//   - Flushes are counted from outside, with strace, in rounds of their own whose
//     speed does not count.
//   - Letters that are looked at over IMAP go to a box that gets no others.
//
// # Implementation notes
//
// A crew is the load: one goroutine a connection, each with its own copy of the
// letter, nothing shared but the serial number. A world is a folder that holds a
// trust space and is started several times in different manners. Children end with
// us: they are tied by Pdeathsig, and the floor ends with its standard input.
//
// It measures no mail client, no relaying between the operators, and no more than
// one machine.
package bench
