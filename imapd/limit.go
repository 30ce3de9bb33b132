package imapd

import "time"

// Times bounds how long a client may take. A zero field means its default.
type Times struct {
	// PreAuth is the whole time from connecting to having logged in, the TLS
	// handshake included. Default 30 s (spec security 2.5).
	PreAuth time.Duration
	// Idle is the longest silence between commands and in IDLE. Default 35 min
	// (RFC 9051 5.4: at least 30 min).
	Idle time.Duration
	// Session is the longest life of a session, as keys are released for a bounded
	// time. Default 8 h (DESIGN 4).
	Session time.Duration
	// Command is the longest silence inside a command or a literal. Default 60 s.
	Command time.Duration
	// Write is the time for one write of at most 16 KiB. Default 30 s.
	Write time.Duration
	// Poll is how often a session looks for changes without having been told:
	// a lost notice costs that much. Default 30 s.
	Poll time.Duration
	// Penalty is the delay of the answer to a failed login. Default 1 s.
	Penalty time.Duration
}

// withDefaults fills the zero fields.
func (t Times) withDefaults() Times {
	orDuration(&t.PreAuth, 30*time.Second)
	orDuration(&t.Idle, 35*time.Minute)
	orDuration(&t.Session, 8*time.Hour)
	orDuration(&t.Command, time.Minute)
	orDuration(&t.Write, 30*time.Second)
	orDuration(&t.Poll, 30*time.Second)
	orDuration(&t.Penalty, time.Second)
	return t
}

func orDuration(d *time.Duration, otherwise time.Duration) {
	if *d <= 0 {
		*d = otherwise
	}
}

// Limits bounds how much clients may hold. A zero field means its default.
type Limits struct {
	// Conns is the number of open connections. Default 10,000.
	Conns int
	// PerPeer is the number of connections from one address. Default 64.
	PerPeer int
	// PerBox is the number of sessions on one box. Default 20 (spec security 2.5).
	PerBox int
	// Message is the largest message that APPEND takes, in octets. Default 25 MiB.
	Message int64
	// Scan is the number of octets that one SEARCH may decode. Default 4 GiB.
	Scan int64
}

// withDefaults fills the zero fields.
func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		have *int
		want int
	}{{&l.Conns, 10_000}, {&l.PerPeer, 64}, {&l.PerBox, 20}} {
		if *f.have <= 0 {
			*f.have = f.want
		}
	}
	if l.Message <= 0 {
		l.Message = 25 << 20
	}
	if l.Scan <= 0 {
		l.Scan = 4 << 30
	}
	return l
}
