package smtpd

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	// inSize is the input buffer: one TLS record of plaintext (RFC 8446 5.1), and
	// more than the longest line.
	inSize = 16 << 10
	// outSize is how much we say before the peer must have read it.
	outSize = 4 << 10
	// maxLine is a command line without CRLF. RFC 5321 4.5.3.1.4 gives 512; DSN,
	// SIZE, BODY, SMTPUTF8 and AUTH add about 1,300 (RFC 3461 5.4, RFC 4954 3).
	maxLine = 2048
	// maxSASL is a line of an AUTH exchange (RFC 4954 4).
	maxSASL = 12288
	// confirm is how long octets that the kernel has may take to come through TLS.
	confirm = 5 * time.Millisecond
)

// stopped is an error that ends the connection, by reason id.
type stopped struct {
	reason string
	err    error
}

func (s *stopped) Error() string {
	if s.err == nil {
		return s.reason
	}
	return s.reason + ": " + s.err.Error()
}

func (s *stopped) Unwrap() error { return s.err }

// wire reads lines and octets from one stream (TCP before the handshake, TLS
// after) and writes replies to it. It buffers both ways: input as it comes,
// output until the next wait for the peer.
type wire struct {
	conn  net.Conn
	leash *leash
	raw   syscall.RawConn // of the TCP connection; nil if it has none
	write time.Duration

	buf  []byte
	r, w int
	full bool // the last read filled buf: there may be more above the socket
	out  []byte
}

// newWire returns a wire over conn, whose deadlines are the leash's.
func newWire(conn net.Conn, l *leash, write time.Duration) *wire {
	w := &wire{conn: conn, leash: l, write: write, buf: make([]byte, inSize)}
	if sc, ok := l.raw.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			w.raw = raw
		}
	}
	return w
}

// buffered returns the input that was read and not yet consumed.
func (w *wire) buffered() []byte { return w.buf[w.r:w.w] }

// fill says what is to be said, then waits for input until by.
func (w *wire) fill(by time.Time) error {
	if err := w.flush(); err != nil {
		return err
	}
	if w.r > 0 {
		w.w = copy(w.buf, w.buf[w.r:w.w])
		w.r = 0
	}
	w.leash.until(by)
	n, err := w.conn.Read(w.buf[w.w:])
	w.w += n
	w.full = w.w == len(w.buf)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		if w.leash.pulled() {
			return &stopped{reason: reasonClosing}
		}
		return &stopped{reason: reasonSilent}
	case errors.Is(err, net.ErrClosed): // cut by Shutdown
		return &stopped{reason: reasonClosing}
	case err == nil:
		err = io.ErrNoProgress
	}
	return &stopped{reason: reasonGone, err: err}
}

// line returns the next command line without its CRLF, at most limit octets. The
// slice is valid until the next read. The error is a *stopped.
func (w *wire) line(limit int, by time.Time) ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(w.buf[w.r+seen:w.w], '\n'); i >= 0 {
			line := w.buf[w.r : w.r+seen+i]
			w.r += seen + i + 1
			return checkLine(line, limit)
		}
		seen = w.w - w.r
		if seen > limit+1 {
			return nil, tooLong(limit)
		}
		if err := w.fill(by); err != nil {
			return nil, err
		}
	}
}

// checkLine takes the CR off a line and refuses what no client sends: RFC 5321
// 2.3.8, CR and LF only together; 4.1.1, no NUL.
func checkLine(line []byte, limit int) ([]byte, error) {
	end := len(line) - 1
	switch {
	case bytes.IndexByte(line, '\r') != end || end < 0:
		return nil, &stopped{reason: reasonLineEnd}
	case bytes.IndexByte(line, 0) >= 0:
		return nil, &stopped{reason: reasonLineNUL}
	case end > limit:
		return nil, tooLong(limit)
	}
	return line[:end], nil
}

// tooLong names the limit that was broken.
func tooLong(limit int) error {
	if limit == maxSASL {
		return &stopped{reason: reasonSASLLong}
	}
	return &stopped{reason: reasonLineLong}
}

// say appends a reply to the output.
func (w *wire) say(r Reply) {
	if r.Code != 0 {
		w.out = append(r.appendTo(w.out), '\r', '\n')
	}
}

// flush writes what is to be said; the peer has the write deadline to take it.
func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	w.conn.SetWriteDeadline(time.Now().Add(w.write))
	_, err := w.conn.Write(w.out)
	w.out = w.out[:0]
	if err == nil {
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &stopped{reason: reasonDeaf, err: err}
	}
	return &stopped{reason: reasonGone, err: err}
}

// pressed reports whether the peer seems to have sent more than was consumed,
// without reading: in the buffer, or in the kernel (as TLS records, then).
func (w *wire) pressed() bool {
	return w.r < w.w || w.full || w.raw != nil && readable(w.raw)
}

// talks reports whether the peer has sent more than was consumed. It reads only
// when there is something, or, given a patience, waits that long for it.
func (w *wire) talks(patience time.Duration) bool {
	if w.r < w.w {
		return true
	}
	if patience == 0 {
		if !w.pressed() {
			return false
		}
		patience = confirm
	}
	return w.fill(time.Now().Add(patience)) == nil
}

// forget clears the input that was consumed: it held a password.
func (w *wire) forget() { clear(w.buf[:w.r]) }

const (
	// lingerTime and lingerOctets bound how long a peer that is still sending may
	// take to read our last words: closing earlier would reset the connection
	// under them.
	lingerTime   = time.Second
	lingerOctets = 4 << 20
)

// linger says the last words, ends our side of the stream and reads to nowhere
// until the peer has closed.
func (w *wire) linger() {
	if w.flush() != nil {
		return
	}
	if w.conn != w.leash.raw {
		endWriting(w.conn)
	}
	endWriting(w.leash.raw)
	w.leash.until(time.Now().Add(lingerTime))
	_, _ = io.CopyBuffer(onlyWriter{}, io.LimitReader(w.leash.raw, lingerOctets), w.buf)
}

// endWriting ends our side of a stream, TLS or TCP.
func endWriting(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the peer may be gone
	}
}

// onlyWriter discards, in the buffer it is given.
type onlyWriter struct{}

func (onlyWriter) Write(p []byte) (int, error) { return len(p), nil }
