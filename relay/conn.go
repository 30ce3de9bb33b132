package relay

import (
	"net"
	"strings"
)

// hopConn stands between the client and the TLS connection of a next hop.
//
// It gives the client the greeting that it waits for: the real one was read
// before TLS. And it says goodbye together with the final dot, where the hop takes
// pipelined commands (RFC 2920 3.1: QUIT may end a group). A goodbye after the 250
// would tell the hop that we know of it, before we have written it down; if we
// crashed between the two, the same letter again would be a second one to it.
type hopConn struct {
	net.Conn
	greeting *strings.Reader
	parting  bool // during DATA: QUIT goes with the final dot
	tail     []byte
}

// finalDot ends a letter. Dot-stuffing keeps it out of the letter itself.
const finalDot = "\r\n.\r\n"

// Read implements io.Reader.
func (c *hopConn) Read(p []byte) (int, error) {
	if c.greeting.Len() > 0 {
		return c.greeting.Read(p)
	}
	return c.Conn.Read(p)
}

// Write implements io.Writer.
func (c *hopConn) Write(p []byte) (int, error) {
	if !c.parting {
		return c.Conn.Write(p)
	}
	c.tail = append(c.tail, p[max(0, len(p)-len(finalDot)):]...)
	c.tail = c.tail[max(0, len(c.tail)-len(finalDot)):]
	if string(c.tail) != finalDot {
		return c.Conn.Write(p)
	}
	c.parting = false
	n, err := c.Conn.Write(append(p[:len(p):len(p)], "QUIT\r\n"...))
	return min(n, len(p)), err
}
