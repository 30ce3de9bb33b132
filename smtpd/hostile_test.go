package smtpd_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// corpus returns the folder of samples, or skips; CORPUS=required makes its absence a failure.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "hostile", "MANIFEST.json")); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return dir
}

// vector is one hostile script, as far as this runner reads it.
type vector struct {
	Name  string
	Steps []vectorStep
	Asked struct {
		Delivered    *int   `json:"delivered"`
		MaxDelivered *int   `json:"max_delivered"`
		Body         []byte `json:"body_b64"`
	} `json:"assert_"`
}

type vectorStep struct {
	S      string
	B64    []byte
	Rep    []any
	X, Or  string
	Any    []string
	Not    string
	Skip   string
	None   int `json:"x_none"`
	TLS    bool
	Cert   string
	May    bool `json:"may_fail"`
	Split  []string
	Gap    int
	Drip   []any
	Drain  int
	Wait   int
	Close  string
	IfPrev string `json:"if_prev"`
	Auth   string
	Plain  *struct{ Authzid, Authcid, Secret string } `json:"sasl_plain"`

	Timing json.RawMessage
	Token  json.RawMessage `json:"sasl_oauthbearer"`
}

// TestHostile plays the hostile vectors against a door with short deadlines: what
// they expect to read, what may be kept, and that the door lives on.
func TestHostile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t), "hostile")
	var manifest struct {
		Vectors []struct{ File, Target string }
	}
	read(t, filepath.Join(dir, "MANIFEST.json"), &manifest)
	played := 0
	for _, v := range manifest.Vectors {
		kind, ok := map[string]smtpd.Kind{"operator-mx": smtpd.MX, "submission": smtpd.Submission}[v.Target]
		if !ok || !strings.HasPrefix(v.File, "smtp/") && !strings.HasPrefix(v.File, "submission/") {
			continue
		}
		if v.File == "smtp/from-crlf.json" {
			continue // legal pipelining, by the corpus's own doubts (hostile/README.md)
		}
		played++
		t.Run(v.File, func(t *testing.T) {
			t.Parallel()
			var script vector
			read(t, filepath.Join(dir, v.File), &script)
			play(t, kind, &script)
		})
	}
	if played < 60 {
		t.Errorf("only %d vectors", played)
	}
}

// read decodes a JSON file.
func read(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// latin1 turns the scripts' text into the octets it stands for.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// player plays one vector.
type player struct {
	t        *testing.T
	v        *vector
	door     *door
	peer     *peer
	sender   string // as whom it logs in
	said     string
	ehlo     string
	previous string // reply
}

// play runs one vector.
func play(t *testing.T, kind smtpd.Kind, v *vector) {
	p := &player{t: t, v: v, sender: "patient1@" + patients, ehlo: "EHLO runner.test\r\n"}
	p.door = open(t, kind, smtpd.Options{Deadlines: smtpd.Deadlines{Content: 300 * time.Millisecond}})
	for _, s := range v.Steps { // each script submits as its own sender, but for the one that lies
		if strings.HasPrefix(s.S, "MAIL FROM:<dr.martin@") {
			p.sender = "dr.martin@" + hospital
		}
	}
	p.door.passwords[p.sender] = "right"
	cert := ""
	if kind == smtpd.MX {
		cert = hospital
	}
	p.peer = p.door.dial(t, cert)
	for i, s := range v.Steps {
		switch {
		case s.IfPrev != "" && !regexp.MustCompile(s.IfPrev).MatchString(p.previous):
		case s.Timing != nil || s.Token != nil:
			return // timing and tokens are tried elsewhere
		case s.X != "" || s.Any != nil:
			p.previous = p.expect(i, s)
		case s.TLS:
			p.secure(i, s)
		default:
			p.speak(i, s)
		}
	}
	p.peer.conn.Close()
	p.judge()
}

// secure does the handshake, and repeats EHLO inside unless the script does.
func (p *player) secure(i int, s vectorStep) {
	p.t.Helper()
	if !strings.HasPrefix(p.said, "STARTTLS") {
		p.peer.say("STARTTLS\r\n")
		p.peer.want("220")
	}
	if err := p.peer.secure(); err != nil {
		if !s.May {
			p.t.Fatalf("step %d: %v", i, err)
		}
		return
	}
	name := p.v.Name[strings.LastIndexByte(p.v.Name, '/')+1:]
	if !strings.HasPrefix(p.v.Steps[i+1].S, "EHLO") && !strings.HasPrefix(name, "inject-") && !strings.HasPrefix(name, "twice-") {
		p.peer.say(p.ehlo)
		p.peer.want("250")
	}
}

// speak does what needs no particular reply.
func (p *player) speak(i int, s vectorStep) {
	p.t.Helper()
	const quiet = 200 * time.Millisecond
	switch {
	case s.S != "":
		if strings.HasPrefix(s.S, "EHLO") {
			p.ehlo = s.S[:strings.IndexByte(s.S, '\n')+1]
		}
		p.said = s.S
		p.peer.say(latin1(s.S))
	case s.B64 != nil:
		p.peer.say(string(s.B64))
	case s.Rep != nil:
		p.peer.say(strings.Repeat(latin1(s.Rep[0].(string)), int(s.Rep[1].(float64))))
	case s.Split != nil:
		for _, part := range s.Split {
			p.peer.say(latin1(part))
			time.Sleep(time.Duration(min(s.Gap, 20)) * time.Millisecond)
		}
	case s.Drip != nil:
		p.drip(s.Drip[0].(string), time.Duration(s.Drip[1].(float64))*time.Millisecond)
	case s.None > 0:
		if got := p.peer.reply(quiet); got != "SILENCE" && got != "CLOSED" {
			p.t.Errorf("step %d: %q, want nothing", i, got)
		}
	case s.Drain > 0:
		for got := ""; got != "SILENCE" && got != "CLOSED"; {
			got = p.peer.reply(quiet)
		}
	case s.Close != "":
		if s.Close == "rst" {
			_ = p.peer.raw.(*net.TCPConn).SetLinger(0)
		}
		p.peer.raw.Close()
	case s.Auth != "":
		p.login("")
		p.peer.want("235")
	case s.Plain != nil:
		p.login(s.Plain.Authzid)
	case s.Wait > 0:
		time.Sleep(time.Duration(min(s.Wait, 100)) * time.Millisecond)
	}
}

// drip says an octet at a time, until the door has enough of it.
func (p *player) drip(text string, gap time.Duration) {
	p.t.Helper()
	got := "SILENCE"
	for i := 0; i < len(text) && got == "SILENCE"; i++ {
		p.peer.say(text[i : i+1])
		got = p.peer.reply(gap)
	}
	if !strings.HasPrefix(got, "421 4.4.2") {
		p.t.Errorf("after the drip: %q", got)
	}
}

// login says AUTH PLAIN with the sender's password.
func (p *player) login(authzid string) {
	p.peer.say("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte(authzid+"\x00"+p.sender+"\x00right")) + "\r\n")
}

// expect reads a reply that one of the step's patterns matches.
func (p *player) expect(i int, s vectorStep) string {
	p.t.Helper()
	patterns := append([]string{}, s.Any...)
	for _, x := range []string{s.X, s.Or} {
		if x != "" {
			patterns = append(patterns, x)
		}
	}
	for {
		got := p.peer.reply(5 * time.Second)
		if s.Skip != "" && regexp.MustCompile(s.Skip).MatchString(got) {
			continue
		}
		if s.Not != "" && strings.Contains(got, s.Not) {
			p.t.Errorf("step %d: %q holds %q", i, got, s.Not)
		}
		last := got[strings.LastIndexByte(got, '\n')+1:]
		for _, x := range patterns {
			if x == "CLOSE" && got == "CLOSED" || x != "CLOSE" && regexp.MustCompile(x).MatchString(last) {
				return last
			}
		}
		p.t.Fatalf("step %d: %q, want one of %q", i, got, patterns)
	}
}

// judge checks what was kept, that it was said what was refused, and the door's life.
func (p *player) judge() {
	t, d := p.t, p.door
	t.Helper()
	alive := d.enter(t, hospital)
	alive.conn.Close()
	d.shut(t)
	kept := d.kept()
	for _, l := range kept {
		if strings.Contains(fmt.Sprint(l.From, l.To), "labo-b") || strings.HasPrefix(l.Body, "Subject: SMUGGLED") {
			t.Errorf("a smuggled letter was kept: %v", l)
		}
	}
	a := p.v.Asked
	if a.Delivered != nil && len(kept) != *a.Delivered || a.MaxDelivered != nil && len(kept) > *a.MaxDelivered {
		t.Errorf("%d letters were kept", len(kept))
	}
	if a.Body != nil && !strings.HasSuffix(kept[0].Body, "\r\n\r\n"+string(a.Body)) {
		t.Errorf("kept %q", kept[0].Body)
	}
	if a.MaxDelivered != nil && *a.MaxDelivered == 0 && d.leaves != 1 {
		t.Errorf("%d summaries: %q", d.leaves, d.tally())
	}
}
