package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// corpus returns a folder of the sample data; its absence is a failure where
// CORPUS=required says so.
func corpus(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("CORPUS_DIR")
	if root == "" {
		root = "../../shared/data"
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("CORPUS=required and there is no %s", name)
		}
		t.Skipf("no corpus: set CORPUS_DIR (%v)", err)
	}
	return dir
}

var (
	fromField   = regexp.MustCompile(`(?im)^From[ \t]*:.*(?:\r\n[ \t].*)*`)
	addressPart = regexp.MustCompile(`[^\s<>@,;:"()]+@[^\s<>@,;"()]+`)
)

// fromDomain puts the address of the From field in a domain and changes nothing else.
func fromDomain(letter []byte, address string) []byte {
	end := bytes.Index(letter, []byte("\r\n\r\n"))
	if end < 0 {
		end = len(letter)
	}
	at := fromField.FindIndex(letter[:end])
	if at == nil {
		return letter
	}
	spot := addressPart.FindIndex(letter[at[0]:at[1]])
	if spot == nil {
		return letter
	}
	return slices.Concat(letter[:at[0]+spot[0]], []byte(address), letter[at[0]+spot[1]:])
}

var anyLineEnd = regexp.MustCompile(`\r\n|\r|\n`)

// TestEveryCorpusLetterIsRefusedOrComesBackByteForByte sends the corpus to a
// professional's box through the MX.
func TestEveryCorpusLetterIsRefusedOrComesBackByteForByte(t *testing.T) {
	t.Parallel()
	short(t)
	var files []string
	for _, name := range []string{"eml", "eml-direct"} {
		dir := corpus(t, name)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	w := start(t)
	city, hospital := w.operator("city"), w.operator("hospital")
	from, to := city.Boxes[0], hospital.Boxes[1]
	c := w.mx("hospital", "city")
	b := w.inbox(hospital, to)
	entered := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		letter := fromDomain(anyLineEnd.ReplaceAll(data, []byte("\r\n")), from.Address)
		if !bytes.HasSuffix(letter, []byte("\r\n")) {
			letter = append(letter, "\r\n"...) // SMTP has whole lines only
		}
		reply, err := c.Send(from.Address, []string{to.Address}, letter)
		if err != nil {
			c = w.mx("hospital", "city") // closed after a refusal
			if reply.Code == 0 {
				t.Errorf("%s: no reply: %v", filepath.Base(file), err)
				continue
			}
		}
		if reply.Code != 250 {
			t.Logf("refused %s: %s", filepath.Base(file), reply)
			if reply.Code < 500 || strings.TrimSpace(reply.Text) == "" {
				t.Errorf("%s: refused without a reason: %s", filepath.Base(file), reply)
			}
			if _, err := c.Do("NOOP", 250); err != nil {
				c = w.mx("hospital", "city")
			}
			continue
		}
		entered++
		if _, err := b.Do("NOOP"); err != nil {
			t.Fatal(err)
		}
		got, err := b.Fetch("*", "")
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if !bytes.HasSuffix(got, letter) || !traceOnly(got[:len(got)-len(letter)]) {
			t.Errorf("%s: came back changed (%d octets sent, %d read)", filepath.Base(file), len(letter), len(got))
		}
	}
	t.Logf("%d of %d letters entered", entered, len(files))
	if entered < 150 {
		t.Errorf("only %d letters entered, want at least 150", entered)
	}
}

// traceOnly reports whether b is nothing but Return-Path and Received fields.
func traceOnly(b []byte) bool {
	for line := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\r\n")), []byte("\r\n")) {
		s := string(line)
		if !strings.HasPrefix(s, "Return-Path:") && !strings.HasPrefix(s, "Received:") && !strings.HasPrefix(s, "\t") && !strings.HasPrefix(s, " ") {
			return false
		}
	}
	return len(b) > 0
}
