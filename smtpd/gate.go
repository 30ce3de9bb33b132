package smtpd

import (
	"net/netip"
	"sync"
)

// gate counts connections, in all and per peer.
type gate struct {
	total, perPeer int

	mu        sync.Mutex // guards what follows
	open      int
	peers     map[netip.Prefix]*peer
	strangers map[string]int // turned away, without a connection to remember them by
}

// peer is one remote address with connections, or with some turned away.
type peer struct {
	open   int
	turned map[string]int // by reason, since the peer had no connection
}

func newGate(l Limits) *gate {
	return &gate{total: l.Connections, perPeer: l.PerPeer, peers: map[netip.Prefix]*peer{}}
}

// peerOf returns what counts as one peer: an IPv4 address, an IPv6 /64.
func peerOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // the zero Prefix for the zero Addr: one peer too
	return p
}

// enter counts a connection in, or says why not; first tells whether it is the
// first time, so that a flood leaves one line in the log.
func (g *gate) enter(a netip.Addr) (reason string, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := peerOf(a)
	p := g.peers[key]
	switch {
	case p != nil && p.open >= g.perPeer:
		reason = reasonPeerFull
	case g.open >= g.total:
		reason = reasonFull
	default:
		if p == nil {
			p = &peer{}
			g.peers[key] = p
		}
		g.open++
		p.open++
		return "", false
	}
	turned := &g.strangers // together: they could fill the map
	if p != nil {
		turned = &p.turned
	}
	first = *turned == nil
	if first {
		*turned = map[string]int{}
	}
	(*turned)[reason]++
	return reason, first
}

// leave counts a connection out. It returns the strangers that were turned away
// while the door was full and, when it was the peer's last, what the peer was
// turned away for.
func (g *gate) leave(a netip.Addr) (turned, strangers map[string]int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := peerOf(a)
	p := g.peers[key]
	g.open--
	p.open--
	strangers, g.strangers = g.strangers, nil
	if p.open > 0 {
		return nil, strangers
	}
	delete(g.peers, key)
	return p.turned, strangers
}
