package mailbox_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// statementCounter stands between a store and PostgreSQL and counts the
// statements that pass: Execute and Query messages of protocol 3.0.
type statementCounter struct {
	dsn string
	n   atomic.Int64
}

// countStatements returns a counter whose dsn leads to the same database.
func countStatements(t *testing.T, dsn string) *statementCounter {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	sockets, err := filepath.Glob(filepath.Join(query.Get("host"), ".s.PGSQL.*[0-9]"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets of %s: %v, %v", query.Get("host"), sockets, err)
	}
	// Not t.TempDir: the path of a socket is at most 107 bytes.
	dir, err := os.MkdirTemp("", "count")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, filepath.Base(sockets[0])))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	c := &statementCounter{dsn: u.String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", sockets[0])
			if err != nil {
				_ = client.Close()
				return
			}
			go func() {
				_, _ = io.Copy(client, server)
				_ = client.Close()
			}()
			go c.forward(server, client)
		}
	}()
	return c
}

// forward copies the client's messages; each is counted before it goes on.
func (c *statementCounter) forward(server, client net.Conn) {
	defer server.Close()
	for header := 4; ; header = 5 { // the first message has no type
		head := make([]byte, header)
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		if header == 5 && (head[0] == 'E' || head[0] == 'Q') {
			c.n.Add(1)
		}
		body := make([]byte, binary.BigEndian.Uint32(head[header-4:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}
