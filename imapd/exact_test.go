package imapd_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/vaguemestre/vaguemestre/imapd"
	"github.com/vaguemestre/vaguemestre/letter"
)

// TestEveryLetterComesOutAsItCameIn delivers the corpus as it is, malformed and
// with any line ends, and fetches each letter whole, by header and text, by every
// part, and in pieces of 1 KiB.
func TestEveryLetterComesOutAsItCameIn(t *testing.T) {
	t.Parallel()
	files := append(corpus(t, "eml"), corpus(t, "eml-direct")...)
	files = append(files, corpus(t, "imip-eml")...)
	w := sqliteWorld(t, imapd.Options{})
	const head = "Return-Path: <a@b.example>\r\nReceived: from x\r\n by y; Mon, 16 Nov 2026 09:30:00 +0100\r\n"
	type letterOf struct {
		name string
		raw  []byte
		s    *letter.Structure
	}
	letters := map[imap.UID]letterOf{}
	refused := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		walker := letter.NewWalker(letter.DefaultLimits())
		_, _ = walker.Write(raw)
		s, err := walker.Close()
		if err != nil {
			refused++ // it does not enter
			continue
		}
		p := w.deliver(patient, head, raw)
		letters[imap.UID(p.UID)] = letterOf{filepath.Base(file), append([]byte(head), raw...), s}
	}
	if len(letters) < 250 {
		t.Errorf("only %d letters entered, %d were refused", len(letters), refused)
	}
	c := w.dial(patient, nil)
	selectBox(t, c, "INBOX")
	for uid, l := range letters {
		t.Run(l.name, func(t *testing.T) {
			checkWhole(t, c, uid, l.raw)
			checkParts(t, c, uid, l.raw, l.s, int64(len(head)))
			checkSteps(t, c, uid, l.raw)
		})
	}
}

func peek(part []int, spec imap.PartSpecifier) *imap.FetchItemBodySection {
	return &imap.FetchItemBodySection{Part: part, Specifier: spec, Peek: true}
}

// checkWhole: BODY[], RFC822.SIZE, and header and text that join to the whole.
func checkWhole(t *testing.T, c *imapclient.Client, uid imap.UID, raw []byte) {
	t.Helper()
	got := fetchOne(t, c, uid, peek(nil, ""), peek(nil, imap.PartSpecifierHeader), peek(nil, imap.PartSpecifierText))
	if !bytes.Equal(got[0], raw) {
		t.Errorf("BODY[] is %d octets, want %d: other octets", len(got[0]), len(raw))
	}
	if !bytes.Equal(slices.Concat(got[1], got[2]), raw) {
		t.Errorf("BODY[HEADER] and BODY[TEXT] do not join to the letter")
	}
	all, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{
		RFC822Size: true, Envelope: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
	}).Collect()
	if err != nil || len(all) != 1 || all[0].RFC822Size != int64(len(raw)) {
		t.Errorf("RFC822.SIZE: %v, %v", all, err)
	}
}

// checkParts fetches what each part is said to be, and its MIME header.
func checkParts(t *testing.T, c *imapclient.Client, uid imap.UID, raw []byte, s *letter.Structure, head int64) {
	t.Helper()
	var walk func(p *letter.Part, path []int)
	check := func(path []int, spec imap.PartSpecifier, r letter.Range) {
		t.Helper()
		want := raw[head+r.Start : head+r.End]
		if got := fetchOne(t, c, uid, peek(path, spec))[0]; !bytes.Equal(got, want) {
			t.Errorf("BODY[%v.%v]: got %d octets, want %d", path, spec, len(got), len(want))
		}
	}
	walk = func(p *letter.Part, path []int) {
		for i := range p.Children {
			child, at := &p.Children[i], append(slices.Clone(path), i+1)
			check(at, "", child.Body)
			check(at, imap.PartSpecifierMIME, child.Header)
			if m := child.Message(); m != nil {
				check(at, imap.PartSpecifierHeader, m.Header)
				check(at, imap.PartSpecifierText, m.Body)
				child = m
				if !m.Multipart() {
					check(append(slices.Clone(at), 1), "", m.Body)
				}
			}
			if child.Multipart() {
				walk(child, at)
			}
		}
	}
	if s.Root.Multipart() {
		walk(&s.Root, nil)
	} else {
		check([]int{1}, "", s.Root.Body)
	}
}

// checkSteps joins pieces of 1 KiB.
func checkSteps(t *testing.T, c *imapclient.Client, uid imap.UID, raw []byte) {
	t.Helper()
	var joined []byte
	for off := int64(0); off < int64(len(raw))+1024; off += 1024 {
		s := peek(nil, "")
		s.Partial = &imap.SectionPartial{Offset: off, Size: 1024}
		joined = append(joined, fetchOne(t, c, uid, s)[0]...)
	}
	if !bytes.Equal(joined, raw) {
		t.Errorf("pieces join to %d octets, want %d", len(joined), len(raw))
	}
}

// TestALargeLetterInBothEngines fetches a letter of many segments in one go, in
// steps, and by a part near its end.
func TestALargeLetterInBothEngines(t *testing.T) {
	t.Parallel()
	eachWorld(t, imapd.Options{}, func(t *testing.T, w *world) {
		var body bytes.Buffer
		body.WriteString("Subject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\n")
		for i := range 40_000 {
			fmt.Fprintf(&body, "line %d of a large attachment that fills several segments\r\n", i)
		}
		body.WriteString("--z\r\nContent-Type: text/plain\r\n\r\nthe end\r\n--z--\r\n")
		p := w.deliver(patient, "", body.Bytes())
		c := w.dial(patient, nil)
		selectBox(t, c, "INBOX")
		uid := imap.UID(p.UID)
		got := fetchOne(t, c, uid, peek(nil, ""), peek([]int{2}, ""))
		if !bytes.Equal(got[0], body.Bytes()) || string(got[1]) != "the end" {
			t.Errorf("other octets: %d, want %d; %q", len(got[0]), body.Len(), got[1])
		}
		checkSteps(t, c, uid, body.Bytes())
	})
}
