// Package fault gives errors a kind and a reason id.
//
// A house returns faults; each door owns one table from kind to its own
// language (SMTP reply, IMAP response code, HTTP status). The reason id is
// stable and public: it stands in replies, audit leaves and tests. The message
// and the wrapped cause are for the log and are never sent to a peer.
//
// Neither the reason nor the message may hold health data: no address of a
// patient, subject, file name or INS.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about an error.
type Kind uint8

// The kinds. An error that is no fault is Internal.
const (
	// Internal is our own failure: the peer is told to come back.
	Internal Kind = iota
	// Invalid is input that will never be accepted as it is.
	Invalid
	// NotFound is a name that leads nowhere.
	NotFound
	// Denied is a refusal by a rule.
	Denied
	// Conflict is a state that changed under the caller.
	Conflict
	// OverQuota is a limit of size, count or pace.
	OverQuota
	// Transient is a failure that may pass: the caller may try again.
	Transient
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Denied:
		return "denied"
	case Conflict:
		return "conflict"
	case OverQuota:
		return "over quota"
	case Transient:
		return "transient"
	default:
		return "internal"
	}
}

// Error is a fault: a kind, a reason id and an optional cause.
type Error struct {
	// Kind says what the caller can do.
	Kind Kind
	// Reason is a stable id in kebab case, such as "recipient-outside-trust-space".
	Reason string
	// Err is the cause; it may be nil. It is logged, never sent.
	Err error
}

// Error returns "reason" or "reason: cause".
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a fault without a cause.
func New(kind Kind, reason string) error { return &Error{Kind: kind, Reason: reason} }

// Wrap returns a fault with a cause.
func Wrap(kind Kind, reason string, cause error) error {
	return &Error{Kind: kind, Reason: reason, Err: cause}
}

// Newf returns a fault whose cause is the formatted text.
func Newf(kind Kind, reason, format string, args ...any) error {
	return &Error{Kind: kind, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// malformed is what package identity's errors carry: bad input, by reason id.
type malformed interface {
	error
	Malformed() string
}

// KindOf returns the kind of the first fault in err's tree, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if _, ok := errors.AsType[malformed](err); ok {
		return Invalid
	}
	return Internal
}

// Is reports whether err is a fault of that kind. A nil error is of no kind.
func Is(err error, kind Kind) bool {
	return err != nil && KindOf(err) == kind
}

// Reason returns the reason id of the first fault in err's tree, "internal" if there is none.
func Reason(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	if e, ok := errors.AsType[malformed](err); ok {
		return e.Malformed()
	}
	return "internal"
}
