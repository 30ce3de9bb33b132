package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Report is what was measured. Times are in milliseconds, sizes in octets.
type Report struct {
	Date     time.Time `json:"date"`
	Machine  Machine   `json:"machine"`
	Window   float64   `json:"window_seconds"`
	Rounds   int       `json:"rounds"`
	Profiled bool      `json:"profiled,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
	Cells    []Cell    `json:"cells"`
	Push     []Push    `json:"push"`
	Large    []Large   `json:"large"`
	Goals    []Goal    `json:"goals"`

	others []float64 // of each window
}

// Machine is where it was measured.
type Machine struct {
	Model      string `json:"model"`
	Processors int    `json:"processors"`
	Go         string `json:"go"`
	// FileSystem is the kind of the one that everything was kept on.
	FileSystem string `json:"file_system"`
	// Others is the share of the machine's processors that neither the servers nor
	// the client used in a window, what else ran: the median and the largest.
	Others     float64 `json:"others"`
	MostOthers float64 `json:"most_others"`
}

// Cell is one size over one number of connections.
type Cell struct {
	Size    int      `json:"size"`
	Conns   int      `json:"conns"`
	Servers []Figure `json:"servers"`
}

// Figure is a server's: medians of the rounds. What is not known is negative.
type Figure struct {
	Server string `json:"server"`
	// Rate is letters a second; Ratio the median of its ratios to the floor's of the
	// same round.
	Rate  float64 `json:"rate"`
	Ratio float64 `json:"ratio"`
	// P50 and P99 are from the last octet of a letter to its 250.
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	// CPU is the server's processor time a letter, Database PostgreSQL's.
	CPU      float64 `json:"cpu_ms"`
	Database float64 `json:"database_cpu_ms"`
	// Flushes is a letter's, TracedRate the letters a second while they were counted.
	Flushes    float64 `json:"flushes"`
	TracedRate float64 `json:"traced_rate,omitempty"`
	Letters    int     `json:"letters"`
	Refused    int     `json:"refused"`
	// Rates are those of the rounds, in their order.
	Rates []float64 `json:"rates"`
}

// unknown is a figure that could not be had.
const unknown = -1

func newReport(o Options, dir string) *Report {
	return &Report{
		Date: time.Now().UTC(), Window: o.Window.Seconds(), Rounds: o.Rounds, Profiled: o.Profiles != "",
		Machine: Machine{Model: model(), Processors: runtime.NumCPU(), Go: runtime.Version(), FileSystem: fileSystem(dir)},
	}
}

// add enters a cell's rounds and returns one line about it.
func (r *Report) add(c cell, targets []target, rounds [][]round) string {
	entry := Cell{Size: c.size, Conns: c.conns}
	line := fmt.Sprintf("%s over %d:", sizeText(c.size), c.conns)
	for i, t := range targets {
		f := newFigure(t.name, rounds[i])
		if r.Profiled {
			f.CPU = unknown // this process's: the client is in it
		}
		if t.name == "floor" {
			f.Flushes = median(each(rounds[i], func(r round) float64 { return r.flushes }))
		} else if targets[0].name == "floor" {
			ratios := make([]float64, len(rounds[i]))
			for j := range ratios {
				ratios[j] = rounds[i][j].rate / rounds[0][j].rate
			}
			f.Ratio = median(ratios)
		}
		r.others = append(r.others, each(rounds[i], func(r round) float64 { return r.others })...)
		entry.Servers = append(entry.Servers, f)
		line += fmt.Sprintf("  %s %.0f/s", t.name, f.Rate)
		if f.Ratio > 0 {
			line += fmt.Sprintf(" (%.2f)", f.Ratio)
		}
	}
	r.Cells = append(r.Cells, entry)
	return line
}

func newFigure(name string, rounds []round) Figure {
	f := Figure{
		Server: name, Ratio: unknown, Flushes: unknown, Database: unknown,
		Rates: each(rounds, func(r round) float64 { return r.rate }),
		P50:   median(each(rounds, func(r round) float64 { return ms(r.p50) })),
		P99:   median(each(rounds, func(r round) float64 { return ms(r.p99) })),
		CPU:   median(each(rounds, func(r round) float64 { return ms(r.cpu) })),
	}
	f.Rate = median(f.Rates)
	if d := median(each(rounds, func(r round) float64 { return ms(r.database) })); d > 0 {
		f.Database = d
	}
	for _, r := range rounds {
		f.Letters += r.letters
		f.Refused += r.refused
	}
	return f
}

// each returns one value of each round.
func each(rounds []round, value func(round) float64) []float64 {
	out := make([]float64, len(rounds))
	for i, r := range rounds {
		out[i] = value(r)
	}
	return out
}

// flushed enters what a traced round counted.
func (r *Report) flushed(c cell, server string, flushes, rate float64) {
	if f := r.figure(c, server); f != nil {
		f.Flushes, f.TracedRate = flushes, rate
	}
}

// figure finds a server's figure of a cell, nil if it was not measured.
func (r *Report) figure(c cell, server string) *Figure {
	for i := range r.Cells {
		if r.Cells[i].Size != c.size || r.Cells[i].Conns != c.conns {
			continue
		}
		for j := range r.Cells[i].Servers {
			if r.Cells[i].Servers[j].Server == server {
				return &r.Cells[i].Servers[j]
			}
		}
	}
	return nil
}

// fileSystem names the kind of file system that a folder is on.
func fileSystem(dir string) string {
	kind, best := "unknown", ""
	data, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return kind
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return kind
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || len(fields[1]) < len(best) {
			continue
		}
		if at := fields[1]; at == "/" || dir == at || strings.HasPrefix(dir, at+"/") {
			kind, best = fields[2], at
		}
	}
	return kind
}
