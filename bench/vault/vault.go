// Package vault measures what a document costs in a vault that grows: filing it, and
// opening the list, beside a vault that stays small in the same run.
//
//	report, err := vault.Run(ctx, vault.Options{Engine: "sqlite", DSN: dsn, Dir: dir})
//
// Both vaults are in one database, durable as in production. Rounds alternate: one
// document into the small one, one into the grown one; one list of each. What counts
// is the ratio of the medians, since the machine is shared.
package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Options say what is measured.
type Options struct {
	// Engine names the figures; DSN is an empty database of it.
	Engine, DSN string
	// Dir is a folder on the disk that is measured.
	Dir string
	// Sizes are the numbers of documents at which it is measured, ascending.
	Sizes []int
	// Rounds is how often each act is done at each size; zero is 60.
	Rounds int
	// Progress is told what goes on; nil: nobody.
	Progress io.Writer
}

// goal is how much dearer an act may be in a grown vault.
const goal = 1.2

// Figure is one act at one size. Times are medians, in milliseconds.
type Figure struct {
	Engine    string  `json:"engine"`
	Documents int     `json:"documents"`
	Act       string  `json:"act"`
	Small     float64 `json:"small_ms"`
	Grown     float64 `json:"grown_ms"`
	Ratio     float64 `json:"ratio"`
}

// Run fills a vault step by step and measures at each.
func Run(ctx context.Context, o Options) ([]Figure, error) {
	if o.Rounds <= 0 {
		o.Rounds = 60
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	b, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var figures []Figure
	held := 0
	for _, size := range o.Sizes {
		if err := b.fill(ctx, b.grown, size-held); err != nil {
			return figures, err
		}
		fmt.Fprintf(o.Progress, "%s: a vault of %d documents\n", o.Engine, size)
		held = max(held, size) + o.Rounds
		at, err := b.measure(ctx, size)
		figures = append(figures, at...)
		if err != nil {
			return figures, err
		}
	}
	return figures, nil
}

// bench is an operator without doors, and two patients of it.
type bench struct {
	o            Options
	db           *store.DB
	blobs        blob.Store
	works        *seal.Works
	room         *reading.Room
	small, grown *patient
	made         int
}

// patient is a vault with its keys.
type patient struct {
	vault  dmp.Vault
	reader reading.Reader
}

func open(ctx context.Context, o Options) (b *bench, err error) {
	b = &bench{o: o}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.db, err = store.Open(ctx, o.DSN, store.Options{}); err != nil {
		return b, err
	}
	if b.blobs, err = blob.Open("file:"+filepath.Join(o.Dir, "blobs-"+o.Engine), blob.Options{}); err != nil {
		return b, err
	}
	platform, err := seal.KeyFile(filepath.Join(o.Dir, "platform-"+o.Engine+".key"))
	if err != nil {
		return b, err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		b.works, err = custody.Works(tx, platform)
		return err
	})
	if err != nil {
		return b, err
	}
	b.room = reading.New(reading.Parts{DB: b.db, Blobs: b.blobs, Works: b.works})
	if b.small, err = b.patient(ctx, platform, "small"); err == nil {
		b.grown, err = b.patient(ctx, platform, "grown")
	}
	return b, err
}

// patient opens a space.
func (b *bench) patient(ctx context.Context, platform seal.Platform, name string) (*patient, error) {
	address, err := identity.ParseAddress(name + "@patient.example")
	if err != nil {
		return nil, err
	}
	_, err = lifecycle.New(b.db, platform, b.works).Open(ctx, lifecycle.Opening{
		Kind: mailbox.Patient, Address: address, Person: account.Person{Name: name},
	})
	if err != nil {
		return nil, err
	}
	var box mailbox.Box
	var wrapped []byte
	var holders []account.Holding
	err = b.db.Read(ctx, func(tx *store.Tx) error {
		if box, err = mailbox.Find(tx, b.works, address); err != nil {
			return err
		}
		if holders, err = account.Holders(tx, account.BoxID(box.ID)); err != nil {
			return err
		}
		wrapped, err = mailbox.Keys(tx, box.Space)
		return err
	})
	if err != nil {
		return nil, err
	}
	by := identity.Principal{Person: holders[0].Person, Pseudonym: account.Pseudonym(b.works, holders[0].Person), Role: "patient"}
	ring, err := seal.OpenSpace(platform, string(box.Space), wrapped)
	if err != nil {
		return nil, err
	}
	return &patient{
		vault:  dmp.Vault{Space: dmp.SpaceID(box.Space), Key: ring.Vault(), Works: b.works, Blobs: b.blobs},
		reader: reading.Reader{By: by, Box: box, Keys: ring, Via: "web"},
	}, nil
}

func (b *bench) close() {
	for _, p := range []*patient{b.small, b.grown} {
		if p != nil {
			p.reader.Keys.Zero()
		}
	}
	if b.db != nil {
		_ = b.db.Close() // the folder goes with it
	}
}

// kinds are types of documents of several categories.
func kinds() []string {
	return []string{"11488-4", "11502-2", "18748-4", "57833-6", "87273-9", "34133-9"}
}

// text is a small CDA's size.
var text = strings.Repeat("<paragraph>Compte rendu de consultation.</paragraph>\n", 80) //nolint:gochecknoglobals // a constant of a size that no literal should have

// seal makes the next document.
func (b *bench) seal(ctx context.Context, p *patient) (*dmp.Sealed, error) {
	b.made++
	n := b.made
	return p.vault.Seal(ctx, dmp.Document{
		UniqueID: fmt.Sprintf("1.2.250.1.999.%d", n), MIME: "text/xml", Title: "Compte rendu de consultation",
		Type:    dmp.Code{Code: kinds()[n%len(kinds())], System: "2.16.840.1.113883.6.1", Display: "Compte rendu"},
		Created: time.Now().AddDate(0, 0, -n%3000),
		Authors: []dmp.Author{{Person: "Dr Claire MARTIN", PersonID: "801234500011", Institution: "CHU Rivière"}},
	}, dmp.Origin{Kind: dmp.ByLetter, Letter: fmt.Sprintf("letter-%d", n), From: "dossier-patient@chu.example"}, strings.NewReader(text))
}

// perLot is how many documents one transaction of the filling takes.
const perLot = 50

// fill files n documents.
func (b *bench) fill(ctx context.Context, p *patient, n int) error {
	for n > 0 {
		lot := make([]*dmp.Sealed, 0, perLot)
		for range min(n, perLot) {
			s, err := b.seal(ctx, p)
			if err != nil {
				return err
			}
			lot = append(lot, s)
		}
		err := b.db.Write(ctx, func(tx *store.Tx) error {
			_, err := dmp.File(tx, lot)
			return err
		})
		if err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		n -= len(lot)
	}
	return nil
}

// act is one thing that is measured.
type act struct {
	name string
	do   func(ctx context.Context, p *patient) error
}

func (b *bench) acts() []act {
	return []act{
		{"file a document", func(ctx context.Context, p *patient) error {
			s, err := b.seal(ctx, p)
			if err != nil {
				return err
			}
			trace, err := dmp.NewTrace(p.vault.Key, p.vault.Space, dmp.Access{
				Who: "Dr Claire MARTIN", What: dmp.DocumentFiled, Object: string(s.ID()), Why: dmp.Filing,
			})
			if err != nil {
				return err
			}
			return b.db.Write(ctx, func(tx *store.Tx) error {
				if _, err := dmp.File(tx, []*dmp.Sealed{s}); err != nil {
					return err
				}
				return dmp.Note(tx, trace)
			})
		}},
		{"open the list", func(ctx context.Context, p *patient) error { return b.list(ctx, p, "") }},
		{"open one category", func(ctx context.Context, p *patient) error { return b.list(ctx, p, dmp.Categories()[4].Category) }},
		{"count by category", func(ctx context.Context, p *patient) error {
			_, err := b.room.DocumentCounts(ctx, p.reader)
			return err
		}},
	}
}

// list opens the first page.
func (b *bench) list(ctx context.Context, p *patient, shelf dmp.Category) error {
	page, _, err := b.room.Documents(ctx, p.reader, dmp.Query{Shelf: shelf, Limit: perLot})
	if err == nil && len(page) == 0 && shelf == "" {
		err = errors.New("the list is empty")
	}
	return err
}

// measure does each act in both vaults, in turn. The small vault begins with a page
// of documents, so that both lists are as long.
func (b *bench) measure(ctx context.Context, size int) ([]Figure, error) {
	if b.made < perLot*10 || size == 0 {
		if err := b.fill(ctx, b.small, 6*perLot); err != nil {
			return nil, err
		}
	}
	var figures []Figure
	for _, a := range b.acts() {
		var times [2][]float64
		for round := range b.o.Rounds + warm {
			for i, p := range []*patient{b.small, b.grown} {
				begin := time.Now()
				if err := a.do(ctx, p); err != nil {
					return figures, fmt.Errorf("%s in a vault of %d: %w", a.name, size, err)
				}
				if round >= warm {
					times[i] = append(times[i], float64(time.Since(begin).Microseconds())/1000)
				}
			}
		}
		f := Figure{Engine: b.o.Engine, Documents: size, Act: a.name, Small: median(times[0]), Grown: median(times[1])}
		f.Ratio = f.Grown / f.Small
		figures = append(figures, f)
	}
	return figures, nil
}

// warm are rounds that do not count: the first opening of a list takes a public-key
// operation a document (DESIGN section 4).
const warm = 3

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// WriteText writes figures as a table to read.
func WriteText(w io.Writer, figures []Figure) {
	fmt.Fprintf(w, "\nA vault that grows, beside one that stays small in the same run; ratio: goal at most %.1f.\n", goal)
	fmt.Fprintf(w, "%-9s %10s  %-20s %9s %9s %6s\n", "engine", "documents", "act", "small ms", "grown ms", "ratio")
	for _, f := range figures {
		short := ""
		if f.Ratio > goal {
			short = "  over the goal"
		}
		fmt.Fprintf(w, "%-9s %10d  %-20s %9.2f %9.2f %6.2f%s\n", f.Engine, f.Documents, f.Act, f.Small, f.Grown, f.Ratio, short)
	}
}
