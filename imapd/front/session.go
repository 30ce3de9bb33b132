package front

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"time"
)

// What a session asks of its connection. All of it is for the library's goroutine,
// between two reads, as are [Conn.HangUp] and [Conn.Abort].

// ID names the connection in logs and traces.
func (f *Conn) ID() string { return f.id }

// Remote is the client's address.
func (f *Conn) Remote() netip.AddrPort { return f.remote }

// Log is the connection's logger.
func (f *Conn) Log() *slog.Logger { return f.log }

// Context ends when the connection does.
func (f *Conn) Context() context.Context { return f.ctx }

// Cancel ends the context: what still runs for the connection is to stop.
func (f *Conn) Cancel() { f.cancel() }

// TLS is the finished handshake.
func (f *Conn) TLS() tls.ConnectionState { return f.tls.ConnectionState() }

// Command is the name of the command under way, in upper case; for UID commands
// "UID FETCH" and so on.
func (f *Conn) Command() string { return f.current.name }

// Args are the arguments of the command under way: one line without literals.
func (f *Conn) Args() string {
	line := f.current.line[len(f.current.tag)+1+len(f.current.name):]
	return string(line[:len(line)-len(crlf)])
}

// Proved says that the client has logged in: it may now do more, for longer.
func (f *Conn) Proved() {
	f.proven, f.in.bounds, f.until = true, lateBounds(), time.Now().Add(f.gate.bounds.Session)
}

// Failed counts a refused login; a few end the connection.
func (f *Conn) Failed() { f.failures++ }

// Asking says that the next line answers a SASL challenge.
func (f *Conn) Asking(asking bool) { f.sasl = asking }

// Upload is the message of the APPEND under way, nil if it announced none. Taking
// it says that the library has come to its literal.
func (f *Conn) Upload() *Upload {
	if f.letter != nil {
		f.letter.reached = true
	}
	return f.letter
}

// Continued reports whether the APPEND went on after its message.
func (u *Upload) Continued() bool { return errors.Is(u.err, errTail) }

// Err is what went wrong with the connection during the upload, nil if nothing did.
func (u *Upload) Err() error {
	if errors.Is(u.err, io.EOF) || errors.Is(u.err, errTail) {
		return nil
	}
	return u.err
}
