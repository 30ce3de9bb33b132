package trust

import (
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// SenderAllowed decides on MAIL FROM at the MX: the subject of the peer's
// certificate must be listed for the sender's domain (spec mssante 1.12). A zero
// from is the null sender "<>": any listed peer may use it; Admit later holds it
// to reports.
//
// Refusals (fault.Denied): "null-sender-peer-unknown", "sender-peer-unknown",
// "sender-outside-trust-space", "sender-not-of-this-operator". Without a list:
// fault.Transient, "whitelist-unavailable".
func SenderAllowed(s *Space, peer identity.DN, from identity.Address) error {
	switch {
	case s == nil:
		return fault.New(fault.Transient, "whitelist-unavailable")
	case from.IsZero() && !s.Knows(peer):
		return fault.New(fault.Denied, "null-sender-peer-unknown")
	case from.IsZero():
		return nil
	case !s.Knows(peer):
		return fault.New(fault.Denied, "sender-peer-unknown")
	case !s.Contains(from.Domain()):
		return fault.New(fault.Denied, "sender-outside-trust-space")
	case !s.Allows(peer, from.Domain()):
		return fault.New(fault.Denied, "sender-not-of-this-operator")
	}
	return nil
}

// RecipientInside decides on a recipient at submission and again at send: its
// domain must be listed (spec mssante 1.11, 1.14).
//
// Refusal: fault.Denied, "recipient-outside-trust-space". Without a list:
// fault.Transient, "whitelist-unavailable".
func RecipientInside(s *Space, to identity.Address) error {
	switch {
	case s == nil:
		return fault.New(fault.Transient, "whitelist-unavailable")
	case to.IsZero() || !s.Contains(to.Domain()):
		return fault.New(fault.Denied, "recipient-outside-trust-space")
	}
	return nil
}

// HostAllowed decides on the next hop, after the handshake: the subject of the
// server's certificate must be listed for the recipients' domain (spec mssante
// 1.11).
//
// Refusals (fault.Denied): "recipient-outside-trust-space",
// "host-not-of-this-domain". Without a list: fault.Transient,
// "whitelist-unavailable".
func HostAllowed(s *Space, host identity.DN, to identity.Domain) error {
	switch {
	case s == nil:
		return fault.New(fault.Transient, "whitelist-unavailable")
	case !s.Contains(to):
		return fault.New(fault.Denied, "recipient-outside-trust-space")
	case !s.Allows(host, to):
		return fault.New(fault.Denied, "host-not-of-this-domain")
	}
	return nil
}

// Facts are what is known of a letter when its content has come.
type Facts struct {
	// Peer is the subject of the operator's certificate at the MX; zero at submission.
	Peer identity.DN
	// Box is the box that submits; zero at the MX.
	Box identity.Address
	// Sender is the envelope sender; zero for "<>".
	Sender identity.Address
	// From is the one author in the header (see letter.Author); zero if unreadable.
	From identity.Address
	// Report says that the content is a delivery or disposition report
	// (multipart/report, RFC 3464 or RFC 8098).
	Report bool
}

// Admit decides on a letter: who wrote it must be who may write here. It repeats
// the decision on the sender, so that a list that changed meanwhile counts.
//
// At the MX, beside SenderAllowed's refusals (fault.Denied): "null-sender-not-a-report",
// "from-outside-trust-space", "from-not-of-this-operator". At submission:
// "sender-not-of-this-box", "from-not-of-this-box", "null-sender-not-a-report".
// With both or neither of Peer and Box set: fault.Denied, "sender-peer-unknown".
// Without a list: fault.Transient, "whitelist-unavailable".
func Admit(s *Space, f Facts) error {
	switch {
	case s == nil:
		return fault.New(fault.Transient, "whitelist-unavailable")
	case f.Peer.IsZero() == f.Box.IsZero():
		return fault.New(fault.Denied, "sender-peer-unknown")
	case f.Sender.IsZero() && !f.Report:
		// Spec mssante 1.12: "<>" is for DSN and MDN only.
		return fault.New(fault.Denied, "null-sender-not-a-report")
	case f.Box.IsZero():
		return admitPeer(s, f)
	}
	return admitBox(f)
}

// admitPeer decides on a letter from another operator.
func admitPeer(s *Space, f Facts) error {
	if err := SenderAllowed(s, f.Peer, f.Sender); err != nil {
		return err
	}
	switch {
	case f.From.IsZero() || !s.Contains(f.From.Domain()):
		return fault.New(fault.Denied, "from-outside-trust-space")
	case !s.Allows(f.Peer, f.From.Domain()):
		return fault.New(fault.Denied, "from-not-of-this-operator")
	}
	return nil
}

// admitBox decides on a letter from one of our own boxes.
func admitBox(f Facts) error {
	switch {
	case !f.Sender.IsZero() && !f.Sender.Equal(f.Box):
		return fault.New(fault.Denied, "sender-not-of-this-box")
	case f.From.IsZero() || !f.From.Equal(f.Box):
		return fault.New(fault.Denied, "from-not-of-this-box")
	}
	return nil
}
