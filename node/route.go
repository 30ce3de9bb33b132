package node

import (
	"net"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/relay"
)

// route is workers.routes over the DNS.
func (c *Config) route() relay.Route {
	table := make(map[identity.Domain]relay.Hop, len(c.Workers.Routes))
	for name, r := range c.Workers.Routes {
		if domain, err := identity.ParseDomain(name); err == nil { // Check holds it
			table[domain] = relay.Hop{Host: r[0], Addr: r[1]}
		}
	}
	return relay.Fixed(table, relay.ByMX(net.DefaultResolver))
}
