package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// LogFile returns the absolute name of the log file, "" for standard error.
func (c *Config) LogFile() string { return c.path(c.Log.File) }

// OpenStore opens the store alone, for commands that look.
func (c *Config) OpenStore(ctx context.Context, log *slog.Logger) (*store.DB, error) {
	return store.Open(ctx, c.url(c.Storage.Store), store.Options{Logger: log})
}

// CheckFiles looks at the files that the configuration names: are they there, do
// they hold what they should, does the certificate fit the operator.
func (c *Config) CheckFiles() error {
	a, err := openTrust(c, trust.KeeperOptions{Logger: slog.New(slog.DiscardHandler), Clock: time.Now})
	if err != nil {
		return err
	}
	leaf := a.cert.Leaf
	var all []error
	if err := leaf.VerifyHostname(c.Operator.Host); err != nil {
		all = append(all, fmt.Errorf("certificate.cert does not hold operator.host %s: ask for one that does", c.Operator.Host))
	}
	if left := time.Until(leaf.NotAfter); left < 0 {
		all = append(all, fmt.Errorf("certificate.cert expired on %s: renew it", leaf.NotAfter.Format(time.DateOnly)))
	}
	return errors.Join(all...)
}

// SignerPolicy is who may sign the whitelist, judged with the CRLs kept on disk.
func (c *Config) SignerPolicy() (trust.SignerPolicy, error) {
	a, err := openTrust(c, trust.KeeperOptions{Logger: slog.New(slog.DiscardHandler), Clock: time.Now})
	if err != nil {
		return trust.SignerPolicy{}, err
	}
	return a.signer, nil
}
