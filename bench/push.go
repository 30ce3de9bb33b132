package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Push tells how long after a letter's 250 a session in IDLE heard of it, and
// whether letters were there at their 250.
type Push struct {
	Server string `json:"server"`
	// Conns is how many connections loaded other boxes meanwhile, with 2 KiB letters.
	Conns int `json:"conns"`
	// Letters is how many were pushed; the times are from the client's reading of
	// the 250 to its reading of EXISTS, and negative when EXISTS came first.
	Letters int     `json:"letters"`
	P50     float64 `json:"p50_ms"`
	P95     float64 `json:"p95_ms"`
	Max     float64 `json:"max_ms"`
	// Looked is how many letters were searched by Message-ID, fetched and compared
	// as soon as their 250 was read; Missing those that were not there, whole.
	Looked  int `json:"looked"`
	Missing int `json:"missing"`
}

// push measures a server while conns connections load it.
func push(ctx context.Context, s *server, conns, letters int) (p Push, err error) {
	t, err := s.target()
	if err != nil {
		return p, err
	}
	p = Push{Server: t.name, Conns: conns}
	if conns > 0 {
		crew, err := engage(ctx, t, smallLetter, conns)
		if err != nil {
			return p, err
		}
		defer func() {
			if serr := crew.stop(); err == nil {
				err = serr
			}
		}()
		if err := rest(ctx, 300*time.Millisecond); err != nil {
			return p, err
		}
	}
	if err := p.pushed(ctx, s, t, letters); err != nil {
		return p, fmt.Errorf("push on %s: %w", t.name, err)
	}
	if err := p.looked(ctx, s, t, letters); err != nil {
		return p, fmt.Errorf("look on %s: %w", t.name, err)
	}
	return p, nil
}

// visit opens what both need: a sender, and a session in the box that is kept.
func (s *server) visit(ctx context.Context, t target) (*session, *box, string, error) {
	_, city, err := s.parties()
	if err != nil {
		return nil, nil, "", err
	}
	holder := city.Boxes[0]
	config, err := s.config(holder.CertFile, holder.KeyFile)
	if err != nil {
		return nil, nil, "", err
	}
	b, err := enter(ctx, city.IMAPS, config, holder)
	if err != nil {
		return nil, nil, "", err
	}
	from, err := dial(ctx, t.addr, t.config)
	if err != nil {
		b.close()
		return nil, nil, "", err
	}
	return from, b, holder.Address, nil
}

// pushed sends letters one by one to a box in IDLE.
func (p *Push) pushed(ctx context.Context, s *server, t target, letters int) error {
	from, b, to, err := s.visit(ctx, t)
	if err != nil {
		return err
	}
	defer b.close()
	defer from.close()
	idle, err := b.client.Idle()
	if err != nil {
		return err
	}
	l := newLetter(t.from, to, smallLetter)
	group := envelope(t.from, to, l.size())
	times := make([]time.Duration, 0, letters)
	for i := range letters {
		n := b.seen.Load()
		l.number(int64(i))
		_, answered, err := from.send(group, l.wire)
		if err != nil {
			return err
		}
		heard, err := b.wait(ctx, n)
		if err != nil {
			return err
		}
		times = append(times, heard.Sub(answered))
	}
	p.Letters = len(times)
	p.P50, p.P95, p.Max = ms(quantile(times, 0.50)), ms(quantile(times, 0.95)), ms(quantile(times, 1))
	return errors.Join(idle.Close(), idle.Wait())
}

// looked sends letters one by one and looks for each as soon as its 250 is there.
func (p *Push) looked(ctx context.Context, s *server, t target, letters int) error {
	from, b, to, err := s.visit(ctx, t)
	if err != nil {
		return err
	}
	defer b.close()
	defer from.close()
	l := newLetter(t.from, to, smallLetter)
	group := envelope(t.from, to, l.size())
	for i := range letters {
		id := l.number(int64(i))
		if _, _, err := from.send(group, l.wire); err != nil {
			return err
		}
		p.Looked++
		if err := b.holds(id, l.text()); err != nil {
			p.Missing++
			if p.Missing > letters/10 {
				return err
			}
		}
	}
	return nil
}
