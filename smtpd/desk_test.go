package smtpd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/smtpd"
)

// desk is a small real Counter: it knows operators by their certificate's name,
// boxes by the local part's first word, keeps letters in memory, and fails the
// test when the door breaks the order that Visit promises.
type desk struct {
	t          testing.TB
	submission bool
	domains    map[string][]string // certificate name -> sender domains
	passwords  map[string]string   // box -> password
	discard    bool                // count letters only

	mu       sync.Mutex
	letters  []letter
	count    int
	refused  map[string]int // what the door said it refused
	leaves   int            // visits closed with something refused
	heard    int
	arrived  int
	open     int
	logins   []delivery.Credentials
	hellos   []string
	taken    []string // read from letters that were not kept
	entered  chan struct{}
	proceed  chan struct{}
	summarys []smtpd.Summary
}

// letter is what a transaction left.
type letter struct {
	From   string
	Mail   delivery.MailOptions
	To     []string
	Rcpt   []delivery.RcptOptions
	Body   string
	Caller string
}

func newDesk(t testing.TB) *desk {
	return &desk{
		t: t,
		domains: map[string][]string{
			hospital: {hospital}, labo: {labo},
			"user1": {patients}, "user2": {patients},
		},
		passwords: map[string]string{"patient1@" + patients: "right", "patient2@" + patients: "other"},
		refused:   map[string]int{},
	}
}

// summary is the door's Options.Refused.
func (k *desk) summary(_ context.Context, s smtpd.Summary) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.summarys = append(k.summarys, s)
	k.leaves++
	for r, n := range s.Reasons {
		k.refused[r] += n
	}
}

// Arrive implements delivery.Counter.
func (k *desk) Arrive(_ context.Context, c delivery.Caller) (delivery.Visit, error) {
	name := ""
	if certs := c.TLS.PeerCertificates; len(certs) > 0 {
		name = certs[0].Subject.CommonName
	}
	switch {
	case name == "revoked":
		return nil, fault.New(fault.Denied, "certificate-revoked")
	case name == "unknown":
		return nil, fault.New(fault.Transient, "revocation-unknown")
	case !k.submission && name == "" && c.TLS.Version != 0:
		return nil, fault.New(fault.Denied, "certificate-missing")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.arrived++
	k.open++
	return &visit{desk: k, name: name, refused: map[string]int{}}, nil
}

// visit is one connection's.
type visit struct {
	desk    *desk
	name    string
	user    string
	refused map[string]int
	busy    sync.Mutex // held during each method: they never overlap
	letter  letter
	open    bool
	closed  bool
	owed    bool
}

// enter checks that the door calls one method at a time, on an open visit.
func (v *visit) enter() func() {
	if !v.busy.TryLock() {
		v.desk.t.Error("two methods of a visit at once")
		return func() {}
	}
	if v.closed {
		v.desk.t.Error("a closed visit was used")
	}
	return v.busy.Unlock
}

func (v *visit) Hello(name string) {
	defer v.enter()()
	v.desk.mu.Lock()
	defer v.desk.mu.Unlock()
	v.desk.hellos = append(v.desk.hellos, name)
}

func (v *visit) Login(_ context.Context, c delivery.Credentials) error {
	defer v.enter()()
	v.desk.mu.Lock()
	defer v.desk.mu.Unlock()
	v.desk.logins = append(v.desk.logins, c)
	switch {
	case strings.HasPrefix(c.Authcid, "slow"):
		return fault.New(fault.Transient, "store-busy")
	case c.Mechanism == "EXTERNAL" && v.name != "" && c.Authzid == "":
		v.user = v.name + "@" + patients
		return nil
	case c.Authzid != "" && c.Authzid != c.Authcid, v.desk.passwords[c.Authcid] != c.Password, c.Password == "":
		return fault.New(fault.Denied, "password-wrong")
	}
	v.user = c.Authcid
	return nil
}

func (v *visit) Mail(_ context.Context, from identity.Address, o delivery.MailOptions) error {
	defer v.enter()()
	if v.open {
		v.desk.t.Error("MAIL inside a transaction")
	}
	switch {
	case from.IsZero():
	case v.desk.submission && from.String() != v.user:
		return fault.New(fault.Denied, "sender-not-you")
	case !v.desk.submission && v.name != "" && !slices.Contains(v.desk.domains[v.name], string(from.Domain())):
		return fault.New(fault.Denied, "sender-not-of-this-operator")
	}
	v.open = true
	v.letter = letter{Mail: o, Caller: v.name}
	if !from.IsZero() {
		v.letter.From = from.String()
	}
	return nil
}

func (v *visit) Rcpt(_ context.Context, to identity.Address, o delivery.RcptOptions) error {
	defer v.enter()()
	if !v.open {
		v.desk.t.Error("RCPT without MAIL")
	}
	if d := string(to.Domain()); d != patients && d != hospital {
		return fault.New(fault.Denied, "recipient-outside-trust-space")
	}
	switch word, _, _ := strings.Cut(to.Local(), "."); word {
	case "nobody":
		return fault.New(fault.NotFound, "box-unknown")
	case "closed":
		return fault.New(fault.Denied, "box-closed")
	case "full":
		return fault.New(fault.OverQuota, "box-full")
	case "tempfail":
		return fault.Wrap(fault.Transient, "store-busy", fmt.Errorf("secret of the database"))
	case "broken":
		return fmt.Errorf("secret of the house")
	case "panic":
		panic("the house fell down")
	}
	v.letter.To = append(v.letter.To, to.String())
	v.letter.Rcpt = append(v.letter.Rcpt, o)
	return nil
}

func (v *visit) Data(ctx context.Context, r io.Reader) error {
	defer v.enter()()
	if !v.open || len(v.letter.To) == 0 {
		v.desk.t.Error("DATA without recipients")
	}
	if v.desk.entered != nil {
		v.desk.entered <- struct{}{}
		select {
		case <-v.desk.proceed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if v.desk.discard {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		v.desk.mu.Lock()
		defer v.desk.mu.Unlock()
		v.desk.count++
		return nil
	}
	switch word, _, _ := strings.Cut(v.letter.To[0], "@"); word {
	case "early": // refuses before it has read anything
		return fault.New(fault.Invalid, "letter-too-deep")
	case "lazy": // breaks the contract
		return nil
	case "falls":
		panic("the sorting office fell down")
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, r); err != nil {
		v.desk.mu.Lock()
		defer v.desk.mu.Unlock()
		v.desk.taken = append(v.desk.taken, body.String())
		return fmt.Errorf("reading: %w", err)
	}
	if strings.Contains(body.String(), "EICAR") {
		return fault.New(fault.Denied, "letter-infected")
	}
	v.letter.Body = body.String()
	v.desk.mu.Lock()
	defer v.desk.mu.Unlock()
	v.desk.letters = append(v.desk.letters, v.letter)
	v.desk.count++
	v.owed = true
	return nil
}

func (v *visit) Reset() {
	defer v.enter()()
	v.open, v.letter = false, letter{}
}

func (v *visit) Heard() {
	defer v.enter()()
	if !v.owed && !v.desk.discard {
		v.desk.t.Error("heard without a letter")
	}
	v.owed = false
	v.desk.mu.Lock()
	defer v.desk.mu.Unlock()
	v.desk.heard++
}

func (v *visit) Refused(reason string) {
	defer v.enter()()
	v.refused[reason]++
}

func (v *visit) Close() {
	defer v.enter()()
	v.closed = true
	v.desk.mu.Lock()
	defer v.desk.mu.Unlock()
	v.desk.open--
	if len(v.refused) > 0 {
		v.desk.leaves++
	}
	for r, n := range v.refused {
		v.desk.refused[r] += n
	}
}

// tally prints what the door refused, "reason n" per line.
func (k *desk) tally() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var b strings.Builder
	for _, r := range slices.Sorted(maps.Keys(k.refused)) {
		fmt.Fprintf(&b, "%s %d\n", r, k.refused[r])
	}
	return b.String()
}

// kept returns the letters.
func (k *desk) kept() []letter {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.letters)
}
