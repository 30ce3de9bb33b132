package wiretest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// IMAP is a session with a server.
type IMAP struct {
	Conn net.Conn
	R    *bufio.Reader
	tag  int
}

// DialIMAP connects with TLS from the first octet and reads the greeting.
func DialIMAP(addr string, config *tls.Config) (*IMAP, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: timeout}, "tcp", addr, config)
	if err != nil {
		return nil, err
	}
	b := &IMAP{Conn: conn, R: bufio.NewReaderSize(conn, 64<<10)}
	conn.SetDeadline(time.Now().Add(timeout))
	line, err := b.R.ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "* OK") {
		err = fmt.Errorf("greeted with %q", line)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return b, nil
}

// Login logs in with a user name and a password.
func (b *IMAP) Login(user, password string) error {
	_, err := b.Do(fmt.Sprintf("LOGIN %q %q", user, password))
	return err
}

var literalAtEnd = regexp.MustCompile(`\{([0-9]+)\}\r\n$`)

// Do runs one command and returns its untagged lines, literals included. A
// tagged NO or BAD is an error that names the command's first word only.
func (b *IMAP) Do(cmd string) (string, error) {
	b.tag++
	tag := "w" + strconv.Itoa(b.tag)
	b.Conn.SetDeadline(time.Now().Add(timeout))
	if _, err := fmt.Fprintf(b.Conn, "%s %s\r\n", tag, cmd); err != nil {
		return "", err
	}
	var out strings.Builder
	for {
		line, err := b.R.ReadString('\n')
		if err != nil {
			return "", err
		}
		if rest, done := strings.CutPrefix(line, tag+" "); done {
			if !strings.HasPrefix(rest, "OK") {
				verb, _, _ := strings.Cut(cmd, " ")
				return "", fmt.Errorf("%s answered %s", verb, strings.TrimSpace(rest))
			}
			return out.String(), nil
		}
		out.WriteString(line)
		if m := literalAtEnd.FindStringSubmatch(line); m != nil {
			n, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				return "", err
			}
			if _, err := io.CopyN(&out, b.R, n); err != nil {
				return "", err
			}
		}
	}
}

// Search returns the UIDs that match the criteria.
func (b *IMAP) Search(criteria string) ([]string, error) {
	got, err := b.Do("UID SEARCH " + criteria)
	if err != nil {
		return nil, err
	}
	for line := range strings.SplitSeq(got, "\r\n") {
		if rest, ok := strings.CutPrefix(line, "* SEARCH"); ok {
			return strings.Fields(rest), nil
		}
	}
	return nil, nil
}

// Fetch returns a section of a letter ("", "TEXT", "1.MIME"…), octet by octet.
func (b *IMAP) Fetch(uid, section string) ([]byte, error) {
	got, err := b.Do("UID FETCH " + uid + " BODY.PEEK[" + section + "]")
	if err != nil {
		return nil, err
	}
	m := regexp.MustCompile(`BODY\[[^\]]*\](?:<0>)? (?:\{([0-9]+)\}\r\n|""|NIL)`).FindStringSubmatchIndex(got)
	if m == nil {
		return nil, fmt.Errorf("no section in the answer to FETCH %s", uid)
	}
	if m[2] < 0 {
		return nil, nil
	}
	n, err := strconv.Atoi(got[m[2]:m[3]])
	if err != nil || m[1]+n > len(got) {
		return nil, fmt.Errorf("a literal cut short in the answer to FETCH %s", uid)
	}
	return []byte(got[m[1] : m[1]+n]), nil
}

// Close closes the connection.
func (b *IMAP) Close() { b.Conn.Close() }
