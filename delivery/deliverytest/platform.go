package deliverytest

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/seal"
)

// Platform is a real key file that notes which secrets it opened.
type Platform struct {
	seal.Platform

	mu     sync.Mutex
	opened []string // guarded by mu: labels, in order
}

// NewPlatform makes a key file.
func NewPlatform(tb testing.TB) *Platform {
	tb.Helper()
	p, err := seal.KeyFile(filepath.Join(tb.TempDir(), "platform.key"))
	if err != nil {
		tb.Fatal(err)
	}
	return &Platform{Platform: p}
}

// Unwrap implements seal.Platform.
func (p *Platform) Unwrap(label string, wrapped []byte) ([]byte, error) {
	p.mu.Lock()
	p.opened = append(p.opened, label)
	p.mu.Unlock()
	return p.Platform.Unwrap(label, wrapped)
}

// Opened returns the labels of the secrets that were opened since the last call.
func (p *Platform) Opened() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	opened := p.opened
	p.opened = nil
	return opened
}
