package imapd

import (
	"context"
	"crypto/tls"
	"io"
	"net/netip"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Desk decides who may come in.
type Desk interface {
	// Login opens a box for one session. Every refusal is a fault: Denied for
	// any doubt about who it is, OverQuota when attempts come too fast, Transient
	// when nothing can be said now. It audits and paces every attempt.
	Login(ctx context.Context, a Attempt) (Visitor, error)
}

// Attempt is a login as the client made it.
type Attempt struct {
	// Conn names the connection in logs and traces.
	Conn string
	// Remote is the client's address.
	Remote netip.AddrPort
	// TLS is the finished handshake; its peer certificates are not verified yet.
	TLS tls.ConnectionState
	// Mechanism is "LOGIN", "PLAIN" or "EXTERNAL".
	Mechanism string
	// Authzid is the identity to act as; empty means the authenticated one.
	Authzid string
	// User and Password are as sent; empty for EXTERNAL.
	User, Password string
}

// Visitor is a box opened for one session.
type Visitor interface {
	// By is who acts.
	By() identity.Principal
	// Box is the box as it was at login.
	Box() mailbox.Box
	// Keys are the box's private keys, usable until Close.
	Keys() *seal.Keyring
	// Close ends the release of the keys.
	Close()
}

// Filer files what a client appends.
type Filer interface {
	// Append files the message that r holds, and returns nil only when it is
	// durable. It reads r to io.EOF before it keeps anything: an error of r means
	// that the client is gone or that its command does not end where it should.
	// It may return early with a fault; the rest of the message is thrown away.
	Append(ctx context.Context, v Visitor, a Appended, r io.Reader) (mailbox.Placed, error)
}

// Appended is what APPEND says of a message.
type Appended struct {
	Folder mailbox.FolderID
	// Flags are those of the client, keywords of the box included.
	Flags mailbox.Flags
	// Internal is the date that the client gave, zero if none.
	Internal time.Time
	// Size is the announced size in octets.
	Size int64
}
