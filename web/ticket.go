package web

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/vaguemestre/vaguemestre/seal"
)

// ticketAge is how long the second step of a sign-in may take: time to find the
// telephone, not to leave a desk.
const ticketAge = 5 * time.Minute

// ticket is the first step of a sign-in while the second is awaited. It travels in a
// cookie, sealed under the operator's works key, so that any node takes it, no page
// has a password in it, and nothing is kept of people who go away.
type ticket struct {
	Login    string    `json:"login"`
	Password string    `json:"password"`
	Until    time.Time `json:"until"`
}

func (t ticket) seal(works *seal.Works) (string, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	sealed, err := works.Seal("web-ticket", "", plain)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// openTicket opens a ticket. Whatever is wrong with it, it is none.
func openTicket(works *seal.Works, text string, now time.Time) (t ticket, good bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ticket{}, false
	}
	plain, err := works.Open("web-ticket", "", sealed)
	if err != nil || json.Unmarshal(plain, &t) != nil || now.After(t.Until) {
		return ticket{}, false
	}
	return t, true
}
