package node

import (
	"net"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/relay"
)

// route is workers.routes over the DNS.
func (c *Config) route() relay.Route {
	table := make(map[identity.Domain]relay.Hop, len(c.Workers.Routes))
	for domain, r := range c.Workers.Routes {
		table[identity.Domain(domain)] = relay.Hop{Host: r[0], Addr: r[1]}
	}
	return relay.Fixed(table, relay.ByMX(net.DefaultResolver))
}
