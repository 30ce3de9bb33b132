// Package porter is the only way in: from a credential to a principal, and for
// those who come to read, to the released keys of one space.
//
//	peer, err := p.Peer(ctx, caller)            // another operator, at the MX
//	sender, err := p.Sender(ctx, caller, creds) // a person or machine that submits
//	session, err := p.Open(ctx, proof)          // a person who reads (IMAP, web)
//
// Every login is paced and leaves an audit leaf, failures included; without the
// leaf nobody comes in. A release of keys writes its leaf first. A peer's leaves are
// those of its letters, and the door's of what was refused.
//
// What is asked of whom (DESIGN section 5):
//
//	PER, ORG, CAB   a client certificate of the box (EXTERNAL), or certificate and app password
//	APP             a client certificate of the box (EXTERNAL); never a password
//	patient         an app password
//
// The certificate beside a password is of the same person. A box that is closed or
// opposed lets nobody in. An unknown box, a wrong password and a missing right are
// answered alike: fault.Denied "login-failed", after the same work. Only the log and
// the leaf have the reason.
package porter
