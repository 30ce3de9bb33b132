// Package wiretest speaks SMTP and IMAP as plainly as a test needs it: a line at a
// time, every octet under the caller's eyes, nothing re-encoded.
//
//	c, err := wiretest.DialSMTP(addr, config)      // greeting, EHLO, STARTTLS, EHLO
//	reply, err := c.Send(from, []string{to}, letter)
//	b, err := wiretest.DialIMAP(addr, config)      // TLS from the first octet
//	err = b.Login(user, password)
//	letter, err := b.Fetch(uid)
//
// It is for tests and benchmarks only; it trusts the server no more than it must
// to end.
package wiretest
