package smtpd_test

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// TestHeard: a further command tells that the peer has its 250, if the peer was
// silent when it was said. The replay window of an identical letter hangs on it.
func TestHeard(t *testing.T) {
	t.Parallel()
	const letter = "Subject: t\r\n\r\n.\r\n"
	for name, c := range map[string]struct {
		last string // said with the final dot
		then string // said after the 250 was read
		want int
	}{
		"a command after the 250":           {letter, "NOOP\r\n", 1},
		"quit after the 250":                {letter, "QUIT\r\n", 1},
		"half a command":                    {letter, "NOO", 0},
		"nothing":                           {letter, "", 0},
		"a pipelined quit proves nothing":   {letter + "QUIT\r\n", "", 0},
		"a pipelined noop proves nothing":   {letter + "NOOP\r\n", "", 0},
		"a refused letter has nothing owed": {"EICAR\r\n.\r\n", "NOOP\r\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, smtpd.MX, smtpd.Options{})
			p := d.enter(t, hospital)
			p.envelope("dr.martin@"+hospital, "patient1@"+patients)
			p.say("DATA\r\n")
			p.want("354")
			p.say(c.last)
			p.reply(5 * time.Second)
			p.say(c.then)
			if c.then != "" && c.want > 0 {
				p.reply(5 * time.Second)
			}
			p.conn.Close()
			d.shut(t)
			if d.heard != c.want {
				t.Errorf("heard %d times, want %d", d.heard, c.want)
			}
		})
	}
}
