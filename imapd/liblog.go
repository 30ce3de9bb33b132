package imapd

import (
	"log/slog"
	"strings"
)

// libraryLog takes what the library logs. Its texts may quote what a client sent,
// so only the format is kept, and of a panic the stack.
type libraryLog struct{ log *slog.Logger }

// Printf is called by the library.
func (l libraryLog) Printf(format string, args ...any) {
	if !strings.HasPrefix(format, "panic") || len(args) < 2 {
		l.log.Debug("imap.library", slog.String("what", format))
		return
	}
	stack, _ := args[1].([]byte)
	l.log.Error("imap.panic", slog.String("what", format), slog.String("stack", string(stack)))
}
