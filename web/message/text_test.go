package message_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/message"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

func TestReadSubject(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]message.Subject{
		"XDM/1.0/DDM+CR hospitalier MORVAN Jeanne 12/03/1951": {Text: "CR hospitalier MORVAN Jeanne 12/03/1951"},
		"xdm/1.0/ddm+ Lettre":                     {Text: "Lettre"},
		"[Annule et remplace] XDM/1.0/DDM+Lettre": {Text: "Lettre", Replaces: true},
		"[FIN]":                             {Over: true},
		" [FIN] ":                           {Over: true},
		"Au revoir [FIN]":                   {Text: "Au revoir"},
		"[fin]":                             {Text: "[fin]"},
		"=?utf-8?q?Pes=C3=A9e?=\t du matin": {Text: "Pesée du matin"},
		"a\u202eb\u200bcd":                  {Text: "abcd"},
		"XDM/1.0/DDM+":                      {},
		"=?utf-8?q?XDM/1.0/DDM+CR_de_consultation?= =?utf-8?q?!?=": {Text: "CR de consultation!"},
	} {
		if got := message.ReadSubject(raw); got != want {
			t.Errorf("%q: got %+v, want %+v", raw, got, want)
		}
	}
}

func TestSenderName(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"=?utf-8?q?Dr_=C3=89tienne?=  Coulanges": "Dr Étienne Coulanges", "anne@chu.example": "", "": "", "Anne\u202e\r\n M": "Anne M",
		"=?utf-8?q?anne=40chu.example?=": "",
	} {
		if got := message.SenderName(raw); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

func TestParagraphs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		flowed bool
		want   [][]string
	}{
		{"", false, nil},
		{"a\r\nb\r\n\r\n\r\n  \r\nc\x00\u202e", false, [][]string{{"a", "b"}, {"c"}}},
		{"un \r\ndeux\r\ntrois \r\n\r\n quatre", true, [][]string{{"un deux", "trois "}, {"quatre"}}},
		{"fin \r\n-- \r\nAnne", true, [][]string{{"fin -- ", "Anne"}}},
	} {
		if diff := cmp.Diff(c.want, message.Flow(c.text, c.flowed)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestWordsOfALayout(t *testing.T) {
	t.Parallel()
	in := "<h2>Résultats</h2><p>Bonjour <b>Jeanne</b>,<br>voici</p><table><tr><th>Potassium</th><td>5,4</td></tr></table><ul><li>un</li><li>deux &amp; trois</li></ul>"
	if got, want := message.Words(in), "Résultats\n\nBonjour Jeanne,\nvoici\n\nPotassium 5,4\n\nun\n\ndeux & trois"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParsePart(t *testing.T) {
	t.Parallel()
	type part struct {
		path               string
		document, embedded int
	}
	for in, want := range map[string]part{
		"1": {"1", -1, -1}, "2.1.10": {"2.1.10", -1, -1}, "2.d0": {"2", 0, -1}, "2.d3.e12": {"2", 3, 12}, "1.2.e0": {"1.2", -1, 0},
	} {
		path, document, embedded, err := message.ReadPart(in)
		if got := (part{path, document, embedded}); err != nil || got != want {
			t.Errorf("%q: got %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0", "1.", ".1", "1..2", "d0", "e0", "1.e0.d0", "1.d0.2", "1.d", "1.d-1", "1.d01", "-1", "1e3", "1.d0.d1", "100000", "1.é", "1/2"} {
		if _, _, _, err := message.ReadPart(in); err == nil {
			t.Errorf("%q is taken for a part", in)
		}
	}
}

func TestEveryFailureHasASentence(t *testing.T) {
	t.Parallel()
	w := testKit(t).Words(ui.French)
	for code, want := range map[string]string{
		"5.1.1": "out.why.box", "5.2.1": "out.why.box", "box-closed": "out.why.box", "5.2.2": "out.why.full", "box-full": "out.why.full",
		"5.3.4": "out.why.size", "4.4.7": "out.why.later", "902": "out.why.software", "5.7.1": "out.why.other", "": "out.why.other",
	} {
		if got := message.WhyOf(outcome.State{What: outcome.Refused, Code: code}); got != want || !w.Has(got) {
			t.Errorf("%q: got %s, want %s", code, got, want)
		}
	}
	for reason, want := range map[string]string{
		"identity-differs": "msg.kept.identity", "cda-ins-split": "msg.kept.identity", "xdm-two-patients": "msg.kept.two-patients", "zip-ratio": "msg.kept.unsafe",
		"xml-dtd": "msg.kept.unsafe", "letter-ambiguous": "msg.kept.unsafe", "attachment-too-large": "msg.kept.unsafe", "zip-crc": "msg.kept.damaged", "xdm-hash-mismatch": "msg.kept.damaged",
		"document-id-reused": "msg.kept.reused", "replacement-of-another-author": "msg.kept.author", "filing-failed": "msg.kept.other", "": "msg.kept.other",
	} {
		if got := message.KeptKey(reason); got != want || !w.Has(got) {
			t.Errorf("%q: got %s, want %s", reason, got, want)
		}
	}
	for _, what := range []outcome.What{
		outcome.Accepted, outcome.Held, outcome.Relayed, outcome.Expired, outcome.Refused, outcome.Delivered, outcome.Noticed,
		outcome.Read, outcome.Filed, outcome.Integrated, outcome.Answered,
	} {
		if !w.Has("out.what." + string(what)) {
			t.Errorf("no words for %s", what)
		}
	}
}

func TestEndings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind leaf.Kind
		want string
	}{
		{"a.PDF", leaf.PDF, "a.PDF"},
		{"a", leaf.PDF, "a.pdf"},
		{"a.html", leaf.Text, "a.html.txt"},
		{"a.csv", leaf.Text, "a.csv"},
		{"a.jpeg", leaf.JPEG, "a.jpeg"},
		{"a.png", leaf.JPEG, "a.png.jpg"},
		{"a.exe", leaf.Other, "a.exe"},
	} {
		if got := message.WithEnding(c.name, c.kind); got != c.want {
			t.Errorf("%s as %s: got %s, want %s", c.name, c.kind, got, c.want)
		}
	}
}
