package porter

import (
	"cmp"
	"context"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"time"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/pace"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Parts are the things a porter works with; all are required.
type Parts struct {
	DB       *store.DB
	Platform seal.Platform
	Works    *seal.Works
	Checker  *certs.Checker
	// Trust returns the whitelist in force, nil if there is none.
	Trust func() *trust.Space
	Log   *slog.Logger
}

// Options adjusts a porter. The zero value is safe.
type Options struct {
	// PasswordAlone lets professionals log in with an app password and no
	// certificate. Professional operators require mutual TLS from their people:
	// leave it off.
	PasswordAlone bool
	// Name is the operator's, as a device shows it beside the codes of a second
	// factor; empty is "Vaguemestre".
	Name string
	// Sessions bounds how many web sessions have their keys released in this process
	// at once; zero is 10,000. Beyond it the longest silent one releases them anew at
	// its next request.
	Sessions int
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// Porter is the way in of one operator, safe for concurrent use.
type Porter struct {
	Parts
	opts Options
	// Failed logins empty a bucket; an empty bucket refuses without looking at the
	// password. A box is paced per network that asks for it, so that nobody can lock
	// its holder out from elsewhere; a network is paced as a whole, far more
	// generously, since a hospital comes from one address.
	perBox, perNetwork *pace.Pacer
	// Codes of a second factor are few: they are paced per person, wherever from.
	// Only who has the password gets that far, so nobody else can lock them out.
	perCode *pace.Pacer

	hasher *account.Hasher
	rings  rings
}

// The rates let a person mistype and a guesser despair.
const (
	boxEvery     = 6 * time.Second
	boxBurst     = 10
	networkEvery = time.Second
	networkBurst = 200
	codeEvery    = time.Minute // with three good codes of a million: one guess in 230 days
	codeBurst    = 10
	paceKeys     = 200_000
)

// New returns a porter.
func New(p Parts, o Options) *Porter {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Name = cmp.Or(o.Name, "Vaguemestre")
	return &Porter{
		Parts: p, opts: o,
		perBox:     pace.New(pace.Rate{Every: boxEvery, Burst: boxBurst}, paceKeys),
		perNetwork: pace.New(pace.Rate{Every: networkEvery, Burst: networkBurst}, paceKeys),
		perCode:    pace.New(pace.Rate{Every: codeEvery, Burst: codeBurst}, paceKeys),
		hasher:     account.NewHasher(),
		rings:      rings{most: cmp.Or(o.Sessions, maxRings), clock: o.Clock, held: make(map[string]*ring)},
	}
}

// errLogin is the one answer to every login that fails: it tells nothing of what
// was wrong.
func errLogin() error { return fault.New(fault.Denied, "login-failed") }

// network is what failed attempts from one place share: an IPv4 address or an
// IPv6 /64.
func network(a netip.Addr) string {
	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

// checkClient judges a client certificate for a person's or machine's box.
func (p *Porter) checkClient(ctx context.Context, chain []*x509.Certificate) (certs.Verdict, error) {
	return p.Checker.Check(ctx, chain, certs.AsClient, p.opts.Clock())
}

// note writes the audit leaf of an attempt that released nothing.
func (p *Porter) note(ctx context.Context, l audit.Leaf) {
	err := p.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return audit.Append(tx, l) })
	if err != nil {
		p.Log.Error("audit.attempt.lost", "component", "porter", "act", l.Act, "error", err)
	}
}
