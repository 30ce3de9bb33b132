package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/demo"
)

// notice is what a notification (RFC 8098) tells a sender about one letter.
type notice struct {
	Disposition string
	// Code is that of the integration, empty for a success; Reason is the server's.
	Code, Reason string
}

// follower reads what comes into a box and keeps what is to be known of each letter.
type follower struct {
	section string
	read    func(text string)

	mu   sync.Mutex // guards all below
	box  *reader
	next int
}

// follow opens a box and reads a section of every letter that comes.
func follow(f *fixture, o demo.Operator, p demo.Person, section string, read func(string)) (*follower, error) {
	b, err := openBox(f.ready.Authority.CAFile, o, p)
	if err != nil {
		return nil, err
	}
	return &follower{section: section, read: read, box: b, next: 1}, nil
}

var (
	fetched    = regexp.MustCompile(`(?m)^\* [0-9]+ FETCH \(`)
	fetchedUID = regexp.MustCompile(`UID ([0-9]+)`)
)

// look reads what came since the last look.
func (l *follower) look() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.box.Do("NOOP"); err != nil {
		return err
	}
	got, err := l.box.Do(fmt.Sprintf("UID FETCH %d:* (UID BODY.PEEK[%s])", l.next, l.section))
	if err != nil {
		return err
	}
	at := append(fetched.FindAllStringIndex(got, -1), []int{len(got), len(got)})
	for i := range at[:len(at)-1] {
		text := got[at[i][0]:at[i+1][0]]
		m := fetchedUID.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		uid, err := strconv.Atoi(m[1])
		if err != nil || uid < l.next {
			continue // n:* always gives the last one
		}
		l.next = uid + 1
		l.read(text)
	}
	return nil
}

var (
	originalField = regexp.MustCompile(`(?m)^Original-Message-ID: <([^>\r\n]+)>`)
	handledField  = regexp.MustCompile(`(?m)^Disposition: ([^\r\n]+)`)
	errorField    = regexp.MustCompile(`(?m)^Error: ([^\r\n]+)`)
)

// receipts are the notifications that came to the sender, by the letter's Message-ID.
type receipts struct {
	*follower
	about map[string][]notice // guarded by follower.mu
}

func openReceipts(f *fixture) (*receipts, error) {
	r := &receipts{about: make(map[string][]notice)}
	var err error
	r.follower, err = follow(f, f.hospital, f.hospital.Boxes[0], "2", func(text string) {
		about, handled := originalField.FindStringSubmatch(text), handledField.FindStringSubmatch(text)
		if about == nil || handled == nil {
			return
		}
		told := notice{Disposition: handled[1]}
		for _, e := range errorField.FindAllStringSubmatch(text, -1) {
			if code, label, ok := strings.Cut(e[1], "^"); ok && label != "" {
				told.Code = code
			} else {
				told.Reason = e[1]
			}
		}
		r.about[about[1]] = append(r.about[about[1]], told)
	})
	return r, err
}

// await waits for the answer of the machine that files; that a person opened the
// letter is not it.
func (r *receipts) await(id string, within time.Duration) (*notice, error) {
	for end := time.Now().Add(within); ; time.Sleep(40 * time.Millisecond) {
		if err := r.look(); err != nil {
			return nil, err
		}
		r.mu.Lock()
		all := r.about[id]
		r.mu.Unlock()
		for _, n := range all {
			if strings.Contains(n.Disposition, "processed") {
				return &n, nil
			}
		}
		if time.Now().After(end) {
			return nil, nil
		}
	}
}

var (
	traceID   = regexp.MustCompile(`(?m)^Received: [^\n]*\n(?:[ \t][^\n]*\n)*?[ \t]+id ([^;\s]+)`)
	messageID = regexp.MustCompile(`(?mi)^Message-ID: <([^>\r\n]+)>`)
)

// traces are the server's own ids of letters, from their trace fields, by Message-ID.
type traces struct {
	*follower
	of map[string]string // guarded by follower.mu
}

func openTraces(f *fixture, p demo.Person) (*traces, error) {
	t := &traces{of: make(map[string]string)}
	var err error
	t.follower, err = follow(f, f.patients, p, "HEADER", func(text string) {
		id, message := traceID.FindStringSubmatch(text), messageID.FindStringSubmatch(text)
		if id != nil && message != nil {
			t.of[message[1]] = id[1]
		}
	})
	return t, err
}

// letter returns the server's id of a letter that has arrived, empty for none.
func (t *traces) letter(id string) (string, error) {
	if err := t.look(); err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[id], nil
}
