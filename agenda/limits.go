package agenda

// Limits bounds what a calendar may cost to read. A zero field means its default.
// The figures are above what calendars of real clients need; spec security 2.4
// names the bombs that they stop.
type Limits struct {
	// Size is the largest calendar in octets: 1 MiB.
	Size int
	// Lines is the largest number of lines as they are folded: 20,000, which is 1 MiB
	// at 52 octets a line.
	Lines int
	// Depth is the deepest nesting of components: 6. RFC 5545 needs 3.
	Depth int
	// Components is the largest number of components of any kind: 2,000, because old
	// clients send every alarm and the whole history of a zone.
	Components int
	// Events is the largest number of events: 200, a series with its changed instances.
	Events int
	// Properties is the largest number of properties of one component that are read: 600.
	Properties int
	// Attendees is the largest number of attendees of an event: 300.
	Attendees int
	// Dates is the largest number of RDATE and of EXDATE values of an event: 500 each.
	Dates int
	// Text is how many octets of a description are kept: 16 KiB. Other texts are shorter.
	Text int
}

// DefaultLimits returns the limits that stand for zero fields.
func DefaultLimits() Limits {
	return Limits{
		Size: 1 << 20, Lines: 20_000, Depth: 6, Components: 2000, Events: 200,
		Properties: 600, Attendees: 300, Dates: 500, Text: 16 << 10,
	}
}

// orDefault fills the zero fields.
func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ value, standard *int }{
		{&l.Size, &d.Size},
		{&l.Lines, &d.Lines},
		{&l.Depth, &d.Depth},
		{&l.Components, &d.Components},
		{&l.Events, &d.Events},
		{&l.Properties, &d.Properties},
		{&l.Attendees, &d.Attendees},
		{&l.Dates, &d.Dates},
		{&l.Text, &d.Text},
	} {
		if *f.value <= 0 {
			*f.value = *f.standard
		}
	}
	return l
}

// Bounds of single values, in octets. Real ones are far below.
const (
	maxUID   = 1000 // RFC 7986 5.3 lets one be up to 255; old Exchange is longer
	maxTitle = 500  // summary
	maxPlace = 1000 // location
	maxName  = 200  // a display name, a zone's name
	maxParam = 400  // a parameter that is read
	maxValue = 16 << 10
	maxRule  = 512
)
