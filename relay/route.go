package relay

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Hop is a host that takes letters for a domain.
type Hop struct {
	// Host is the name that its certificate must hold.
	Host string
	// Addr is host:port to connect to.
	Addr string
}

// Route finds the hosts of a domain, the best first. It fails with fault.Transient
// "route-unknown" when nothing can be said now, fault.Denied "route-none" when the
// domain takes no mail.
type Route func(ctx context.Context, domain identity.Domain) ([]Hop, error)

// ByMX looks hosts up in the DNS (RFC 5321 5.1), port 25.
func ByMX(r *net.Resolver) Route {
	return func(ctx context.Context, domain identity.Domain) ([]Hop, error) {
		records, err := r.LookupMX(ctx, string(domain))
		if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
			// RFC 5321 5.1: without MX the domain itself is the host.
			return []Hop{{Host: string(domain), Addr: net.JoinHostPort(string(domain), "25")}}, nil
		}
		if err != nil {
			return nil, fault.Wrap(fault.Transient, "route-unknown", err)
		}
		var hops []Hop
		for _, mx := range records {
			host := strings.TrimSuffix(mx.Host, ".")
			if host == "" { // RFC 7505: "." says no mail
				return nil, fault.New(fault.Denied, "route-none")
			}
			hops = append(hops, Hop{Host: host, Addr: net.JoinHostPort(host, "25")})
		}
		return hops, nil
	}
}

// Fixed answers from a table and asks next for every other domain; next may be nil.
func Fixed(table map[identity.Domain]Hop, next Route) Route {
	return func(ctx context.Context, domain identity.Domain) ([]Hop, error) {
		if hop, ok := table[domain]; ok {
			return []Hop{hop}, nil
		}
		if next == nil {
			return nil, fault.New(fault.Transient, "route-unknown")
		}
		return next(ctx, domain)
	}
}
