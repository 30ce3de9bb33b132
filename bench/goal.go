package bench

import (
	"fmt"
	"slices"
)

// Goal is one that was set for this program, and what came of it.
type Goal struct {
	Server string  `json:"server"`
	What   string  `json:"what"`
	Want   string  `json:"want"`
	Got    float64 `json:"got"`
	Met    bool    `json:"met"`
}

// conclude holds the figures against the goals.
func (r *Report) conclude() {
	if r.Machine.FileSystem == "tmpfs" {
		r.Notes = append(r.Notes, "NOT DURABLE: the folder is on a tmpfs, where a flush costs nothing: use --dir")
	}
	if len(r.others) > 0 {
		r.Machine.Others, r.Machine.MostOthers = median(r.others), slices.Max(r.others)
	}
	seen := map[string]bool{}
	for _, c := range r.Cells {
		for _, f := range c.Servers {
			if f.Server != "floor" && !seen[f.Server] {
				seen[f.Server] = true
				r.Goals = append(r.Goals, r.goals(f.Server)...)
			}
		}
	}
}

// goals are those of one server, as far as its figures are known.
func (r *Report) goals(server string) []Goal {
	var all []Goal
	atMost := func(what string, got, most float64, unit string) {
		all = append(all, Goal{server, what, fmt.Sprintf("at most %v%s", most, unit), got, got <= most})
	}
	if f := r.figure(cell{smallLetter, 32}, server); f != nil {
		if f.Ratio >= 0 {
			all = append(all, Goal{server, "2 KiB over 32: letters/s as share of the floor", "at least 0.4", f.Ratio, f.Ratio >= 0.4})
		}
		if f.Flushes >= 0 {
			atMost("2 KiB over 32: flushes a letter", f.Flushes, 0.4, "")
		}
		if f.CPU >= 0 {
			atMost("2 KiB over 32: server CPU a letter", f.CPU, 0.6, " ms")
		}
	}
	if f := r.figure(cell{smallLetter, 8}, server); f != nil && f.Flushes >= 0 {
		atMost("2 KiB over 8: flushes a letter", f.Flushes, 1.0, "")
	}
	for _, p := range r.Push {
		if p.Server != server {
			continue
		}
		load := "quiet"
		if p.Conns > 0 {
			load = fmt.Sprintf("under load of %d", p.Conns)
		}
		atMost("IDLE push after the 250, p95, "+load, p.P95, 5, " ms")
		atMost("letters not in IMAP at their 250, "+load, float64(p.Missing), 0, "")
	}
	for _, g := range r.Large {
		if g.Server == server {
			atMost("a letter of 100 MiB: extra memory", float64(g.Extra)/(1<<20), 32, " MiB")
		}
	}
	return all
}
