package front

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/identity"
)

// receive starts a visit, if there is room for one more.
func (g *Gate) receive(c net.Conn, implicit bool) {
	if !g.total.Enter(struct{}{}, g.bounds.Conns) {
		g.log.Warn("imap.full")
		c.Close()
		return
	}
	remote, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	id := identity.NewID()
	v := &visit{gate: g, id: id, remote: remote, guard: newGuard(c, g.bounds), log: g.log.With("conn", id)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		c.Close()
		g.total.Leave(struct{}{})
		return
	}
	g.open[c] = v
	g.done.Add(1)
	go g.welcome(v, implicit)
}

// welcome takes a visit to the library, or to its end.
func (g *Gate) welcome(v *visit, implicit bool) {
	v.log.Info("imap.open", slog.String("remote", v.remote.Addr().String()))
	key := peerKey(v.remote.Addr())
	counted := g.peers.Enter(key, g.bounds.PerPeer)
	f, err := g.negotiate(v, implicit, counted)
	if err == nil {
		g.mu.Lock()
		g.open[v.guard.Conn] = f
		closing := v.closing.Load() || g.closed
		g.mu.Unlock()
		if closing {
			f.bye()
		}
		if g.inlet.put(f) {
			return // f.Close will lead to left
		}
		_ = f.Close()
		return
	}
	v.log.Info("imap.ended", slog.Any("error", err))
	v.guard.Close()
	g.gone(v.guard.Conn, key, counted)
}

// errCrowded is a peer with too many connections.
var errCrowded = errors.New("too many connections of one peer")

// negotiate leads to TLS. A peer over its number of connections is told so.
func (g *Gate) negotiate(v *visit, implicit, counted bool) (*Conn, error) {
	if !counted && !implicit {
		return nil, errors.Join(errCrowded, v.say("* BYE [LIMIT] Too many connections"))
	}
	if !implicit {
		if err := v.converse(); err != nil {
			return nil, err
		}
	}
	t, err := v.secure(g.ctx, g.tls)
	if err != nil {
		return nil, err
	}
	if !counted {
		_, err := t.Write([]byte("* BYE [LIMIT] Too many connections\r\n"))
		return nil, errors.Join(errCrowded, err, t.Close())
	}
	return newConn(g, v, t), nil
}

// left is called when a session is over.
func (g *Gate) left(f *Conn) {
	f.log.Info("imap.close")
	g.gone(f.guard.Conn, peerKey(f.remote.Addr()), true)
}

// gone forgets a connection.
func (g *Gate) gone(c net.Conn, peer netip.Prefix, counted bool) {
	g.mu.Lock()
	delete(g.open, c)
	g.mu.Unlock()
	g.total.Leave(struct{}{})
	if counted {
		g.peers.Leave(peer)
	}
	g.done.Done()
}
