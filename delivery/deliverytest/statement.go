package deliverytest

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// Statements counts what passes to a PostgreSQL server.
type Statements struct {
	// DSN leads to the same database, past the counter.
	DSN  string
	n    atomic.Int64
	lose atomic.Pointer[chan struct{}]
}

// CountStatements puts a counter before the server of a DSN of package storetest:
// a socket of its own that hands on every message of the protocol (version 3) and
// counts Execute and Query.
func CountStatements(tb testing.TB, dsn string) *Statements {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	query := u.Query()
	const name = ".s.PGSQL.5432"
	server := filepath.Join(query.Get("host"), name)
	dir, err := os.MkdirTemp("", "pg") // not TempDir: a socket's path has 107 octets at most
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	var serving sync.WaitGroup
	tb.Cleanup(func() {
		_ = l.Close()
		serving.Wait() // the database was opened after this, and so is closed by now
	})
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	s := &Statements{DSN: u.String()}
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(c, server) })
		}
	})
	return s
}

// Count returns the statements so far.
func (s *Statements) Count() int64 { return s.n.Load() }

// LoseCommit lets the next COMMIT reach the server, and its answer nobody: the
// connection breaks in between. The channel is closed when the server has answered.
func (s *Statements) LoseCommit() <-chan struct{} {
	answered := make(chan struct{})
	s.lose.Store(&answered)
	return answered
}

func (s *Statements) serve(client net.Conn, server string) {
	defer client.Close()
	to, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	defer back.Wait()
	defer to.Close()
	back.Go(func() {
		_, _ = io.Copy(client, to) // ends with either side
		_ = client.Close()
	})
	for typed := 0; ; typed = 1 { // the first message has no type, only a length
		message, err := readMessage(client, typed)
		if err != nil {
			return
		}
		if typed == 1 && (message[0] == 'E' || message[0] == 'Q') {
			s.n.Add(1)
		}
		var answered *chan struct{}
		if typed == 1 && message[0] == 'Q' && string(message[5:]) == "commit\x00" {
			answered = s.lose.Swap(nil)
		}
		if answered != nil {
			_ = client.Close()
		}
		if _, err := to.Write(message); err != nil {
			return
		}
		if answered != nil { // no more of us: the server answers what it has and ends
			_ = to.(*net.UnixConn).CloseWrite()
			back.Wait()
			_, _ = io.Copy(io.Discard, to)
			close(*answered)
			return
		}
	}
}

// readMessage reads one message of the protocol, with its type if it has one.
func readMessage(r io.Reader, typed int) ([]byte, error) {
	message := make([]byte, typed+4)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	rest := int(binary.BigEndian.Uint32(message[typed:])) - 4
	message = append(message, make([]byte, rest)...)
	_, err := io.ReadFull(r, message[typed+4:])
	return message, err
}
