package smtpd_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/smtpd"
)

// lockedBuffer takes log lines from several connections.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestLogHoldsNoPeerInput: one object per line, constant event names, and nothing
// that a peer said or is called.
func TestLogHoldsNoPeerInput(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	d := open(t, smtpd.MX, smtpd.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	for _, evil := range []string{
		"EHLO a\x1b[2J\x85<script>secret</script>\"},{\"evil\":\"secret\r\n", "MAIL FROM:<secret@" + hospital + "> XSECRET=1\r\n",
		"secret secret\r\n", "secret\n", "NOOP secret\x00\r\n", "BDAT secret\r\n", "AUTH secret secret\r\n",
	} {
		p := d.enter(t, hospital)
		p.say(evil)
		p.want("5")
		p.conn.Close()
	}
	p := d.enter(t, hospital)
	p.envelope("secret@"+hospital, "secret@"+patients)
	for _, box := range []string{"tempfail", "broken", "panic"} {
		p.say("RCPT TO:<" + box + "@" + patients + ">\r\n")
		p.want("4")
	}
	d.shut(t)
	lines := strings.Split(strings.TrimSpace(log.b.String()), "\n")
	if len(lines) < 8 {
		t.Errorf("only %d lines", len(lines))
	}
	for _, line := range lines {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if name, _ := event["msg"].(string); !strings.HasPrefix(name, "smtp.") || event["component"] != "smtpd" {
			t.Errorf("unnamed event: %s", line)
		}
		for _, word := range []string{"secret@", "secret<", "<script", "\\u001b", "127.0.0.1", patients, hospital, "XSECRET"} {
			if strings.Contains(strings.ReplaceAll(line, "github.com/vaguemestre", ""), word) {
				t.Errorf("%q stands in %s", word, line)
			}
		}
	}
}
