package account

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// How long a session on the web lasts: without a request, and at all (ASVS 7.3.1,
// 7.3.2; spec security 2.6).
const (
	WebIdle   = 30 * time.Minute
	WebLength = 12 * time.Hour
)

// seenEvery is how exactly the last request is known: one write a minute at most.
const seenEvery = time.Minute

// maxWebSessions is how many sessions a person has at once; the oldest end first.
const maxWebSessions = 20

// Token is what a browser shows to go on with its session: 256 random bits. The
// database has its keyed hash only. It never prints itself; Reveal gives the text
// for the cookie.
type Token struct{ text string }

// NewToken makes a token.
func NewToken() Token {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	return Token{base64.RawURLEncoding.EncodeToString(b[:])}
}

// ParseToken takes the text of a cookie. Whatever it is, it opens at most what it
// was made for.
func ParseToken(text string) Token {
	if len(text) > 64 {
		text = ""
	}
	return Token{text}
}

// Reveal returns the token's text.
func (t Token) Reveal() string { return t.text }

// String returns "[redacted]".
func (t Token) String() string { return "[redacted]" }

// Format writes "[redacted]" whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue keeps the token out of every log.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// WebSession is a session on the web, as its person sees it in a list.
type WebSession struct {
	ID     string
	Person identity.PersonID
	Box    BoxID
	// Proof is what was shown at its beginning: "web-password" or
	// "web-password+totp".
	Proof string
	// Device is a label such as "Firefox, Android".
	Device string
	// Created is its beginning, Seen the last request to the minute, Expires its end
	// however busy it is.
	Created, Seen, Expires time.Time
}

// Ended reports whether the session has ended by its age or its silence.
func (s WebSession) Ended(now time.Time) bool {
	return !now.Before(s.Expires) || now.Sub(s.Seen) >= WebIdle
}

// Stale reports whether the last request is to be noted.
func (s WebSession) Stale(now time.Time) bool { return now.Sub(s.Seen) >= seenEvery }

func tokenMAC(w *seal.Works, t Token) []byte { return w.MAC("web-session", []byte(t.text)) }

// PreparedSession is a session, sealed and ready for AddWebSession.
type PreparedSession struct {
	WebSession
	mac, record []byte
}

// PrepareWebSession makes a session that begins now and its token.
func PrepareWebSession(w *seal.Works, s WebSession, now time.Time) (*PreparedSession, Token, error) {
	t := NewToken()
	s.ID, s.Created, s.Seen, s.Expires = identity.NewID(), now, now, now.Add(WebLength)
	record, err := sealed(w, "web-session", s.ID, s.Device)
	return &PreparedSession{s, tokenMAC(w, t), record}, t, err
}

// AddWebSession begins a session, and ends what is over of the person's others, and
// the oldest of too many.
func AddWebSession(tx *store.Tx, s *PreparedSession) error {
	_, err := tx.Exec(`DELETE FROM web_session WHERE person_id = $1 AND (expires <= $2 OR seen <= $3 OR session_id <=
		(SELECT session_id FROM web_session WHERE person_id = $1 ORDER BY session_id DESC LIMIT 1 OFFSET $4))`,
		string(s.Person), store.Micros(s.Created), store.Micros(s.Created.Add(-WebIdle)), maxWebSessions-1)
	if err != nil {
		return fmt.Errorf("end old sessions of person %s: %w", s.Person, err)
	}
	_, err = tx.Exec(`INSERT INTO web_session (token_mac, person_id, session_id, box_id, proof, created, seen, expires, record)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)`,
		s.mac, string(s.Person), s.ID, string(s.Box), s.Proof, store.Micros(s.Created), store.Micros(s.Expires), s.record)
	if err != nil {
		return fmt.Errorf("begin a session of person %s: %w", s.Person, err)
	}
	return nil
}

const selectSession = `SELECT session_id, person_id, box_id, proof, created, seen, expires, record FROM web_session WHERE `

// FindWebSession returns the session of a token, over or not; its label stays
// sealed. It fails with fault.Denied "session-unknown".
func FindWebSession(tx *store.Tx, w *seal.Works, t Token) (WebSession, error) {
	s, _, err := scanSession(tx.QueryRow(selectSession+`token_mac = $1`, tokenMAC(w, t)))
	if errors.Is(err, store.ErrNoRows) {
		return WebSession{}, fault.New(fault.Denied, "session-unknown")
	}
	return s, err
}

// WebSessions returns the sessions of a person that are not over, the newest first.
func WebSessions(tx *store.Tx, w *seal.Works, person identity.PersonID, now time.Time) ([]WebSession, error) {
	rows, err := tx.Query(selectSession+`person_id = $1 ORDER BY session_id DESC`, string(person))
	if err != nil {
		return nil, fmt.Errorf("sessions of person %s: %w", person, err)
	}
	defer rows.Close()
	var out []WebSession
	for rows.Next() {
		s, record, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		if s.Ended(now) {
			continue
		}
		if s.Device, err = opened[string](w, "web-session", s.ID, record); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func scanSession(row interface{ Scan(...any) error }) (s WebSession, record []byte, err error) {
	var person, box string
	var created, seen, expires int64
	if err := row.Scan(&s.ID, &person, &box, &s.Proof, &created, &seen, &expires, &record); err != nil {
		return WebSession{}, nil, err
	}
	s.Person, s.Box = identity.PersonID(person), BoxID(box)
	s.Created, s.Seen, s.Expires = store.Time(created), store.Time(seen), store.Time(expires)
	return s, record, nil
}

// SeenWebSession notes a request.
func SeenWebSession(tx *store.Tx, person identity.PersonID, id string, now time.Time) error {
	_, err := tx.Exec(`UPDATE web_session SET seen = $3 WHERE person_id = $1 AND session_id = $2 AND seen < $3`,
		string(person), id, store.Micros(now))
	if err != nil {
		return fmt.Errorf("note a request of person %s: %w", person, err)
	}
	return nil
}

// EndWebSession ends one session of a person. It fails with fault.NotFound
// "session-unknown".
func EndWebSession(tx *store.Tx, person identity.PersonID, id string) error {
	n, err := tx.Exec(`DELETE FROM web_session WHERE person_id = $1 AND session_id = $2`, string(person), id)
	if err != nil {
		return fmt.Errorf("end a session of person %s: %w", person, err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "session-unknown")
	}
	return nil
}

// EndOtherWebSessions ends all sessions of a person but one, and returns how many.
func EndOtherWebSessions(tx *store.Tx, person identity.PersonID, but string) (int64, error) {
	n, err := tx.Exec(`DELETE FROM web_session WHERE person_id = $1 AND session_id <> $2`, string(person), but)
	if err != nil {
		return 0, fmt.Errorf("end the other sessions of person %s: %w", person, err)
	}
	return n, nil
}

// SweepWebSessions forgets sessions that are over, at most limit of them, and
// returns how many: timed work calls it.
func SweepWebSessions(tx *store.Tx, now time.Time, limit int) (int64, error) {
	n, err := tx.Exec(`DELETE FROM web_session WHERE token_mac IN (SELECT token_mac FROM web_session WHERE seen <= $1 ORDER BY seen LIMIT $2)`,
		store.Micros(now.Add(-WebIdle)), limit)
	if err != nil {
		return 0, fmt.Errorf("sweep sessions: %w", err)
	}
	return n, nil
}
