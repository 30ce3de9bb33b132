package queue

import (
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// DefaultExpiry is how long a job is tried (spec mssante 6.12: fail after 48 h).
const DefaultExpiry = 48 * time.Hour

// Bounds of a job's strings and payload, in bytes.
const (
	maxID      = 128
	maxKind    = 64
	maxGroup   = 255 // a domain, RFC 1035 2.3.4
	maxReason  = 64
	maxPayload = 1 << 20
)

// ID names a job: made by who adds it, so that adding twice is seen.
type ID string

// Job is something to do, at least once.
type Job struct {
	// ID is unique among the jobs that are not done.
	ID ID
	// Kind names the handler.
	Kind string
	// Group is what is limited together, such as the recipient's domain; it may be empty.
	Group string
	// Due is when it is wanted; zero is now. A handler sees when it was wanted last.
	Due time.Time
	// Expires is when to give up; zero is DefaultExpiry after Due.
	Expires time.Time
	// Held sets the job aside from the start.
	Held bool
	// Payload is sealed by the caller.
	Payload []byte

	// Attempts counts the attempts, the present one included. Add ignores it.
	Attempts int
	// Added is when the job was added. Add ignores it.
	Added time.Time
	// Reason is the reason id of the last failure. Add ignores it.
	Reason string

	epoch  int64 // of the lease under which a handler runs
	claims int64 // since the last settled attempt
}

// Topic returns the topic that is published when a job of a kind was added.
func Topic(kind string) string { return "queue:" + kind }

// Add adds a job in the caller's transaction, with one INSERT. Faults: Conflict
// "job-exists" when the id is taken, which harms nothing; Internal "job-malformed".
func Add(tx *store.Tx, j Job) error {
	if j.ID == "" || len(j.ID) > maxID || j.Kind == "" || len(j.Kind) > maxKind ||
		len(j.Group) > maxGroup || len(j.Payload) > maxPayload {
		return fault.New(fault.Internal, "job-malformed")
	}
	if j.Due.IsZero() {
		j.Due = tx.Now()
	}
	if j.Expires.IsZero() {
		j.Expires = j.Due.Add(DefaultExpiry)
	}
	if j.Payload == nil {
		j.Payload = []byte{}
	}
	n, err := tx.Exec(`INSERT INTO queue_job
		(id, kind, grp, held, due, wake, epoch, claims, holder, attempts, added, expires, reason, payload)
		VALUES ($1, $2, $3, $4, $5, $5, 0, 0, '', 0, $6, $7, '', $8) ON CONFLICT (id) DO NOTHING`,
		string(j.ID), j.Kind, j.Group, flag(j.Held), store.Micros(j.Due),
		store.Micros(tx.Now()), store.Micros(j.Expires), j.Payload)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "job-exists")
	}
	tx.Changed(Topic(j.Kind))
	return nil
}

// Hold sets a job aside until Unhold. If it is running, the attempt goes on; only a
// further one waits. Faults: NotFound "job-unknown".
func Hold(tx *store.Tx, id ID, reason string) error {
	n, err := tx.Exec(`UPDATE queue_job SET held = 1, reason = $1 WHERE id = $2`, short(reason), string(id))
	return one(n, err)
}

// Unhold puts a held job back among the others; it is due when it was. A job that
// was held because it expired is given expires anew; zero leaves it. Faults:
// NotFound "job-unknown".
func Unhold(tx *store.Tx, id ID, expires time.Time) error {
	var kind string
	row := tx.QueryRow(`UPDATE queue_job SET held = 0,
		expires = CASE WHEN $1 > expires THEN $1 ELSE expires END WHERE id = $2 RETURNING kind`, expiry(expires), string(id))
	if err := row.Scan(&kind); err != nil {
		return unknown(err)
	}
	tx.Changed(Topic(kind))
	return nil
}

func expiry(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Micros(t)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// short cuts a reason to what the column should hold; reason ids are short.
func short(reason string) string {
	if len(reason) > maxReason {
		return reason[:maxReason]
	}
	return reason
}

func one(n int64, err error) error {
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "job-unknown")
	}
	return err
}
