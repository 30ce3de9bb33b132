package bench

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report as tables to read.
func (r *Report) WriteText(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "%s, %d processors, %s, %s, %s\n", m.Model, m.Processors, m.FileSystem, m.Go, r.Date.Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(w, "medians of %d rounds of %.1f s, floor and servers in turn; other programs used %.0f %% of the machine, at most %.0f %%\n",
		r.Rounds, r.Window, 100*m.Others, 100*m.MostOthers)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	r.writeCells(w)
	r.writeRest(w)
	r.writeGoals(w)
}

func (r *Report) writeCells(w io.Writer) {
	fmt.Fprint(w, "\nLetters over mutual TLS, durable at the 250. letters/s and floor: higher is better; all else: lower is better.\n")
	fmt.Fprintf(w, "%-20s %-9s %10s %7s %9s %9s %10s %10s %9s\n",
		"letter, connections", "server", "letters/s", "/floor", "p50 ms", "p99 ms", "CPU ms", "+db CPU", "flushes")
	for _, c := range r.Cells {
		label := fmt.Sprintf("%s over %d", sizeText(c.Size), c.Conns)
		for _, f := range c.Servers {
			fmt.Fprintf(w, "%-20s %-9s %10.0f %7s %9.2f %9.2f %10s %10s %9s", label, f.Server, f.Rate,
				known("%.2f", f.Ratio), f.P50, f.P99, known("%.3f", f.CPU), known("%.3f", f.Database), known("%.2f", f.Flushes))
			if f.Refused > 0 {
				fmt.Fprintf(w, "  %d REFUSED", f.Refused)
			}
			fmt.Fprintln(w)
			label = ""
		}
	}
	fmt.Fprint(w, `floor: go-smtp alone with the same TLS; one file, group commit, one fsync a batch, 250 after it.
p50, p99: last octet of the letter to its 250. CPU: the server's process, user and system, a letter, the audit log's
sequencer included; +db CPU: PostgreSQL's processes. flushes, a letter: the floor counts its own; ours: fsync and its like
under strace in rounds of their own, with PostgreSQL's flushes of its write-ahead log (wal_sync).
`)
}

// known prints a figure, or that there is none.
func known(format string, v float64) string {
	if v < 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func (r *Report) writeRest(w io.Writer) {
	if len(r.Push)+len(r.Large) > 0 {
		fmt.Fprintln(w)
	}
	for _, p := range r.Push {
		fmt.Fprintln(w, p.line())
	}
	for _, g := range r.Large {
		fmt.Fprintln(w, g.line())
	}
}

func (p Push) line() string {
	load := "quiet server"
	if p.Conns > 0 {
		load = fmt.Sprintf("%d connections loading it", p.Conns)
	}
	return fmt.Sprintf("%s, %s: IDLE heard of %d letters %.2f ms after the 250 at p50, %.2f ms at p95, %.2f ms at most; "+
		"%d of %d letters were in IMAP, octet by octet, at their 250",
		p.Server, load, p.Letters, p.P50, p.P95, p.Max, p.Looked-p.Missing, p.Looked)
}

func (g Large) line() string {
	const mib = 1 << 20
	return fmt.Sprintf("%s, a letter of %s: %.1f MiB more memory at its peak (%.1f MiB before, heap at most %.0f MiB at a collection), %.2f s",
		g.Server, sizeText(g.Octets), float64(g.Extra)/mib, float64(g.Before)/mib, float64(g.Heap)/mib, g.Seconds)
}

func (r *Report) writeGoals(w io.Writer) {
	if len(r.Goals) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-9s %-52s %-17s %9s\n", "goals", "", "wanted", "reached")
	for _, g := range r.Goals {
		verdict := "yes"
		if !g.Met {
			verdict = "NO"
		}
		got := strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", g.Got), "0"), ".")
		fmt.Fprintf(w, "%-9s %-52s %-17s %9s  %s\n", g.Server, g.What, g.Want, got, verdict)
	}
}
