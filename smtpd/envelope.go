package smtpd

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/identity"
)

// envelope is what the arguments of one MAIL or RCPT say, as far as the door
// needs it; the inner server decodes the parameters' values again for the session.
type envelope struct {
	address identity.Address // zero is the null sender
	size    int64            // SIZE, 0 if not given
	utf8    bool             // SMTPUTF8
}

// parseMail checks "FROM:<path>[ parameters]" (RFC 5321 4.1.1.2) and returns it,
// or the reason to refuse it. The path is "<>" or "<local@domain>": source routes,
// quoted local parts, address literals and bare addresses are refused. AUTH= is a
// parameter only where AUTH is offered (RFC 4954 5).
func parseMail(arg string, logins bool) (envelope, string) {
	path, params, reason := cutPath(arg, "FROM:", reasonSender)
	if reason != "" {
		return envelope{}, reason
	}
	var e envelope
	if reason := e.mailParams(params, logins); reason != "" {
		return envelope{}, reason
	}
	if path == "" {
		return e, ""
	}
	reason = e.setAddress(path, reasonSender, e.utf8)
	return e, reason
}

// parseRcpt checks "TO:<path>[ parameters]" (RFC 5321 4.1.1.3); wide says that MAIL
// had SMTPUTF8.
func parseRcpt(arg string, wide bool) (envelope, string) {
	path, params, reason := cutPath(arg, "TO:", reasonAddress)
	if reason != "" {
		return envelope{}, reason
	}
	var e envelope
	if reason := rcptParams(params); reason != "" {
		return envelope{}, reason
	}
	reason = e.setAddress(path, reasonAddress, wide)
	return e, reason
}

// setAddress parses a path that is not null.
func (e *envelope) setAddress(path, bad string, wide bool) string {
	a, err := identity.ParseAddress(path)
	if err != nil {
		return bad
	}
	if !wide && !isASCII(path) {
		return reasonUTF8
	}
	e.address = a
	return ""
}

// cutPath splits an argument into the path's content and the parameters. Spaces
// behind the colon are tolerated: old clients write them.
func cutPath(arg, keyword, bad string) (path string, params []string, reason string) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", nil, reasonMalformed
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(arg[len(keyword):], " "), "<")
	if !ok {
		return "", nil, bad
	}
	path, rest, ok = strings.Cut(rest, ">")
	if !ok || rest != "" && rest[0] != ' ' {
		return "", nil, bad
	}
	for p := range strings.SplitSeq(rest, " ") {
		if p != "" {
			params = append(params, p)
		}
	}
	return path, params, ""
}

// mailParams checks the parameters of MAIL (RFC 1870, 3461, 4954, 6152, 6531).
func (e *envelope) mailParams(params []string, logins bool) string {
	return eachParam(params, func(keyword, value string, given bool) string {
		switch keyword {
		case "SIZE":
			size, ok := parseSize(value)
			if !ok {
				return reasonParamBad
			}
			e.size = size
		case "BODY":
			switch strings.ToUpper(value) {
			case "7BIT", "8BITMIME":
			case "BINARYMIME":
				return reasonParamNotHere // not offered: a letter can always go on by DATA
			default:
				return reasonParamBad
			}
		case "SMTPUTF8":
			if given {
				return reasonParamBad
			}
			e.utf8 = true
		case "RET":
			if v := strings.ToUpper(value); v != "FULL" && v != "HDRS" {
				return reasonParamBad
			}
		case "ENVID":
			if !validXtext(value, 100) { // RFC 3461 4.4
				return reasonParamBad
			}
		case "AUTH":
			if !logins {
				return reasonParam
			}
			if !validXtext(value, 500) {
				return reasonParamBad
			}
		default:
			return reasonParam
		}
		return ""
	})
}

// rcptParams checks the parameters of RCPT (RFC 3461); the inner server parses
// their values further.
func rcptParams(params []string) string {
	return eachParam(params, func(keyword, value string, _ bool) string {
		switch keyword {
		case "NOTIFY":
			if value == "" {
				return reasonParamBad
			}
		case "ORCPT":
			if value == "" || len(value) > 500 || !utf8.ValidString(value) { // RFC 3461 4.2
				return reasonParamBad
			}
		default:
			return reasonParam
		}
		return ""
	})
}

// eachParam calls check for each "KEYWORD[=value]" (RFC 5321 4.1.2 esmtp-param);
// each keyword stands once.
func eachParam(params []string, check func(keyword, value string, given bool) string) string {
	seen := make([]string, 0, len(params))
	for _, p := range params {
		keyword, value, given := strings.Cut(p, "=")
		keyword = strings.ToUpper(keyword)
		if given && value == "" || strings.ContainsFunc(value, notValue) {
			return reasonParamBad
		}
		for _, s := range seen {
			if s == keyword {
				return reasonParamBad
			}
		}
		seen = append(seen, keyword)
		if reason := check(keyword, value, given); reason != "" {
			return reason
		}
	}
	return ""
}

// notValue reports a character that no esmtp-value holds.
func notValue(r rune) bool { return r == '=' || unicode.IsControl(r) || unicode.IsSpace(r) }

// parseSize parses SIZE= (RFC 1870 3: up to 20 digits); what 63 bits do not hold is
// larger than any letter.
func parseSize(value string) (int64, bool) {
	if value == "" || len(value) > 20 || strings.Trim(value, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		n = 1<<63 - 1
	}
	return n, true
}

// validXtext checks RFC 3461 4 xtext: printable ASCII, '+' only before two
// upper-case hexadecimal digits.
func validXtext(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < '!' || c > '~' || c == '=':
			return false
		case c == '+':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 2
		}
	}
	return true
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }

// isASCII reports whether s holds ASCII only.
func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// validHello checks the argument of EHLO and HELO: a domain or address literal by
// its characters only, since clients name themselves as they can, but nothing that
// would be dangerous in a trace field or a log.
func validHello(arg []byte) bool {
	if len(arg) == 0 || len(arg) > 255 {
		return false
	}
	for _, c := range arg {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '-', c == '_', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return true
}
