package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPythonsClientsWorkAllDay runs smtplib and imaplib through a day's commands,
// by app password and by certificate.
func TestPythonsClientsWorkAllDay(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, args []string) {
		w := start(t, args...)
		o := w.operator("city")
		p := o.Boxes[1]
		arg, err := json.Marshal(map[string]string{
			"ca": w.ready.Authority.CAFile, "submission": o.Submission, "imaps": o.IMAPS, "imap": o.IMAP,
			"login": p.Login, "password": p.Password, "cert": p.CertFile, "key": p.KeyFile,
		})
		if err != nil {
			t.Fatal(err)
		}
		if out := tool(t, "python3", "testdata/clients.py", string(arg)); !strings.Contains(out, "ok") {
			t.Errorf("python: %s", out)
		}
	})
}
