package agenda

// Shift is one change of a zone's offset from UTC, in seconds.
type Shift struct {
	// At is the instant of the change, in unix seconds.
	At int64 `json:"at"`
	// From and To are the offsets before and after.
	From int `json:"from"`
	To   int `json:"to"`
}
