package xdm_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// FuzzOpen opens any octets. What opens keeps its promises: each document gives the
// octets that its entry announces or an error, within the limits, and every refusal
// is Invalid with a reason.
func FuzzOpen(f *testing.F) {
	f.Add(pack(small(), nil, nil))
	f.Add(pack(small(part{name: "HELP/", attributes: 0x10}, part{name: "HELP/NOTE.TXT", data: []byte("x"), descriptor: descriptor([]byte("x"), true, false, 0)}), nil, nil))
	f.Add(pack(small(part{name: "HELP/NOTE.TXT", data: []byte("a note"), extra: zip64(6), local: wide(18), central: wide(20)}), put16(20, 2), []byte("hi")))
	f.Add(written(f, lot()))
	limits := xdm.Limits{Entries: 50, One: 1 << 20, Total: 2 << 20}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := xdm.Open(bytes.NewReader(raw), int64(len(raw)), limits)
		if err != nil {
			refused(t, err)
			return
		}
		if len(p.Sets) == 0 {
			t.Fatal("a package without a set")
		}
		seen := map[string]bool{}
		var total int64
		for _, e := range p.Documents() {
			if seen[e.Name] || e.Name == "" || strings.Contains(e.Name, "..") || strings.HasPrefix(e.Name, "/") {
				t.Fatalf("a document at %q", e.Name)
			}
			seen[e.Name] = true
			r, err := p.Document(e)
			if err != nil {
				refused(t, err)
				continue
			}
			n, err := io.Copy(io.Discard, r)
			if err != nil {
				refused(t, err)
			}
			if total += n; n > e.Octets || err == nil && n != e.Octets || total > limits.Total {
				t.Fatalf("%d octets of %d, %v", n, e.Octets, err)
			}
			if !e.Patient.IsZero() && p.Patient().IsZero() {
				t.Fatal("a patient was lost")
			}
		}
	})
}

// FuzzReadMetadata reads any octets as metadata, whole and octet by octet.
func FuzzReadMetadata(f *testing.F) {
	f.Add(request(french))
	f.Add(request(strings.ReplaceAll(entryXML("1", "DOC0001.XML", somebody, []byte(text)), "&amp;", "&")))
	f.Add([]byte(`<a><![CDATA[ & ]]><?x & ?><!-- & -->&amp;&e;&#1;& </a>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		set, warnings, err := xdm.ReadMetadata(bytes.NewReader(raw))
		slow, slowWarnings, slowErr := xdm.ReadMetadata(&oneByOne{raw})
		if fault.Reason(err) != fault.Reason(slowErr) || err == nil && len(warnings) != len(slowWarnings) {
			t.Fatalf("whole: %v %v, in pieces: %v %v", err, warnings, slowErr, slowWarnings)
		}
		if err != nil {
			refused(t, err)
			return
		}
		if len(set.Documents) != len(slow.Documents) {
			t.Fatal("the pieces say something else")
		}
		for _, e := range set.Documents {
			if e.Size < -1 || e.Patient.OID == "" != (e.Patient.Matricule == "") {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// FuzzWrite writes texts of all sorts into a package: what is written opens, and says
// the same.
func FuzzWrite(f *testing.F) {
	f.Add("Compte rendu", "1.2.3^4", "279035121518989", []byte("<a/>"))
	f.Add("<&\"'\x00\ufffe\r\n", "a b", "x^y&z", bytes.Repeat([]byte("x"), 1<<17))
	f.Fuzz(func(t *testing.T, title, id, matricule string, body []byte) {
		l := lot()
		l.Documents = l.Documents[:1]
		l.Patient.Matricule, l.Title, l.Contact = matricule, title, title
		e := &l.Documents[0].Entry
		e.Title, e.UniqueID, l.Documents[0].Body = title, id, bytes.NewReader(body)
		var b bytes.Buffer
		if err := xdm.Write(&b, l); err != nil {
			refused(t, err)
			return
		}
		p, err := xdm.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), xdm.Limits{})
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		got := p.Documents()[0]
		if want := xmlText(id); got.UniqueID != want {
			t.Fatalf("unique id %q, want %q", got.UniqueID, want)
		}
		if content, err := read(p, got); (err != nil || !bytes.Equal(content, body)) && fault.Reason(err) != "zip-nested" {
			t.Fatalf("%d octets of %d, %v", len(content), len(body), err)
		}
	})
}

// xmlText is what XML can hold of a text.
func xmlText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			r = 0xfffd
		}
		b.WriteRune(r)
	}
	return b.String()
}

// refused sees that an error is a verdict with a reason.
func refused(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) || fault.Reason(err) == "internal" || errors.Is(err, io.EOF) {
		t.Fatalf("no verdict: %v", err)
	}
}

// oneByOne gives one octet a time.
type oneByOne struct{ rest []byte }

func (o *oneByOne) Read(p []byte) (int, error) {
	if len(o.rest) == 0 {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0], o.rest = o.rest[0], o.rest[1:]
	return 1, nil
}

// TestFuzzSeedsOfTheCorpus gives the fuzzers' properties every real and hostile file,
// and each real one cut and flipped in many places.
func TestFuzzSeedsOfTheCorpus(t *testing.T) {
	t.Parallel()
	for _, file := range corpus(t, "xdm/*.zip") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		step := len(raw)/30 + 1
		for at := 0; at < len(raw); at += step {
			flipped := bytes.Clone(raw)
			flipped[at] ^= 0x41
			for _, bad := range [][]byte{raw[:at], flipped} {
				if _, err := open(t, bad); err != nil {
					refused(t, err)
				}
			}
		}
		// The directory decides most: every octet of it.
		for at := max(len(raw)-200, 0); at < len(raw); at++ {
			flipped := bytes.Clone(raw)
			flipped[at] ^= 0xff
			if _, err := open(t, flipped); err != nil {
				refused(t, err)
			}
		}
	}
}
