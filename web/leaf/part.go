package leaf

// What follows are the arguments of the parts that package ui draws, as types: a
// template that asks a struct for a field it does not have fails in a test, a map
// would show nothing.

// Tag is the part "tag".
type Tag struct {
	Text, Kind, Icon string
	Wrap             bool
}

// Row is the part "row" (and "row-document").
type Row struct {
	Href, Title, Sub, Icon, Tint string
	Tags                         []Tag
	Meta, Machine                string
	Go, Current                  bool
}

// LetterRow is the part "row-letter".
type LetterRow struct {
	Href, From, Subject, Preview string
	New                          bool
	Tags                         []Tag
	Meta, Machine                string
	Go, Current                  bool
}

// AccessRow is the part "row-access".
type AccessRow struct {
	Icon, Tint, Who, What, Object, Why string
	Tags                               []Tag
	Meta, Machine                      string
	Go                                 bool
}

// Attachment is the part "attachment".
type Attachment struct{ Icon, Tint, Name, Info, Open, Keep, Note string }

// Link is an item of the parts "filters" and "tabs".
type Link struct {
	Href, Text string
	Count      string
	Current    bool
}

// Tile is the part "tile".
type Tile struct{ Href, Tint, Icon, Name, Count string }

// Fact is an item of the part "facts".
type Fact struct{ Name, Value string }

// Step is an item of the part "timeline".
type Step struct{ Icon, What, When, Proof, Kind string }

// Banner is the part "banner".
type Banner struct{ Kind, Icon, Title, Text, Href, HrefText string }

// Field is the part "field".
type Field struct {
	ID, Label, Hint, Error, Type, Value, Class, Complete, Mode string
	Max, Rows                                                  int
	Required, Plain                                            bool
}

// Problem is an item of the part "errors".
type Problem struct{ ID, Error string }
