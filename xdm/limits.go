package xdm

// Limits bounds what an archive may cost. A zero field takes its default.
type Limits struct {
	// Entries is how many entries the directory may have, folders included: 200.
	Entries int
	// One is how many octets one entry may have inflated: 50 MiB.
	One int64
	// Total is how many octets all entries may have inflated: 100 MiB.
	Total int64
	// Ratio is how many times an entry may grow when inflated: 200.
	Ratio int64
}

// The defaults: spec security 2.3.
const (
	defaultEntries = 200
	defaultOne     = 50 << 20
	defaultTotal   = 100 << 20
	defaultRatio   = 200
)

// ratioFloor is the inflated size from which Ratio counts: a page of blanks is no bomb.
const ratioFloor = 64 << 10

// metadataMax is the largest METADATA.XML that is read. A generous entry has 20 KiB.
const metadataMax = 4 << 20

func (l Limits) withDefaults() Limits {
	if l.Entries == 0 {
		l.Entries = defaultEntries
	}
	if l.One == 0 {
		l.One = defaultOne
	}
	if l.Total == 0 {
		l.Total = defaultTotal
	}
	if l.Ratio == 0 {
		l.Ratio = defaultRatio
	}
	return l
}
