package node

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// problem is one thing that is wrong with a configuration.
type problem struct {
	line int // of the key, 0 when the file does not set it
	text string
}

// problems collects what is wrong.
type problems struct {
	lines map[string]int
	found []problem
}

// need notes a problem with a key unless ok. The text goes on after the key.
func (p *problems) need(ok bool, key, format string, args ...any) {
	if !ok {
		p.found = append(p.found, problem{p.lines[key], key + " " + fmt.Sprintf(format, args...)})
	}
}

// err returns everything that was found, by line; what is missing comes last.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b problem) int {
		return cmp.Or(cmp.Compare(uint(a.line-1), uint(b.line-1)), cmp.Compare(a.text, b.text))
	})
	all := make([]error, len(p.found))
	for i, f := range p.found {
		all[i] = errors.New(f.text)
		if f.line > 0 {
			all[i] = fmt.Errorf("line %d: %s", f.line, f.text)
		}
	}
	return fault.Wrap(fault.Invalid, "config-incomplete", errors.Join(all...))
}

// Check explains everything that is wrong, not only the first thing. It fails with
// fault.Invalid "config-incomplete".
func (c *Config) Check() error {
	p := &problems{lines: c.lines}
	c.checkOperator(p)
	for key, value := range map[string]string{
		"storage.platform_key": c.Storage.PlatformKey, "certificate.cert": c.Certificate.Cert, "certificate.key": c.Certificate.Key,
		"trust.roots": c.Trust.Roots, "trust.issuers": c.Trust.Issuers, "trust.state": c.Trust.State,
		"trust.whitelist": c.Trust.Whitelist, "trust.signer_dn": c.Trust.SignerDN,
	} {
		p.need(value != "", key, "is empty")
	}
	if c.Trust.SignerDN != "" {
		_, err := identity.ParseDN(c.Trust.SignerDN)
		p.need(err == nil, "trust.signer_dn", "is no distinguished name: write it as the list does, CN=…,OU=…,O=…,ST=…,C=FR")
	}
	c.checkStorage(p)
	c.checkDoors(p)
	for key, d := range map[string]Duration{"trust.every": c.Trust.Every, "trust.fail_closed": c.Trust.FailClosed} {
		p.need(d >= 0, key, "is %s: write a duration that is not negative", time.Duration(d))
	}
	for key, n := range map[string]int64{
		"limits.max_size": c.Limits.MaxSize, "limits.inline": int64(c.Limits.Inline),
		"limits.connections": int64(c.Limits.Connections), "limits.connections_per_peer": int64(c.Limits.ConnectionsPerPeer),
	} {
		p.need(n >= 0, key, "is %d: write 0 for the default, or more", n)
	}
	p.need(c.Limits.MaxSize < 4<<30, "limits.max_size", "is %d: IMAP knows letters under 4 GiB only", c.Limits.MaxSize)
	if c.Log.Level != "" {
		p.need(new(slog.LevelVar).UnmarshalText([]byte(c.Log.Level)) == nil,
			"log.level", "is %q: write debug, info, warn or error", c.Log.Level)
	}
	return p.err()
}

func (c *Config) checkOperator(p *problems) {
	o := c.Operator
	p.need(o.Name != "" && !strings.ContainsFunc(o.Name, func(r rune) bool { return r <= ' ' || r == '+' || r > '~' }),
		"operator.name", "is %q: give a short name without spaces, such as \"chu-riviere\"", o.Name)
	p.need(o.Kind == "professional" || o.Kind == "patient",
		"operator.kind", "is %q: write \"professional\" or \"patient\"", o.Kind)
	_, err := identity.ParseDomain(o.Host)
	p.need(err == nil, "operator.host", "is %q: give the host name of the operator's certificate", o.Host)
	p.need(len(o.Domains) > 0, "operator.domains", "is empty: list the domains whose boxes live here")
	for _, d := range o.Domains {
		_, err := identity.ParseDomain(d)
		p.need(err == nil, "operator.domains", "holds %q, which is no domain name", d)
	}
}

// checkStorage looks at schemes only: the rest of an address may hold a password.
func (c *Config) checkStorage(p *problems) {
	for key, s := range map[string]struct{ url, built, later string }{
		"storage.store": {c.Storage.Store, "sqlite:PATH postgres://… postgresql://…", ""},
		"storage.blob":  {c.Storage.Blob, "file:DIR", "s3:"},
		"storage.bus":   {cmp.Or(c.Storage.Bus, "mem:"), "mem:", "redis: rediss:"},
	} {
		scheme, _, ok := strings.Cut(s.url, ":")
		knows := func(list string) bool {
			return ok && slices.ContainsFunc(strings.Fields(list), func(form string) bool { return strings.HasPrefix(form, scheme+":") })
		}
		switch {
		case s.url == "":
			p.need(false, key, "is empty: write %s", s.built)
		case knows(s.later):
			p.need(false, key, "names %s:, which is not built yet: write %s", scheme, s.built)
		default:
			p.need(knows(s.built), key, "has another form than %s", s.built)
		}
	}
}

func (c *Config) checkDoors(p *problems) {
	l := c.Listen
	for key, addr := range map[string]string{
		"listen.mx": l.MX, "listen.submission": l.Submission, "listen.submissions": l.Submissions,
		"listen.imap": l.IMAP, "listen.imaps": l.IMAPS, "listen.https": l.HTTPS,
	} {
		p.need(addr == "" || hostPort(addr), key, "is %q: write host:port, or :port for every address", addr)
	}
	p.need((c.Web.Cert == "") == (c.Web.Key == ""), "web.cert", "and web.key go together: give both, or none")
	for _, name := range c.Web.Hosts {
		host, port, err := net.SplitHostPort(name)
		if err != nil {
			host, port = name, "443"
		}
		_, derr := identity.ParseDomain(host)
		number, perr := strconv.ParseUint(port, 10, 16)
		p.need(derr == nil && perr == nil && number > 0, "web.hosts", "holds %q: write \"name\" or \"name:port\", without https://", name)
	}
	for domain, route := range c.Workers.Routes {
		key := "workers.routes." + domain
		_, err := identity.ParseDomain(domain)
		p.need(err == nil, key, "is for %q, which is no domain name", domain)
		p.need(len(route) == 2 && hostPort(route[1]), key, "wants two values, host name and host:port")
	}
}

// hostPort reports whether s is host:port; the host may be empty.
func hostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}
