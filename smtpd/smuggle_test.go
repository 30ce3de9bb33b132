package smtpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// TestSmuggling sends a letter with something that another server may take for
// its end, followed by a second transaction, in every combination of what can
// stand before and behind the dot. Only CRLF.CRLF ends a letter (spec security
// 2.1); all the rest is refused, and the connection ends.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	ends := []string{
		"\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\x00\n", "\r\n\x00", "\n\n", "\r\n\r", "\r \n",
		"\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\u0085", "\u2028", "\u2029",
	}
	behind := append([]string{" \r\n", "\t\r\n", "\b\r\n", "x\r\n", " \n", "\u00a0\r\n"}, ends...)
	for _, before := range ends {
		for _, after := range behind {
			fake := before + "." + after
			if strings.HasPrefix(fake, "\r\n.\r\n") || !suspicious(before, after) { // the end, or no end at all
				continue
			}
			t.Run(fmt.Sprintf("%q", fake), func(t *testing.T) {
				t.Parallel()
				p := d.enter(t, hospital)
				p.envelope("dr.martin@"+hospital, "patient1@"+patients)
				p.say("DATA\r\n")
				p.want("354")
				p.say("Subject: outer\r\n\r\nline one" + fake +
					"MAIL FROM:<dr.martin@" + hospital + ">\r\nRCPT TO:<patient2@" + patients + ">\r\nDATA\r\n" +
					"Subject: SMUGGLED\r\n\r\nx\r\n.\r\n")
				p.want("550 5.5.2")
				if got := p.reply(5 * time.Second); got != "CLOSED" {
					t.Errorf("after the refusal: %q", got)
				}
			})
		}
	}
	t.Cleanup(func() {
		if kept := d.kept(); len(kept) != 0 {
			t.Errorf("%d letters were kept", len(kept))
		}
	})
}

// suspicious tells by plainer means than the door's which forms must be refused.
func suspicious(before, after string) bool {
	fake := before + "." + after
	if strings.ContainsAny(strings.ReplaceAll(fake, "\r\n", ""), "\r\n\x00") {
		return true
	}
	return before == "\r\n" || strings.HasPrefix(after, "\r\n")
}

// TestHonestLetters sends what resembles smuggling and is not: it arrives as it was sent.
func TestHonestLetters(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", ".\r\n", "..\r\n...\r\n. .\r\n", "\r\n\r\n", "\r\n.\r\n\r\n", "a.\r\n", "a\v\r\n", "\f\r\n", "\v.x\r\n", "a\u2028\r\n.\r\n",
		"Prénom… \u0085\r\n", "\xc5\x85.\r\n", "Å.\r\n", "\xa8.\r\n", "x\x1b.\r\n", strings.Repeat("x", 40_000) + "\r\n",
		strings.Repeat(".\r\n", 20_000), "a \r\n", ".\t\r\n",
	} {
		t.Run(fmt.Sprintf("%.20q", body), func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"DATA", "BDAT", "BDAT by octet"} {
				d := open(t, smtpd.MX, smtpd.Options{})
				p := d.enter(t, hospital)
				p.envelope("dr.martin@"+hospital, "patient1@"+patients)
				switch how {
				case "DATA":
					p.say("DATA\r\n")
					p.want("354")
					p.say(stuff(body) + ".\r\n")
					p.want("250")
				case "BDAT":
					p.say(fmt.Sprintf("BDAT %d LAST\r\n%s", len(body), body))
					p.want("250")
				default:
					whole := body[:min(len(body), 50)]
					for _, c := range []byte(whole) {
						p.say("BDAT 1\r\n" + string([]byte{c}))
						p.want("250")
					}
					p.say(fmt.Sprintf("BDAT %d LAST\r\n%s", len(body)-len(whole), body[len(whole):]))
					p.want("250")
				}
				if kept := d.kept(); len(kept) != 1 || kept[0].Body != body {
					t.Errorf("%s: kept %d letters %.200v, want %.100q", how, len(kept), kept, body)
				}
			}
		})
	}
}

// stuff dot-stuffs lines (RFC 5321 4.5.2).
func stuff(body string) string {
	lines := strings.SplitAfter(body, "\r\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = "." + l
		}
	}
	return strings.Join(lines, "")
}

// TestSmugglingInChunks holds the same rules for BDAT: the letter may go on by
// DATA to the next server (CVE-2023-51766).
func TestSmugglingInChunks(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	for _, body := range []string{"a\n.\n", "a\r.\r\n", "a\n.\r\n", "a\r\n\x00.\r\n", "a\v.\r\n", "a\u0085.\r\n", "a\r", "a\n", "a\r\r\n", "\n", "a\u2028.\r\nb\r\n"} {
		for _, cut := range []int{0, 1, 2, 3} {
			t.Run(fmt.Sprintf("%q at %d", body, cut), func(t *testing.T) {
				t.Parallel()
				cut := min(cut, len(body)-1)
				p := d.enter(t, hospital)
				p.envelope("dr.martin@"+hospital, "patient1@"+patients)
				p.say(fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%s", cut, body[:cut], len(body)-cut, body[cut:]))
				got := p.reply(5 * time.Second)
				if strings.HasPrefix(got, "250 2.0.0 Chunk") {
					got = p.reply(5 * time.Second)
				}
				if !strings.HasPrefix(got, "550 5.5.2") {
					t.Errorf("got %q", got)
				}
			})
		}
	}
	t.Cleanup(func() {
		if kept := d.kept(); len(kept) != 0 {
			t.Errorf("kept %v", kept)
		}
	})
}

// TestMalformedChunks refuses what is no BDAT command, and closes: how many octets
// would follow is not known.
func TestMalformedChunks(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	for _, arg := range []string{
		"", "-1 LAST", "+5 LAST", "0x5 LAST", "5h", "4 LAST BDAT 4", "5 FIRST", "5  LAST", "5,LAST", " ", "LAST", "1e1",
		"9223372036854775808", "18446744073709551616 LAST", "99999999999999999999999", "5\tLAST", "٣ LAST",
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			for _, series := range []bool{false, true} {
				p := d.enter(t, hospital)
				p.envelope("dr.martin@"+hospital, "patient1@"+patients)
				if series {
					p.say("BDAT 3\r\na\r\n")
					p.want("250")
				}
				p.say("BDAT " + arg + "\r\nMAIL FROM:<dr.martin@" + hospital + ">\r\n")
				p.want("501 5.5.4")
				if got := p.reply(5 * time.Second); got != "CLOSED" {
					t.Errorf("then %q", got)
				}
			}
		})
	}
}

// TestEndlessChunks does not wait for octets that no letter can have.
func TestEndlessChunks(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{})
	for _, rcpt := range []bool{false, true} {
		p := d.enter(t, hospital)
		if rcpt {
			p.envelope("dr.martin@"+hospital, "patient1@"+patients)
		}
		p.say("BDAT 9223372036854775807 LAST\r\nMAIL FROM:<dr.martin@" + hospital + ">\r\n")
		p.want("552 5.3.4")
		if got := p.reply(5 * time.Second); got != "CLOSED" {
			t.Errorf("then %q", got)
		}
	}
}

// TestManyChunks bounds the chunks of a letter.
func TestManyChunks(t *testing.T) {
	t.Parallel()
	d := open(t, smtpd.MX, smtpd.Options{MaxSize: 4096})
	p := d.enter(t, hospital)
	p.envelope("dr.martin@"+hospital, "patient1@"+patients)
	go p.say(strings.Repeat("BDAT 1\r\nA", 1200))
	taken := 0
	for {
		got := p.reply(5 * time.Second)
		if strings.HasPrefix(got, "250 ") {
			taken++
			continue
		}
		if !strings.HasPrefix(got, "552 5.3.4") || taken != 1001 {
			t.Errorf("after %d chunks: %q", taken, got)
		}
		return
	}
}
