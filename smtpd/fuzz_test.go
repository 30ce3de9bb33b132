package smtpd_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// segments is a connection whose peer says its segments one after the other, each
// when the door reads, and hears everything.
type segments struct {
	in  [][]byte
	out bytes.Buffer
}

func (s *segments) Read(p []byte) (int, error) {
	for len(s.in) > 0 && len(s.in[0]) == 0 {
		s.in = s.in[1:]
	}
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in[0])
	s.in[0] = s.in[0][n:]
	return n, nil
}

func (s *segments) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *segments) Close() error                     { return nil }
func (s *segments) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *segments) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *segments) SetDeadline(time.Time) error      { return nil }
func (s *segments) SetReadDeadline(time.Time) error  { return nil }
func (s *segments) SetWriteDeadline(time.Time) error { return nil }

// replies returns the last line of each reply that was heard.
func (s *segments) replies() []string {
	var last []string
	for line := range strings.SplitSeq(s.out.String(), "\r\n") {
		if len(line) >= 4 && line[3] == ' ' {
			last = append(last, line)
		}
	}
	return last
}

// FuzzDialogue feeds the door whatever the fuzzer finds, in segments divided by
// SOH, and compares the letters kept with those of a reference that knows only
// framing: it walks the same octets with the door's replies in hand. A letter that
// differs, or a reply too many, is content taken for commands or the reverse.
func FuzzDialogue(f *testing.F) {
	const begin = "EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@" + patients + ">\r\n"
	for _, seed := range []string{
		begin + "DATA\r\n\x01Subject: t\r\n\r\nbody\r\n.\r\nQUIT\r\n",
		begin + "DATA\r\n\x01..a\r\n\x01.\x01\r\x01\n" + begin + "DATA\r\n\x01x\r\n.\r\n",
		begin + "DATA\r\na\r\n.\r\n",
		begin + "BDAT 4\r\na\r\x01\n\rBDAT 3 LAST\r\n\nb\r",
		begin + "BDAT 3\r\na\r\nBDAT 0 LAST\r\nNOOP\r\nBDAT 5 LAST\r\nRSET\r\nQUIT\r\n",
		begin + "BDAT 5\r\nabc\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<early@" + patients + ">\r\nBDAT 6 LAST\r\nNOOP\r\nNOOP\r\n",
		begin + "DATA\r\n\x01a\v.\r\nMAIL FROM:<>\r\n.\r\n",
		begin + "DATA\r\n\x01a\n.\nMAIL FROM:<>\r\n.\r\n",
		begin + "DATA\r\n\x01\u2028\x01.\r\n.\r\n",
		begin + "BDAT 2\r\n\xc2\x85BDAT 3 LAST\r\n.\r\n",
		"EHLO a\r\nMAIL FROM:<a@b.test> SIZE=3 BODY=8BITMIME\r\nRCPT TO:<early@" + patients + "> NOTIFY=NEVER\r\nDATA\r\n\x01EHLO b\r\n..\r\n.\r\nNOOP\r\n",
		"NOOP\rRSET\r\n", "NOOP\nRSET\r\n", "\x00\r\n", "STARTTLS\r\nAUTH PLAIN AAAA\r\n",
	} {
		f.Add([]byte(seed))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		words := []byte{2, 0}
		for range rng.IntN(40) {
			words = append(words, byte(rng.Uint32()))
		}
		f.Add(words)
	}
	k := newDesk(f)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	server := smtpd.New(smtpd.MX, doorHost, authority().server(f), k, smtpd.Options{
		MaxSize: 4096, Limits: smtpd.Limits{Errors: 1 << 30, Chatter: 1 << 30},
	})
	go func() { _ = server.Serve(context.Background(), l) }()
	f.Cleanup(func() { _ = server.Shutdown(context.Background()) })

	f.Fuzz(func(t *testing.T, input []byte) {
		if words, ok := bytes.CutPrefix(input, []byte{2}); ok {
			input = spell(words)
		}
		if len(input) > 12<<10 { // below the door's buffer: what has come is known
			return
		}
		k.t, k.letters = t, nil
		conn := &segments{in: bytes.Split(bytes.Clone(input), []byte{1})}
		server.Converse(t.Context(), conn)
		ref := &reference{in: bytes.ReplaceAll(input, []byte{1}, nil), replies: conn.replies()}
		ref.run()
		var got []string
		for _, letter := range k.letters {
			got = append(got, letter.Body)
		}
		if !slices.Equal(got, ref.letters) {
			t.Errorf("kept %q, want %q\nreplies %q", got, ref.letters, conn.replies())
		}
		if ref.whole && len(ref.replies) > 0 {
			t.Errorf("replies to nothing: %q", ref.replies)
		}
	})
}

// spell makes a dialogue of words, an octet each, that pulls at the framing.
func spell(words []byte) []byte {
	vocabulary := []string{
		"EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@" + patients + ">\r\n",
		"MAIL FROM:<>\r\nRCPT TO:<c@" + patients + ">\r\n", "MAIL FROM:<>\r\nRCPT TO:<early@" + patients + ">\r\n",
		"DATA\r\n\x01", "DATA\r\n\x01", "DATA\r\n\x01Subject: t\r\n\r\n", "DATA\r\n",
		"\r\n.\r\n", "\r\n.\r\n", "\r\n.\r\n", ".\r\n", "\r\n", "\r\n", "\x01", "\x01",
		"a", "body\r\n", "..", ".", "\r", "\n", "\x00", "\v", "\x1c.", "\u0085", "\u2028", "\u2029.", "\xc5\x85.", strings.Repeat("long", 1100),
		"BDAT 0\r\n", "BDAT 0 LAST\r\n", "BDAT 1\r\n", "BDAT 2\r\n\r\n", "BDAT 2 LAST\r\n\r\n", "BDAT 3 last\r\na\r\n", "BDAT 5\r\nBDAT ",
		"BDAT 7 LAST\r\nQUIT\r\n.", "BDAT 5000 LAST\r\n", "BDAT -1\r\n",
		"RSET\r\n", "NOOP\r\n", "QUIT\r\n", "STARTTLS\r\n", "EHLO b\r\n", "RCPT TO:<nobody@" + patients + ">\r\n", "XYZZY\r\n", "VRFY a\r\n",
	}
	var b []byte
	for _, w := range words {
		b = append(b, vocabulary[int(w)%len(vocabulary)]...)
	}
	return b
}

// reference walks the octets of a peer by framing alone.
type reference struct {
	in      []byte
	replies []string
	letters []string
	whole   bool // the peer said all it had, in whole lines
	series  []byte
}

// reply takes the next reply's code; 0 when there is none.
func (r *reference) reply() int {
	if len(r.replies) == 0 {
		return 0
	}
	code, _ := strconv.Atoi(r.replies[0][:3])
	r.replies = r.replies[1:]
	return code
}

// line takes the next line; it is not ok when there is none, or a malformed one.
func (r *reference) line() (string, bool) {
	i := bytes.IndexByte(r.in, '\n')
	if i < 0 {
		return "", false
	}
	line := string(r.in[:i+1])
	r.in = r.in[i+1:]
	if !strings.HasSuffix(line, "\r\n") || strings.ContainsAny(line[:i-1], "\r\x00") {
		return "", false
	}
	return line[:i-1], true
}

var chunkLine = regexp.MustCompile(`(?i)^BDAT +([0-9]+)( LAST)? *$`)

// run walks until the connection ends, on either side.
func (r *reference) run() {
	for {
		if len(r.in) == 0 {
			r.whole = true
			return
		}
		line, ok := r.line()
		if !ok || len(line) > 2048 {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if verb == "BDAT" {
			if !r.chunk(line) {
				return
			}
			continue
		}
		code := r.reply()
		switch {
		case code == 0, code == 421, code == 221, code == 554 && verb == "DATA":
			return
		case code == 354:
			if !r.data() {
				return
			}
		case code == 250 && (verb == "RSET" || verb == "EHLO" || verb == "HELO"):
			r.series = nil
		}
	}
}

// chunk walks over a BDAT; it reports whether the connection goes on.
func (r *reference) chunk(line string) bool {
	m := chunkLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > len(r.in) {
		return false
	}
	r.series = append(r.series, r.in[:n]...)
	r.in = r.in[n:]
	switch code := r.reply(); {
	case code == 250 && m[2] != "":
		r.letters = append(r.letters, string(r.series))
		r.series = nil
		return true
	case code == 250:
		return true
	case code == 0, code == 550, code == 421:
		return false
	default: // the letter, or the chunk, was refused
		r.series = nil
		return true
	}
}

var falseEnd = regexp.MustCompile("(?:[\\x0b\\x0c\\x1c-\\x1f]|\u0085|\u2028|\u2029)\\.$")

// data walks over the content of DATA.
func (r *reference) data() bool {
	var body strings.Builder
	for {
		line, ok := r.line()
		if !ok {
			return false
		}
		if line == "." {
			break
		}
		stuffed, dotted := strings.CutPrefix(line, ".")
		if dotted {
			if !strings.HasPrefix(stuffed, ".") {
				return false
			}
			line = stuffed
		}
		if falseEnd.MatchString(line) {
			return false
		}
		body.WriteString(line + "\r\n")
	}
	switch r.reply() {
	case 250:
		r.letters = append(r.letters, body.String())
	case 421, 550:
		return false
	}
	return true
}
