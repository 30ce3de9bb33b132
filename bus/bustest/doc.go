// Package bustest is the contract of bus.Bus as a test suite:
//
//	func TestContract(t *testing.T) { bustest.Run(t, open) }
//
// Every implementation passes it. A bus between nodes may deliver late: the suite
// waits for pokes that must come, and asks that others do not come only where the bus
// itself can know.
package bustest
