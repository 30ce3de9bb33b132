package porter

import (
	"context"
	"encoding/hex"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Peer identifies another operator at the MX: a certificate of the trust space,
// in date, not revoked, whose subject stands in the whitelist (spec mssante 1.12).
// It fails with the reasons of certs.Checker, or fault.Denied "peer-not-listed".
func (p *Porter) Peer(ctx context.Context, c delivery.Caller) (delivery.Peer, error) {
	verdict, err := p.Checker.Check(ctx, c.TLS.PeerCertificates, certs.AsPeer, p.opts.Clock())
	if err != nil {
		return delivery.Peer{}, err
	}
	switch space := p.Trust(); {
	case space == nil:
		return delivery.Peer{}, fault.New(fault.Transient, "whitelist-unavailable")
	case !space.Knows(verdict.DN):
		return delivery.Peer{}, fault.New(fault.Denied, "peer-not-listed")
	}
	return delivery.Peer{DN: verdict.DN, By: identity.Principal{
		Person: identity.PersonID("operator:" + verdict.DN.String()), Role: "peer", Credential: "certificate",
		Pseudonym: hex.EncodeToString(p.Works.MAC("pseudonym", []byte(verdict.DN.String()))),
	}}, nil
}
