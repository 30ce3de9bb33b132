// Package porter is the only way in: from a credential to a principal, and for
// those who come to read, to the released keys of one space.
//
//	peer, err := p.Peer(ctx, caller)            // another operator, at the MX
//	sender, err := p.Sender(ctx, caller, creds) // a person or machine that submits
//	session, err := p.Open(ctx, proof)          // a person who reads with a mail client
//	session, err := p.SignIn(ctx, attempt)      // a person who reads on the web,
//	session, err := p.Resume(ctx, token)        // and goes on with it at each request
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
// On the web: login and password, and a code if the person switched a second factor
// on; PER, ORG and CAB show their certificate too. A code is asked for only after the
// password was right.
//
// The certificate beside a password is of the same person. A box that is closed or
// opposed lets nobody in. An unknown box, a wrong password and a missing right are
// answered alike: fault.Denied "login-failed", after the same work. Only the log and
// the leaf have the reason.
//
// # Sessions on the web
//
//	row     token hash, person, box, begin, last request, end    account.WebSession
//	memory  session -> released keys                             until idle, signed out, revoked,
//	                                                             eight hours old, or making room
//
// A session is its row; the keys are this process's, and are released again after a
// leaf where they are missing: after a restart, on another node, after eight hours.
// Every request reads the row, the box's state and the person's right. A new password
// or second factor ends the person's other sessions. What is ended on one node is
// refused by all at the next request; keys that another node still holds for it are
// wiped there when they have been idle for 30 minutes.
package porter
