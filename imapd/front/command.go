package front

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// command is one client command, made canonical: a single line that no parser
// can read past. Literals have become quoted strings, quotes are balanced, and
// the only literal left, an APPEND's message, is kept out of the line.
type command struct {
	tag string
	// name is in upper case; for UID commands "UID FETCH" and so on.
	name string
	// line is what the library is given, line end included.
	line []byte
	// message is set for APPEND when the line ends with the message's literal.
	message *announced
}

// announced is a literal of which only the size is known yet.
type announced struct {
	size    int64
	nonSync bool
	// tail is what must follow the octets: CRLF, or ")" CRLF (RFC 6855 4).
	tail string
}

// refusal is a command that is answered without the library.
type refusal struct {
	// tag is empty when the command had none: the reply is untagged.
	tag string
	// reply is what follows the tag, "BAD ..." or "NO ...".
	reply string
	// bye ends the connection after the reply: the client's next octets cannot
	// be trusted to be a command.
	bye bool
}

// Error returns the reply.
func (r *refusal) Error() string { return r.reply }

// asRefusal returns the refusal in err's tree.
func asRefusal(err error) (*refusal, bool) { return errors.AsType[*refusal](err) }

// argument says what a command may be followed by.
type argument uint8

const (
	bare    argument = iota + 1 // nothing: anything after the name is a mistake
	anyArgs                     // the library judges the arguments
)

// verb is what the front knows of a command.
type verb struct {
	args argument
	// early says that it may be used before login.
	early bool
}

// verbOf returns what the front knows of a command; false if the library has
// none of that name.
func verbOf(name string) (verb, bool) {
	switch name {
	case "CAPABILITY", "NOOP", "LOGOUT", "STARTTLS":
		return verb{bare, true}, true
	case "LOGIN", "AUTHENTICATE":
		return verb{anyArgs, true}, true
	case "CHECK", "NAMESPACE", "IDLE", "CLOSE", "UNSELECT", "EXPUNGE":
		return verb{bare, false}, true
	case "ENABLE", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "STATUS", "LIST", "LSUB",
		"SELECT", "EXAMINE", "APPEND", "FETCH", "STORE", "COPY", "MOVE", "SEARCH",
		"UID FETCH", "UID STORE", "UID COPY", "UID MOVE", "UID SEARCH", "UID EXPUNGE":
		return verb{anyArgs, false}, true
	}
	return verb{}, false
}

// maxTag bounds a tag, which every reply repeats. Our choice.
const maxTag = 64

// splitName takes tag and name off a command's first line and returns where the
// arguments begin. RFC 9051: tag = 1*<any ASTRING-CHAR except "+">.
func splitName(line []byte) (c command, args int, err error) {
	end := bytes.IndexByte(line, ' ')
	if end <= 0 || end > maxTag || !isTag(line[:end]) {
		return command{}, 0, &refusal{reply: "BAD A command begins with a tag"}
	}
	c.tag = string(line[:end])
	word, next := nextWord(line, end+1)
	if c.name = strings.ToUpper(word); c.name == "UID" {
		word, next = nextWord(line, min(next+1, len(line)))
		c.name += " " + strings.ToUpper(word)
	}
	if word == "" {
		return c, 0, &refusal{tag: c.tag, reply: "BAD A command has a name"}
	}
	return c, next, nil
}

// nextWord returns the letters and digits at from and where they end.
func nextWord(line []byte, from int) (string, int) {
	to := from
	for to < len(line) && line[to] != ' ' {
		if b := line[to] | 0x20; (b < 'a' || b > 'z') && (line[to] < '0' || line[to] > '9') {
			return "", from
		}
		to++
	}
	return string(line[from:to]), to
}

// isTag reports whether b is a tag.
func isTag(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`(){%*"\+`), c) >= 0 {
			return false
		}
	}
	return true
}

// scan follows quotes and parentheses through a command's lines.
type scan struct {
	depth, deepest int
}

// line looks at one line without its line end and returns where a literal's
// announcement begins, len(line) if there is none. The quotes of a line must be
// balanced: a quoted string holds no line end (RFC 9051 section 9, quoted).
func (s *scan) line(line []byte) (int, *announced, error) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case b == 0 || b == '\r':
			return 0, nil, errOctet
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '(':
			s.depth++
			s.deepest = max(s.deepest, s.depth)
		case b == ')':
			s.depth--
		case b == '{':
			lit, ok := parseAnnounced(line[i:])
			if !ok {
				return 0, nil, errBrace
			}
			return i, lit, nil
		}
	}
	if quoted {
		return 0, nil, errQuote
	}
	return len(line), nil, nil
}

// What scan finds wrong.
var (
	errOctet = errors.New("a NUL or a carriage return alone")
	errBrace = errors.New("a brace that announces no literal")
	errQuote = errors.New("a quote that is not closed")
)

// parseAnnounced reads "{n}" or "{n+}", which must be the whole of b (RFC 7888).
func parseAnnounced(b []byte) (*announced, bool) {
	digits, ok := bytes.CutPrefix(b, []byte("{"))
	digits, closed := bytes.CutSuffix(digits, []byte("}"))
	if !ok || !closed {
		return nil, false
	}
	digits, nonSync := bytes.CutSuffix(digits, []byte("+"))
	if len(digits) == 0 || len(digits) > 18 { // 18 digits fit in an int64
		return nil, false
	}
	var n int64
	for _, d := range digits {
		if d < '0' || d > '9' {
			return nil, false
		}
		n = n*10 + int64(d-'0')
	}
	return &announced{size: n, nonSync: nonSync, tail: crlf}, true
}

// appendQuoted adds b to line as a quoted string. The caller has seen that b
// holds no CR, LF or NUL.
func appendQuoted(line, b []byte) []byte {
	line = append(line, '"')
	for _, c := range b {
		if c == '"' || c == '\\' {
			line = append(line, '\\')
		}
		line = append(line, c)
	}
	return append(line, '"')
}

// badSyntax turns what scan found into a refusal.
func badSyntax(tag string, line []byte, err error) error {
	return &refusal{tag: tag, reply: fmt.Sprintf("BAD The command has %v", err), bye: maybeLiteral(line, err)}
}

// maybeLiteral reports whether the client may believe that a line, in which scan
// found err, announced a literal: its octets could be on their way, and would be
// read as commands.
func maybeLiteral(line []byte, err error) bool {
	return errors.Is(err, errBrace) || bytes.HasSuffix(line, []byte("}"))
}

const crlf = "\r\n"
