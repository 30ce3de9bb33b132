package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// transit caches the public half of today's transit pair.
type transit struct {
	mu     sync.Mutex
	day    string
	public *seal.PublicKey
}

// transitPublic returns today's public transit key, made at the first use of a day.
func (o *Office) transitPublic(ctx context.Context, now time.Time) (*seal.PublicKey, string, error) {
	day := custody.Day(now)
	o.transit.mu.Lock()
	defer o.transit.mu.Unlock()
	if o.transit.day == day {
		return o.transit.public, day, nil
	}
	var public *seal.PublicKey
	err := o.DB.Write(ctx, func(tx *store.Tx) (err error) {
		public, err = custody.TransitPublic(tx, o.Platform, day)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	o.transit.day, o.transit.public = day, public
	return public, day, nil
}
