package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/secure/precis"

	"github.com/vaguemestre/vaguemestre/fault"
)

// What one check costs: OWASP's least for argon2id, 19 MiB and two passes (spec
// security 2.6). The hash is sealed under the works key besides, so that a copy of
// the database alone gives nobody anything to guess at.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// lightMemory and lightTime are for a password that was made here, with 140 random
// bits: nobody guesses it, however fast. Opening a thousand spaces at once takes
// seconds then, not minutes. Checking one costs the same as any other.
const (
	lightMemory = 64 // KiB
	lightTime   = 1
)

// Lengths of a password that people choose, in characters: ASVS 6.2.1 and the
// CNIL's recommendation 2022-100 ask for less than the first with slowed attempts;
// the second keeps the work of reading one small.
const (
	minPassword = 12
	maxPassword = 256
)

// Hasher computes password hashes, at most one per processor at once: each takes
// 19 MiB, and whoever tries passwords may not take the machine. It is safe for
// concurrent use.
type Hasher struct {
	slots chan struct{}
	dummy PasswordHash
}

// NewHasher returns a hasher.
func NewHasher() *Hasher {
	h := &Hasher{slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	// A hash that nobody's password has: its salt is random and its key is zero.
	h.dummy = PasswordHash{argonMemory, argonTime, argonThreads, make([]byte, argonSalt), make([]byte, argonKey)}
	_, _ = rand.Read(h.dummy.salt) // never fails (Go 1.24)
	return h
}

// PasswordHash is what is kept of a password. The zero value is nobody's.
type PasswordHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// Hash computes the hash of a password that somebody chose. It fails with
// fault.Invalid "password-too-short", "password-too-long" or "password-malformed"
// (control characters), or when ctx ends while it waits for its turn.
func (h *Hasher) Hash(ctx context.Context, text string) (PasswordHash, error) {
	switch n := utf8.RuneCountInString(text); {
	case n < minPassword:
		return PasswordHash{}, fault.New(fault.Invalid, "password-too-short")
	case n > maxPassword:
		return PasswordHash{}, fault.New(fault.Invalid, "password-too-long")
	}
	plain, err := precis.OpaqueString.Bytes([]byte(text)) // RFC 8265: the same however it was typed
	if err != nil {
		return PasswordHash{}, fault.New(fault.Invalid, "password-malformed")
	}
	defer clear(plain)
	p := PasswordHash{argonMemory, argonTime, argonThreads, make([]byte, argonSalt), nil}
	if s, err := ParseSecret(text); err == nil && s.Reveal() == text {
		p.memory, p.time = lightMemory, lightTime
	}
	_, _ = rand.Read(p.salt) // never fails (Go 1.24)
	done, err := h.Turn(ctx)
	if err != nil {
		return PasswordHash{}, err
	}
	defer done()
	p.key = p.derive(plain, argonKey)
	return p, nil
}

// Turn waits until one more hash may be computed, at most until ctx ends; done ends
// the turn. In between the caller may look again whether it still should.
func (h *Hasher) Turn(ctx context.Context) (done func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Transient, "password-check-abandoned", ctx.Err())
	}
}

// Is reports whether text is the password behind a hash; the caller has a Turn. For
// the zero hash, and for a text that can be no password, it is not, after the same
// work.
func (h *Hasher) Is(p PasswordHash, text string) bool {
	known := p.key != nil
	if !known {
		p = h.dummy
	}
	if len(text) > 4*maxPassword {
		text, known = "", false
	}
	plain, err := precis.OpaqueString.Bytes([]byte(text))
	if err != nil {
		plain, known = nil, false
	}
	defer clear(plain)
	key := p.derive(plain, len(p.key))
	if p.memory < argonMemory {
		h.dummy.derive(plain, argonKey) // the time tells nobody which kind it is
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known
}

// derive runs argon2id.
func (p PasswordHash) derive(plain []byte, size int) []byte {
	return argon2.IDKey(plain, p.salt, p.time, p.memory, p.threads, uint32(size))
}

// phc returns the hash in the PHC string format.
func (p PasswordHash) phc() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

// parsePHC reads what phc wrote. It fails with fault.Internal
// "password-hash-broken": the text is our own.
func parsePHC(s string) (PasswordHash, error) {
	broken := fault.New(fault.Internal, "password-hash-broken")
	f := strings.Split(s, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return PasswordHash{}, broken
	}
	var p PasswordHash
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return PasswordHash{}, broken
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(f[4]); err != nil {
		return PasswordHash{}, broken
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(f[5]); err != nil {
		return PasswordHash{}, broken
	}
	// argon2 panics on less, and a row may not make us work without end.
	if len(p.key) < 16 || len(p.salt) < 8 || p.time < 1 || p.time > 16 || p.threads < 1 || p.memory < 8 || p.memory > 1<<20 {
		return PasswordHash{}, broken
	}
	return p, nil
}

// String returns "[redacted]".
func (p PasswordHash) String() string { return "[redacted]" }
