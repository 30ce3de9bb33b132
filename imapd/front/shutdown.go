package front

import (
	"context"
	"time"
)

// Shutdown stops listening, says BYE to every client at the end of its command
// and waits for the sessions. When ctx ends first, it closes what is left and
// returns the context's error.
func (g *Gate) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	for l := range g.listeners {
		l.Close()
	}
	for _, c := range g.open {
		c.bye()
	}
	g.mu.Unlock()

	idle := make(chan struct{})
	go func() {
		g.drain()
		close(idle)
	}()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = ctx.Err()
		g.mu.Lock()
		for c := range g.open {
			c.Close()
		}
		g.mu.Unlock()
	}
	g.cancel()
	_ = g.inlet.Close()
	g.done.Wait()
	<-idle
	return err
}

// drain waits until no connection is open.
func (g *Gate) drain() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		g.mu.Lock()
		n := len(g.open)
		g.mu.Unlock()
		if n == 0 {
			return
		}
		<-tick.C
	}
}
