package imapd_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/imapd"
)

var update = flag.Bool("update", false, "write what the server says into the scripts")

// patient is whose box the scripts use.
const patient = "patient1@patient.example"

// TestScripts plays every script of testdata: the file's name is the sentence that
// it proves. In its section "script":
//
//	peer NAME tls|clear|cert   opens a connection; the greeting is the next line
//	peer NAME                  goes on with an earlier one
//	login                      logs the peer in and selects nothing
//	tls                        does the handshake after STARTTLS
//	deliver FILE               a letter from another section arrives
//	closed                     the server has closed the connection
//	C: text                    the client sends a line; \r \n \0 are octets
//	C- text                    the same without a line end
//	S: text                    the server's next line; "..." stands for anything
//	S... text                  the same, after any number of other lines
//	S* tag                     with -update: becomes what comes up to the tag's answer
//
// "$patient" and "$password" are replaced.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	eachWorld(t, imapd.Options{Limits: imapd.Limits{Message: 1 << 20}}, func(t *testing.T, w *world) {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txtar")
			t.Run(name, func(t *testing.T) {
				// Each script has a box of its own.
				user := strings.ReplaceAll(name, "_", ".") + "@patient.example"
				if len(name) > 60 {
					user = name[:60] + "@patient.example"
				}
				w.box(user)
				r := &runner{t: t, w: w, user: user, peers: map[string]*peer{}}
				r.play(file)
			})
		}
	})
}

// runner plays one script.
type runner struct {
	t       *testing.T
	w       *world
	user    string
	archive *archive
	peers   map[string]*peer
	peer    *peer
}

// peer is one client connection.
type peer struct {
	conn net.Conn
	br   *bufio.Reader
}

func (r *runner) play(file string) {
	archive, err := readArchive(file)
	if err != nil {
		r.t.Fatal(err)
	}
	r.archive = archive
	defer func() {
		for _, p := range r.peers {
			p.conn.Close()
		}
	}()
	for i, f := range archive.files {
		if f.name != "script" {
			continue
		}
		lines := strings.Split(strings.TrimRight(string(f.data), "\n"), "\n")
		for n, line := range lines {
			if got, err := r.line(line); err != nil {
				if *update && got != "" {
					lines[n] = "S: " + got
					continue
				}
				r.t.Fatalf("script line %d: %s: %v", n+1, line, err)
			}
		}
		archive.files[i].data = []byte(strings.Join(lines, "\n") + "\n")
	}
	if *update {
		if err := archive.write(file); err != nil {
			r.t.Fatal(err)
		}
	}
}

// line plays a line; got is what the server said instead.
func (r *runner) line(line string) (got string, err error) {
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.NewReplacer("$patient", r.user, "$password", password).Replace(rest)
	switch verb {
	case "", "#":
		return "", nil
	case "peer":
		return "", r.connect(strings.Fields(rest))
	case "tls":
		return "", r.handshake("")
	case "login":
		return "", r.login()
	case "deliver":
		return "", r.deliver(rest)
	case "closed":
		return "", r.closed()
	case "C:":
		return "", r.send(unescape(rest) + "\r\n")
	case "C-":
		return "", r.send(unescape(rest))
	case "S:":
		return r.expect(rest)
	case "S*":
		var all []string
		for *update {
			got, err := r.read()
			if err != nil {
				return "", err
			}
			if all = append(all, got); strings.HasPrefix(got, rest+" ") {
				break
			}
		}
		return strings.Join(all, "\nS: "), errors.New("run with -update")
	case "S...":
		return "", r.await(rest)
	}
	return "", fmt.Errorf("no such verb %q", verb)
}

func unescape(s string) string {
	return strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00", `\\`, `\`).Replace(s)
}

func (r *runner) connect(args []string) error {
	if p := r.peers[args[0]]; p != nil && len(args) == 1 {
		r.peer = p
		return nil
	}
	address := r.w.implicit
	if args[1] == "clear" {
		address = r.w.starttls
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	r.peer = &peer{c, bufio.NewReader(c)}
	r.peers[args[0]] = r.peer
	switch args[1] {
	case "clear":
		return nil
	case "cert":
		return r.handshake(r.user)
	}
	return r.handshake("")
}

func (r *runner) handshake(name string) error {
	t := tls.Client(r.peer.conn, r.w.pki.client(name))
	r.peer.conn = t
	r.peer.br = bufio.NewReader(t)
	_ = t.SetDeadline(time.Now().Add(5 * time.Second))
	return t.Handshake()
}

func (r *runner) login() error {
	if err := r.await("* OK ..."); err != nil {
		return err
	}
	if err := r.send("login LOGIN " + r.user + " " + password + "\r\n"); err != nil {
		return err
	}
	return r.await("login OK ...")
}

func (r *runner) deliver(name string) error {
	for _, f := range r.archive.files {
		if f.name == name {
			r.w.deliver(r.user, "Received: by test\r\n", bytes.ReplaceAll(f.data, []byte("\n"), []byte("\r\n")))
			return nil
		}
	}
	return fmt.Errorf("no letter %q", name)
}

func (r *runner) send(s string) error {
	_, err := io.WriteString(r.peer.conn, s)
	return err
}

func (r *runner) read() (string, error) {
	_ = r.peer.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := r.peer.br.ReadString('\n')
	if err != nil {
		return line, err
	}
	if !strings.HasSuffix(line, "\r\n") {
		return line, errors.New("the line does not end in CRLF")
	}
	return strings.TrimSuffix(line, "\r\n"), nil
}

func (r *runner) expect(want string) (string, error) {
	got, err := r.read()
	if err != nil {
		return "", err
	}
	if !fits(want, got) {
		return got, fmt.Errorf("got %s", strconv.QuoteToASCII(got))
	}
	return got, nil
}

func (r *runner) await(want string) error {
	var seen []string
	for {
		got, err := r.read()
		if err != nil {
			return fmt.Errorf("%w after %q", err, seen)
		}
		if fits(want, got) {
			return nil
		}
		seen = append(seen, got)
	}
}

func (r *runner) closed() error {
	if line, err := r.read(); err == nil {
		return fmt.Errorf("got %q", line)
	} else if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return errors.New("still open")
	}
	return nil
}

// fits compares a line with one in which "..." stands for anything.
func fits(want, got string) bool {
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\.\.\.`, ".*") + "$"
	return regexp.MustCompile(pattern).MatchString(got)
}
