package relay_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

// Spec mssante 1.10 and 1.11: whatever is wrong with the next hop, the letter waits
// and nobody sees it.
func TestALetterWaitsForAHopThatProvesItself(t *testing.T) {
	t.Parallel()
	host := deliverytest.Host(deliverytest.City)
	box := deliverytest.TheSandbox(t)
	revoked := box.Server(t, host, nil)
	if err := box.Revoke(revoked.Leaf.SerialNumber, certs.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, reason string
		pair         certs.Pair
	}{
		{"of another operator", "host-not-of-this-domain", box.Server(t, host, func(r *certs.Request) { r.Subject.Organisation = "AUTRE" })},
		{"of another host", "certificate-wrong-name", box.Server(t, deliverytest.Host(deliverytest.Hospital), nil)},
		{"expired", "certificate-expired", box.Server(t, host, func(r *certs.Request) {
			r.NotBefore, r.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		})},
		{"revoked", "certificate-revoked", revoked},
		{"of an unknown authority", "certificate-untrusted", deliverytest.Stranger(t).Server(t, host, nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := new(hop)
			w := newWorld(t, storetest.SQLite(t), serve(t, c.pair, h))
			w.submit(deliverytest.Text(anne, "x"), bob)
			w.work(w.waits(c.reason))
			contains(t, w.Log.String(), `"reason":"`+c.reason+`"`)
			if len(h.asked()) != 0 || w.states() != "accepted" || len(w.Inbox(w.anne)) != 0 {
				t.Errorf("asked %v, outcome %s", h.asked(), w.states())
			}
		})
	}
}

func TestALetterWaitsWhenOurOwnCertificateIsRefused(t *testing.T) {
	t.Parallel()
	h := &hop{arrive: fault.New(fault.Transient, "revocation-unknown")}
	w := newWorld(t, storetest.SQLite(t), serve(t, cityCert(t), h))
	w.submit(deliverytest.Text(anne, "x"), bob)
	w.work(w.waits("hop-deferred"))
}

func TestADomainThatLeftTheListGetsNothing(t *testing.T) {
	t.Parallel()
	h := new(hop)
	w := newWorld(t, storetest.SQLite(t), serve(t, cityCert(t), h))
	w.submit(deliverytest.Text(anne, "x"), bob)
	w.Trust(nil)
	w.work(w.waits("whitelist-unavailable"))
	w.Trust(w.Sandbox.Space(t, deliverytest.Hospital))
	w.work(w.idle)
	if len(h.asked()) != 0 || w.states() != "refused 5.7.1" {
		t.Errorf("asked %v, outcome %s", h.asked(), w.states())
	}
	contains(t, w.report(), "Status: 5.7.1", "recipient-outside-trust-space")
}

// script is a hop made by hand, in clear: it offers what it is given, answers "ok"
// to everything and notes what it hears.
type script struct {
	mu    sync.Mutex
	heard []string
}

func (s *script) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.heard, "|")
}

func (s *script) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, line)
}

// listen runs a script, inside TLS after a greeting and STARTTLS in clear.
func listen(t *testing.T, s *script, clear, inside []string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pair := cityCert(t)
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				if _, err := c.Write([]byte("220 hop\r\n")); err != nil || !s.talk(c, clear, "clear ") {
					return
				}
				secured := tlsServer(c, pair)
				s.talk(secured, inside, "")
				_ = secured.Close()
			})
		}
	})
	return l.Addr().String()
}

// talk answers until STARTTLS (true) or the end.
func (s *script) talk(c net.Conn, offers []string, prefix string) bool {
	lines, content := bufio.NewScanner(c), false
	for lines.Scan() {
		line := lines.Text()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		reply := "250 ok\r\n"
		switch {
		case content && line != ".":
			continue
		case content:
			content = false
			s.note(".")
		case verb == "EHLO":
			s.note(prefix + line)
			reply = "250-hop\r\n250-" + strings.Join(offers, "\r\n250-") + "\r\n250 HELP\r\n"
		case verb == "DATA":
			content, reply = true, "354 go on\r\n"
		case verb == "QUIT":
			s.note("QUIT")
			reply = "221 bye\r\n"
		case verb == "STARTTLS":
			reply = "220 go on\r\n"
		default:
			s.note(prefix + line)
		}
		if _, err := c.Write([]byte(reply)); err != nil {
			return false
		}
		if verb == "STARTTLS" {
			return true
		}
	}
	return false
}

func TestNothingIsSaidInClear(t *testing.T) {
	t.Parallel()
	s := new(script)
	w := newWorld(t, storetest.SQLite(t), listen(t, s, []string{"SIZE", "8BITMIME", "X-STARTTLS", "STARTTLSX"}, nil))
	w.submit(deliverytest.Text(anne, "x"), bob)
	w.work(w.waits("hop-without-tls"))
	for _, line := range strings.Split(s.String(), "|") {
		if line != "clear EHLO mx."+deliverytest.Hospital {
			t.Errorf("in clear: %q", line)
		}
	}
}

// Extensions that are said before TLS do not count, and those that are not said
// inside are not used.
func TestOnlyWhatTheHopOffersInsideTLSIsUsed(t *testing.T) {
	t.Parallel()
	s := new(script)
	w := newWorld(t, storetest.SQLite(t), listen(t, s, []string{"STARTTLS", "DSN", "SIZE", "PIPELINING", "8BITMIME"}, nil))
	w.submit(deliverytest.Text(anne, "x"), bob)
	w.work(w.idle)
	name := "EHLO mx." + deliverytest.Hospital
	want := "clear " + name + "|" + name + "|MAIL FROM:<" + anne + ">|RCPT TO:<" + bob + ">|.|QUIT"
	if got := s.String(); got != want {
		t.Errorf("heard %q,\nwant  %q", got, want)
	}
}

func TestALetterThatNeedsSMTPUTF8ComesBackFromAHopWithout(t *testing.T) {
	t.Parallel()
	s := new(script)
	w := newWorld(t, storetest.SQLite(t), listen(t, s, []string{"STARTTLS"}, []string{"8BITMIME"}))
	v := w.Submit(w.anne)
	err := v.Mail(t.Context(), w.anne.Address, mailUTF8())
	if err == nil {
		err = v.Rcpt(t.Context(), deliverytest.Address(t, "zoé@"+deliverytest.City), noOptions())
	}
	if err == nil {
		err = v.Data(t.Context(), strings.NewReader(deliverytest.Text(anne, "x")))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.work(w.idle)
	if states := w.states(); states != "refused 5.6.7" {
		t.Errorf("outcome %s", states)
	}
	if strings.Contains(s.String(), "MAIL") {
		t.Errorf("heard %q", s)
	}
}
