package reading

import "time"

// SetClock gives a room another clock, for consultations.
func (r *Room) SetClock(now func() time.Time) { r.clock = now }

// DispatchID reads the id of a letter out of its head.
func DispatchID(head []byte) string { return dispatchID(head) }

// ReceiptAddress is where a receipt goes, empty for nowhere.
func ReceiptAddress(head, header []byte) string {
	if to := receiptAddress(head, header); !to.IsZero() {
		return to.String()
	}
	return ""
}

// Memory remembers what a session has traced.
type Memory struct{ m memory }

// Add remembers an id and reports whether it was known.
func (m *Memory) Add(id string) bool {
	known := m.m.has(id)
	m.m.add(id)
	return known
}

// Len is how much is remembered.
func (m *Memory) Len() int { return len(m.m.new) + len(m.m.old) }
