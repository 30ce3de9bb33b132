package delivery

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/blob"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Desk tells who a caller is; package porter is the real one.
type Desk interface {
	// Peer identifies another operator by its certificate, or refuses it.
	Peer(ctx context.Context, c Caller) (Peer, error)
	// Sender identifies who submits, or refuses with fault.Denied "login-failed".
	Sender(ctx context.Context, c Caller, creds Credentials) (Sender, error)
}

// Peer is another operator of the trust space.
type Peer struct {
	// DN is the subject of its certificate.
	DN identity.DN
	// By is the peer as an actor.
	By identity.Principal
}

// Sender is who submits a letter, and from which box.
type Sender struct {
	By  identity.Principal
	Box mailbox.Box
}

// Parts are the things an office works with; all are required.
type Parts struct {
	DB       *store.DB
	Blobs    blob.Store
	Platform seal.Platform
	Works    *seal.Works
	Desk     Desk
	// Trust returns the whitelist in force, nil if there is none.
	Trust func() *trust.Space
	Log   *slog.Logger
}

// Options adjusts an office.
type Options struct {
	// Host is the name in trace fields and reports.
	Host identity.Domain
	// Domains are the domains whose boxes live here. The first one has the postmaster.
	Domains []identity.Domain
	// MaxSize is the largest letter in octets; zero is 25 MB (spec mssante 6.7).
	MaxSize int64
	// Inline is the largest sealed body in octets that is kept in its row instead
	// of a blob; zero is DefaultInline.
	Inline int
	// Limits bounds what a letter may cost to read.
	Limits letter.Limits
	// Depot opens the box depot@ of our domains, which files without a letter to
	// the patient; for operators of patients.
	Depot bool
	// Trouble may refuse a recipient; the demo forces failures with it.
	Trouble func(ctx context.Context, to identity.Address) error
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// DefaultMaxSize is the ceiling of letters to patients, encoded (spec mssante 6.7).
const DefaultMaxSize = 25 << 20

// DefaultInline was measured: up to here a row under group commit beats a file
// with two flushes, on both engines and at each number of writers (docs/bench.md).
const DefaultInline = 128 << 10

// MaxRecipients bounds one transaction (RFC 5321 4.5.3.1.8 asks for at least 100).
const MaxRecipients = 100

// Office is the sorting office of one operator.
type Office struct {
	Parts
	opts     Options
	book     *outcome.Book
	transit  transit
	answered answered
}

// New returns an office. Call Run to close replay windows.
func New(p Parts, o Options) *Office {
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.Inline == 0 {
		o.Inline = DefaultInline
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	office := &Office{Parts: p, opts: o, book: outcome.NewBook(p.Works)}
	office.answered.init()
	return office
}

// MaxSize returns the largest letter in octets.
func (o *Office) MaxSize() int64 { return o.opts.MaxSize }

// Host returns the name in trace fields.
func (o *Office) Host() identity.Domain { return o.opts.Host }

// Postmaster returns the address that reports come from.
func (o *Office) Postmaster() identity.Address {
	a, err := identity.ParseAddress("postmaster@" + string(o.opts.Domains[0]))
	if err != nil {
		panic(err) // our own domain is well-formed
	}
	return a
}

// Hosts reports whether the boxes of a domain live here.
func (o *Office) Hosts(d identity.Domain) bool { return slices.Contains(o.opts.Domains, d) }

// box finds one of our boxes that takes a letter of size octets now.
func (o *Office) box(ctx context.Context, to identity.Address, size int64) (mailbox.Box, error) {
	if o.opts.Trouble != nil {
		if err := o.opts.Trouble(ctx, to); err != nil {
			return mailbox.Box{}, err
		}
	}
	box, err := o.find(ctx, to)
	if err != nil {
		return box, err
	}
	return box, box.Takes(size)
}

// find finds one of our boxes.
func (o *Office) find(ctx context.Context, a identity.Address) (box mailbox.Box, err error) {
	err = o.DB.Read(ctx, func(tx *store.Tx) error {
		box, err = mailbox.Find(tx, o.Works, a)
		return err
	})
	return box, err
}

// sizeAllowed refuses an announced size over the limit.
func (o *Office) sizeAllowed(size int64) error {
	if size > o.opts.MaxSize {
		return fault.New(fault.Invalid, "letter-too-large")
	}
	return nil
}
