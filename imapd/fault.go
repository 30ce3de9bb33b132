package imapd

import (
	"context"
	"errors"
	"log/slog"

	"github.com/emersion/go-imap/v2"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Response codes that the library has no name for (RFC 3501 7.1, RFC 2180).
const codeReadOnly imap.ResponseCode = "READ-ONLY"

// codes are the response codes (RFC 5530) of reasons that say more than their kind.
func codeOf(reason string) (imap.ResponseCode, bool) {
	switch reason {
	case "folder-exists":
		return imap.ResponseCodeAlreadyExists, true
	case "folder-has-children":
		return imap.ResponseCodeHasChildren, true
	case "folder-inbox", "folder-name", "keyword-malformed":
		return imap.ResponseCodeCannot, true
	case "folders-limit", "letters-limit", "keywords-limit", "search-limit", "fetch-limit", "sessions-limit", "too-fast":
		return imap.ResponseCodeLimit, true
	case "message-too-large":
		return imap.ResponseCodeTooBig, true
	case "box-read-only":
		return codeReadOnly, true
	case "session-expired", "space-locked":
		return imap.ResponseCodeExpired, true
	}
	return "", false
}

// replyTo is the one table from faults to IMAP. The text holds the reason id,
// never a cause.
func replyTo(err error) *imap.Error {
	r := &imap.Error{Type: imap.StatusResponseTypeNo}
	var text string
	switch fault.KindOf(err) {
	case fault.Invalid:
		r.Code, text = imap.ResponseCodeCannot, "This cannot be done"
	case fault.NotFound:
		r.Code, text = imap.ResponseCodeNonExistent, "There is no such thing"
	case fault.Denied:
		r.Code, text = imap.ResponseCodeNoPerm, "This is not allowed"
	case fault.Conflict:
		r.Code, text = imap.ResponseCodeInUse, "This does not fit what is there"
	case fault.OverQuota:
		r.Code, text = imap.ResponseCodeOverQuota, "There is no room"
	case fault.Transient:
		r.Code, text = imap.ResponseCodeUnavailable, "Not now, try again later"
	default:
		r.Code, text = imap.ResponseCodeServerBug, "Something failed here, try again later"
	}
	reason := fault.Reason(err)
	if code, known := codeOf(reason); known {
		r.Code = code
	}
	r.Text = text + " (" + reason + ")"
	return r
}

// fail turns an error into a reply and notes it. Errors that are replies already
// stay what they are.
func (s *session) fail(err error) error {
	if err == nil {
		return nil
	}
	if reply, ok := errors.AsType[*imap.Error](err); ok {
		return reply
	}
	level := slog.LevelInfo
	if fault.Is(err, fault.Internal) && !errors.Is(err, context.Canceled) {
		level = slog.LevelError
	}
	s.conn.Log().LogAttrs(s.conn.Context(), level, "imap.failed", slog.String("command", s.conn.Command()),
		slog.String("reason", fault.Reason(err)), slog.Any("error", err))
	return replyTo(err)
}

// failTarget is fail for a command that names a folder to put letters into: a
// client may make it and try again (RFC 9051 6.3.12, TRYCREATE).
func (s *session) failTarget(err error) error {
	if fault.Reason(err) == "folder-unknown" {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTryCreate, Text: "There is no such folder (folder-unknown)"}
	}
	return s.fail(err)
}

// bad is a command that makes no sense.
func bad(text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeBad, Code: imap.ResponseCodeClientBug, Text: text}
}
