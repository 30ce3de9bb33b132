package trust_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// TestVerdicts holds each verdict to its table of reasons.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	s := space(t)
	const doctor, lab, town, patient, out = "dr@chu.mss.example", "x@labo.chu.mss.example", "dr@ville.mss.example", "p@patient.mss.example", "x@outside.example"

	for _, c := range []struct{ peer, from, want string }{
		{hospital, doctor, ""},
		{hospital, lab, ""},
		{hospital, "x@partage.mss.example", ""},
		{city, "x@partage.mss.example", ""},
		{hospital, town, "sender-not-of-this-operator"},
		{city, doctor, "sender-not-of-this-operator"},
		{hospital, "x@mss.example", "sender-outside-trust-space"},
		{hospital, "x@a.chu.mss.example", "sender-outside-trust-space"},
		{hospital, "x@evilchu.mss.example", "sender-outside-trust-space"},
		{hospital, out, "sender-outside-trust-space"},
		{nobody, doctor, "sender-peer-unknown"},
		{"", doctor, "sender-peer-unknown"},
		{hospital, "", ""},
		{nobody, "", "null-sender-peer-unknown"},
		{"", "", "null-sender-peer-unknown"},
	} {
		err := trust.SenderAllowed(s, peer(t, c.peer), address(t, c.from))
		held(t, "SenderAllowed "+c.peer+" "+c.from, err, c.want, fault.Denied)
	}

	for _, c := range []struct{ to, want string }{
		{doctor, ""},
		{patient, ""},
		{out, "recipient-outside-trust-space"},
		{"x@mss.example", "recipient-outside-trust-space"},
		{"x@sub.chu.mss.example", "recipient-outside-trust-space"},
		{"", "recipient-outside-trust-space"},
	} {
		held(t, "RecipientInside "+c.to, trust.RecipientInside(s, address(t, c.to)), c.want, fault.Denied)
	}

	for _, c := range []struct {
		host, to, want string
	}{
		{hospital, "chu.mss.example", ""},
		{city, "partage.mss.example", ""},
		{city, "chu.mss.example", "host-not-of-this-domain"},
		{nobody, "chu.mss.example", "host-not-of-this-domain"},
		{"", "chu.mss.example", "host-not-of-this-domain"},
		{hospital, "outside.example", "recipient-outside-trust-space"},
	} {
		held(t, "HostAllowed "+c.host+" "+c.to, trust.HostAllowed(s, peer(t, c.host), identity.Domain(c.to)), c.want, fault.Denied)
	}
}

// TestAdmit holds the verdict on a whole letter to its table of reasons.
func TestAdmit(t *testing.T) {
	t.Parallel()
	s := space(t)
	const doctor, town, out, daemon = "dr@chu.mss.example", "dr@ville.mss.example", "x@outside.example", "mailer-daemon@chu.mss.example"
	for name, c := range map[string]struct {
		peer, box, sender, from string
		report                  bool
		want                    string
	}{
		"a peer's letter":                     {peer: hospital, sender: doctor, from: doctor},
		"author in another domain of theirs":  {peer: hospital, sender: doctor, from: "x@labo.chu.mss.example"},
		"author of another operator":          {peer: hospital, sender: doctor, from: town, want: "from-not-of-this-operator"},
		"author from outside":                 {peer: hospital, sender: doctor, from: out, want: "from-outside-trust-space"},
		"no author":                           {peer: hospital, sender: doctor, want: "from-outside-trust-space"},
		"sender of another operator":          {peer: hospital, sender: town, from: town, want: "sender-not-of-this-operator"},
		"peer gone from the list":             {peer: nobody, sender: doctor, from: doctor, want: "sender-peer-unknown"},
		"a peer's report":                     {peer: hospital, from: daemon, report: true},
		"null sender, not a report":           {peer: hospital, from: daemon, want: "null-sender-not-a-report"},
		"report of an unknown peer":           {peer: nobody, from: daemon, report: true, want: "null-sender-peer-unknown"},
		"report with another's author":        {peer: hospital, from: town, report: true, want: "from-not-of-this-operator"},
		"a box's letter":                      {box: doctor, sender: doctor, from: doctor},
		"a box's letter in capitals":          {box: doctor, sender: "DR@chu.mss.example", from: "Dr@CHU.mss.example"},
		"a box under another envelope":        {box: doctor, sender: "chef@chu.mss.example", from: doctor, want: "sender-not-of-this-box"},
		"a box under another author":          {box: doctor, sender: doctor, from: "chef@chu.mss.example", want: "from-not-of-this-box"},
		"a box without an author":             {box: doctor, sender: doctor, want: "from-not-of-this-box"},
		"a box's receipt":                     {box: doctor, from: doctor, report: true},
		"a box's null sender, not a report":   {box: doctor, from: doctor, want: "null-sender-not-a-report"},
		"a box's receipt under another name":  {box: doctor, from: town, report: true, want: "from-not-of-this-box"},
		"neither peer nor box":                {sender: doctor, from: doctor, want: "sender-peer-unknown"},
		"both peer and box":                   {peer: hospital, box: doctor, sender: doctor, from: doctor, want: "sender-peer-unknown"},
		"parent of a listed domain as author": {peer: hospital, sender: doctor, from: "x@mss.example", want: "from-outside-trust-space"},
	} {
		err := trust.Admit(s, trust.Facts{
			Peer: peer(t, c.peer), Box: address(t, c.box), Sender: address(t, c.sender), From: address(t, c.from), Report: c.report,
		})
		held(t, name, err, c.want, fault.Denied)
	}
}

// TestWithoutAListNothingIsDecided: every verdict asks to come back.
func TestWithoutAListNothingIsDecided(t *testing.T) {
	t.Parallel()
	dr := address(t, "dr@chu.mss.example")
	for name, err := range map[string]error{
		"SenderAllowed":   trust.SenderAllowed(nil, dn(t, hospital), dr),
		"RecipientInside": trust.RecipientInside(nil, dr),
		"HostAllowed":     trust.HostAllowed(nil, dn(t, hospital), dr.Domain()),
		"Admit":           trust.Admit(nil, trust.Facts{Peer: dn(t, hospital), Sender: dr, From: dr}),
		"Admit of a box":  trust.Admit(nil, trust.Facts{Box: dr, Sender: dr, From: dr}),
	} {
		held(t, name, err, "whitelist-unavailable", fault.Transient)
	}
}

func peer(t *testing.T, text string) identity.DN {
	t.Helper()
	if text == "" {
		return identity.DN{}
	}
	return dn(t, text)
}

func held(t *testing.T, what string, err error, want string, kind fault.Kind) {
	t.Helper()
	if got := reason(err); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
	if err != nil && !fault.Is(err, kind) {
		t.Errorf("%s: %v is %v, not %v", what, err, fault.KindOf(err), kind)
	}
}
