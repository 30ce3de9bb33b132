package blob

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// MaxKey is the longest key, in bytes.
const MaxKey = 64

// Key names a body: 1 to 64 letters, digits, '-' and '_', made by us
// (identity.NewID) and without meaning.
type Key string

// Valid returns fault.Invalid "blob-key" for a key that is no file name of ours.
func (k Key) Valid() error {
	if k == "" || len(k) > MaxKey || strings.ContainsFunc(string(k), notKeyRune) {
		return fault.New(fault.Invalid, "blob-key")
	}
	return nil
}

func notKeyRune(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}

// Store keeps bodies. It is safe for concurrent use.
type Store interface {
	// Create starts a body. An existing one is fault.Conflict "blob-exists".
	Create(ctx context.Context, key Key) (Writer, error)
	// Open opens a committed body; fault.NotFound "blob-missing".
	Open(ctx context.Context, key Key) (Reader, error)
	// Delete removes a body; a missing one is no error.
	Delete(ctx context.Context, key Key) error
	// List returns at most limit committed bodies with keys above after, in key order
	// (byte order); a limit of 0 or less is 1000. An empty page is the end.
	List(ctx context.Context, after Key, limit int) ([]Info, error)
}

// Writer takes one body. It is not safe for concurrent use.
type Writer interface {
	io.Writer
	// Commit makes the body durable, then visible. A second Commit returns what the
	// first did. Faults: Conflict "blob-exists" when the key was committed meanwhile,
	// OverQuota "blob-full" when there is no room. Once begun it is not cancelled.
	Commit(ctx context.Context) error
	// Abort gives up and removes what was written; after Commit it does nothing.
	Abort()
}

// Reader reads one body. ReadAt is safe for concurrent use.
type Reader interface {
	io.ReaderAt
	io.Closer
	// Size returns the body's size in bytes.
	Size() int64
}

// Info says what a listing knows of a body.
type Info struct {
	Key      Key
	Size     int64 // bytes
	Modified time.Time
}

// Options are the optional parts of a store; the zero value is safe.
type Options struct {
	// Logger takes the store's events; nil discards them.
	Logger *slog.Logger
	// Fatal is told of a failed fsync, once. The default logs it and ends the process
	// with status 1: what the disk holds is no longer known, recovery is at the next start.
	Fatal func(error)
}

// Open opens the store that a URL names: "file:DIR", where DIR is made when missing.
// Faults: Invalid "blob-scheme-not-built" for "s3:", Invalid "blob-scheme-unknown".
func Open(url string, o Options) (Store, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "file":
		s, err := OpenFS(strings.TrimPrefix(rest, "//"), o)
		if err != nil {
			return nil, err
		}
		return s, nil
	case "s3":
		return nil, fault.New(fault.Invalid, "blob-scheme-not-built")
	default:
		return nil, fault.New(fault.Invalid, "blob-scheme-unknown")
	}
}
