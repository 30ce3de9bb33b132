package node_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/node"
)

// A browser opens connections before it knows what to ask.
func TestAConnectionWithoutARequestDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	time.Sleep(50 * time.Millisecond) // until it is accepted
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := node.Drain(ctx, s); err != nil {
		t.Errorf("drain: %v", err)
	}
	<-done
	if ctx.Err() != nil {
		t.Error("the end took all of its time")
	}
}
