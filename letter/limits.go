package letter

// Limits bounds what a letter may cost to read. A zero field means its default.
// The figures are those of spec security 2.2; each was chosen above what real
// mail needs and below what a bomb needs.
type Limits struct {
	// Header is the largest header block in octets, of the letter and of each part.
	Header int
	// Fields is the largest number of fields in one header block.
	Fields int
	// Line is the longest line in octets without its line end that raises no
	// verdict (RFC 5322 2.1.1: 998).
	Line int
	// HardLine is the longest header line in octets.
	HardLine int
	// Unfolded is the longest header field in octets, all its lines together.
	Unfolded int
	// Depth is the deepest nesting of multiparts and enclosed messages.
	Depth int
	// Parts is the largest number of parts, multiparts included.
	Parts int
	// Params is the largest number of parameters of one field.
	Params int
	// Continuations is the largest number of RFC 2231 pieces of one field.
	Continuations int
	// Addresses is the largest number of addresses in one header block.
	Addresses int
	// Kept bounds the header text that a Structure holds, in octets; each address
	// counts 32 more. Marshalled it is at most three times that and 100 a part.
	Kept int
}

// DefaultLimits returns the limits of spec security 2.2.
func DefaultLimits() Limits {
	return Limits{
		Header:        256 << 10,
		Fields:        1000,
		Line:          998,
		HardLine:      8 << 10,
		Unfolded:      64 << 10,
		Depth:         20,
		Parts:         1000,
		Params:        100,
		Continuations: 100,
		Addresses:     1000,
		Kept:          256 << 10,
	}
}

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct {
		have *int
		want int
	}{
		{&l.Header, d.Header},
		{&l.Fields, d.Fields},
		{&l.Line, d.Line},
		{&l.HardLine, d.HardLine},
		{&l.Unfolded, d.Unfolded},
		{&l.Depth, d.Depth},
		{&l.Parts, d.Parts},
		{&l.Params, d.Params},
		{&l.Continuations, d.Continuations},
		{&l.Addresses, d.Addresses},
		{&l.Kept, d.Kept},
	} {
		if *f.have <= 0 {
			*f.have = f.want
		}
	}
	return l
}

// The reason ids of a broken limit; [Walker.Close] returns them as fault.Invalid.
const (
	reasonHeader        = "letter-header-too-large"
	reasonFields        = "letter-too-many-fields"
	reasonLine          = "letter-line-too-long"
	reasonField         = "letter-field-too-long"
	reasonDepth         = "letter-too-deep"
	reasonParts         = "letter-too-many-parts"
	reasonParams        = "letter-too-many-params"
	reasonContinuations = "letter-too-many-continuations"
	reasonAddresses     = "letter-too-many-addresses"
	reasonKept          = "letter-structure-too-large"
)

// LimitReasons returns the reason ids of all limits, for message catalogues and tests.
func LimitReasons() []string {
	return []string{
		reasonHeader, reasonFields, reasonLine, reasonField, reasonDepth, reasonParts,
		reasonParams, reasonContinuations, reasonAddresses, reasonKept,
	}
}
