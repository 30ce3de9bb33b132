package front

import (
	"bytes"
	"net"
	"time"
)

// Write takes the library's output. It is gathered until the command is answered
// or a TLS record is full; in IDLE it goes out at once.
func (f *Conn) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead != nil {
		return 0, f.dead
	}
	octets := p
	if f.muted {
		// RFC 9051 6.2.1: no greeting after STARTTLS; the library always sends one.
		end := bytes.IndexByte(octets, '\n')
		if end < 0 {
			return len(p), nil
		}
		octets = octets[end+1:]
		f.muted = false
	}
	octets = f.correct(octets)
	if f.out == nil && len(octets) > 0 {
		f.buf = f.gate.outs.Get().(*[outSize]byte) // the pool holds nothing else
		f.out = f.buf[:0]
	}
	for len(octets) > 0 {
		n := min(len(octets), outSize-len(f.out))
		f.out = append(f.out, octets[:n]...)
		octets = octets[n:]
		if len(f.out) >= outSize {
			if err := f.flush(); err != nil {
				return 0, err
			}
		}
	}
	if f.waiting {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// correct replaces two things that the library says wrongly. It writes each
// response in one piece.
func (f *Conn) correct(p []byte) []byte {
	if f.sasl && string(p) == "+ =\r\n" {
		return []byte("+ \r\n") // RFC 9051 6.2.2: an empty challenge is empty
	}
	// So it answers some of what it cannot parse (a mailbox name in bad modified
	// UTF-7, an unknown search key). Our session has no error that leads there, so
	// it is always the client's.
	tag, ok := bytes.CutSuffix(p, []byte(" NO [SERVERBUG] Internal server error\r\n"))
	if ok && string(tag) == f.current.tag {
		return []byte(f.current.tag + " BAD The command was not understood\r\n")
	}
	return p
}

// flush writes what was gathered. The caller holds mu.
func (f *Conn) flush() error {
	if f.dead != nil || len(f.out) == 0 {
		return f.dead
	}
	if _, err := f.tls.Write(f.out); err != nil {
		f.dead = net.ErrClosed
		f.guard.Close() // whoever reads must not wait for a client that does not
		return f.dead
	}
	f.out = f.out[:0]
	if f.waiting { // an idle connection keeps no buffer
		f.giveBack()
	}
	return nil
}

// giveBack returns the output buffer. The caller holds mu.
func (f *Conn) giveBack() {
	if f.buf != nil {
		f.gate.outs.Put(f.buf)
	}
	f.buf, f.out = nil, nil
}

// Close ends the connection. The library calls it last.
func (f *Conn) Close() error {
	f.closeOnce.Do(func() {
		f.cancel()
		f.mu.Lock()
		_ = f.flush()
		if f.dead == nil {
			f.dead = net.ErrClosed
		}
		f.giveBack()
		f.mu.Unlock()
		_ = f.tls.Close()
		f.gate.left(f)
	})
	return nil
}

// bye is what a shutdown does to a connection.
func (f *Conn) bye() { f.HangUp("The server is shutting down") }

// HangUp ends the connection with BYE at the end of the current command. Any
// goroutine may call it.
func (f *Conn) HangUp(why string) {
	f.farewell.CompareAndSwap(nil, &why)
	f.guard.interrupt()
}

// Abort ends the connection at once: what the client has of a response is wrong.
func (f *Conn) Abort() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = net.ErrClosed
	f.guard.Close()
}

// outSize is how much output is gathered before it is written: one TLS record.
const outSize = 16 << 10

// LocalAddr returns our end's address.
func (f *Conn) LocalAddr() net.Addr { return f.guard.LocalAddr() }

// RemoteAddr returns the client's address.
func (f *Conn) RemoteAddr() net.Addr { return f.guard.RemoteAddr() }

// SetDeadline does nothing: see [guard].
func (f *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: see [guard].
func (f *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: see [guard].
func (f *Conn) SetWriteDeadline(time.Time) error { return nil }
