package dmp

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed table/*.csv
var tableFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

// Table tells which issue of a code table this program has.
type Table struct {
	Name    string
	Version string
	// Date is when it was written down, YYYY-MM-DD; Source is what from.
	Date   string
	Source string
}

// catalogue is all tables, read once.
type catalogue struct {
	tables     []Table
	classes    map[string]Code
	kinds      map[string]Kind
	categories []Shelf
	shelves    map[Category]Shelf
	byClass    map[string]Category
	templates  map[string]string
	media      map[string]string
}

// codes reads the tables at the first call. They are part of the program: one that
// cannot be read is our own bug.
var codes = sync.OnceValue(func() *catalogue { //nolint:gochecknoglobals // a constant that Go cannot write as one
	c := &catalogue{
		classes: map[string]Code{}, kinds: map[string]Kind{}, shelves: map[Category]Shelf{},
		byClass: map[string]Category{}, templates: map[string]string{}, media: map[string]string{},
	}
	c.load("category", []string{"category", "group", "tint", "icon", "fr", "en"}, func(f []string) {
		s := Shelf{Category: Category(f[0]), Special: f[1] == "special", Tint: f[2], Icon: f[3], Label: Label{f[4], f[5]}}
		c.categories = append(c.categories, s)
		c.shelves[s.Category] = s
	})
	c.load("class", []string{"class", "category", "fr", "en"}, func(f []string) {
		c.classes[f[0]] = Code{Code: f[0], System: systemClass, Display: f[2]}
		c.byClass[f[0]] = Category(f[1])
	})
	c.load("type", []string{"type", "class", "category", "fr", "en"}, func(f []string) {
		system := systemType
		if loinc(f[0]) {
			system = systemLOINC
		}
		c.kinds[f[0]] = Kind{
			Type:  Code{Code: f[0], System: system, Display: f[3]},
			Class: c.classes[f[1]], Category: Category(f[2]), Label: Label{f[3], f[4]},
		}
	})
	c.load("format", []string{"by", "key", "format"}, func(f []string) {
		if f[0] == "media" {
			c.media[f[1]] = f[2]
		} else {
			c.templates[f[1]] = f[2]
		}
	})
	return c
})

// load reads one table: a line that says which issue it is, a line that names the
// columns, then the rows.
func (c *catalogue) load(name string, columns []string, row func(fields []string)) {
	raw, err := tableFiles.ReadFile("table/" + name + ".csv")
	if err != nil {
		panic(err)
	}
	head, rest, _ := bytes.Cut(raw, []byte("\n"))
	issue := strings.SplitN(strings.TrimPrefix(string(head), "# "), " | ", 4)
	if len(issue) != 4 || issue[0] != name {
		panic("dmp: table " + name + " does not say which issue it is")
	}
	r := csv.NewReader(bytes.NewReader(rest))
	r.FieldsPerRecord = len(columns)
	records, err := r.ReadAll()
	if err != nil {
		panic(fmt.Errorf("dmp: table %s: %w", name, err))
	}
	if len(records) < 2 || !slices.Equal(records[0], columns) {
		panic("dmp: table " + name + " has other columns")
	}
	c.tables = append(c.tables, Table{Name: issue[0], Version: issue[1], Date: issue[2], Source: issue[3]})
	for _, fields := range records[1:] {
		row(fields)
	}
}

// Tables returns which issues of the code tables this program has.
func Tables() []Table { return slices.Clone(codes().tables) }
