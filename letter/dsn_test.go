package letter_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

// read is a DSN as the standard library reads it.
type read struct {
	header mail.Header
	text   string
	status []textproto.MIMEHeader // per message, then per recipient
	kind   string                 // of the third part
	third  string
}

// compose writes d and reads it back with net/mail and mime/multipart; it holds
// what is true of every DSN.
func compose(t *testing.T, d letter.DSN) read {
	t.Helper()
	var out bytes.Buffer
	n, err := d.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		t.Fatalf("%d octets of %d: %v", n, out.Len(), err)
	}
	s := walk(t, out.String())
	if !d.Full && (len(s.Ambiguities) > 0 || s.EightBit) {
		t.Errorf("ambiguities %v, 8-bit %v", s.Ambiguities, s.EightBit)
	}
	m, err := mail.ReadMessage(&out)
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("%s %v %v", kind, params, err)
	}
	r := read{header: m.Header}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for i := 0; ; i++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p) // NextPart resolves quoted-printable
		if err != nil {
			t.Fatal(err)
		}
		switch kind := p.Header.Get("Content-Type"); {
		case i == 0 && kind == "text/plain; charset=utf-8":
			r.text = string(body)
		case i == 1 && kind == "message/delivery-status":
			b := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader("\r\n\r\n"))))
			for {
				h, err := b.ReadMIMEHeader()
				if err != nil || len(h) == 0 {
					break
				}
				r.status = append(r.status, h)
			}
		case i == 2:
			r.kind, r.third = kind, string(body)
		default:
			t.Fatalf("part %d is %s", i, kind)
		}
	}
	if len(r.status) != 1+len(d.Recipients) {
		t.Fatalf("%d groups of status fields for %d recipients", len(r.status), len(d.Recipients))
	}
	return r
}

// failure is an ordinary DSN.
func failure(t *testing.T) letter.DSN {
	t.Helper()
	return letter.DSN{
		From: address(t, "postmaster@chu-a.example"), To: address(t, "claire@labo-b.example"),
		Reporter: "mx.chu-a.example", MessageID: "<dsn1@chu-a.example>", Date: noon(), Arrival: noon().Add(-time.Minute),
		EnvelopeID: "env 1", OriginalID: "<orig@labo-b.example>",
		Recipients: []letter.Recipient{
			{
				Final: address(t, "p@chu-a.example"), OriginalType: "rfc822", Original: "P@chu-a.example", Action: letter.Failed,
				Status: "5.1.1", Diagnostic: "550 5.1.1 no such box", Remote: "mx2.chu-a.example", LastAttempt: noon(),
			},
			{
				Final: address(t, "q@chu-a.example"), Action: letter.Delayed, Status: "4.4.1", RetryUntil: noon().Add(48 * time.Hour),
				French: "La boîte ouvre bientôt.", English: "The box opens soon.",
			},
		},
		Original: strings.NewReader("Subject: secret\r\nX: y\r\n\r\nbody\r\n"),
	}
}

func TestDSN(t *testing.T) {
	t.Parallel()
	r := compose(t, failure(t))
	for name, want := range map[string]string{
		"From": `"Mail Delivery System" <postmaster@chu-a.example>`, "To": "<claire@labo-b.example>",
		"Date": "Mon, 2 Nov 2026 12:00:00 +0100", "Message-Id": "<dsn1@chu-a.example>",
		"Subject": "Message non remis / Undelivered message", "Auto-Submitted": "auto-replied",
		"In-Reply-To": "<orig@labo-b.example>", "References": "<orig@labo-b.example>", "Mime-Version": "1.0",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	want := []textproto.MIMEHeader{
		{"Original-Envelope-Id": {"env 1"}, "Reporting-Mta": {"dns; mx.chu-a.example"}, "Arrival-Date": {"Mon, 2 Nov 2026 11:59:00 +0100"}},
		{
			"Original-Recipient": {"rfc822; P@chu-a.example"}, "Final-Recipient": {"rfc822; p@chu-a.example"}, "Action": {"failed"},
			"Status": {"5.1.1"}, "Remote-Mta": {"dns; mx2.chu-a.example"}, "Diagnostic-Code": {"smtp; 550 5.1.1 no such box"},
			"Last-Attempt-Date": {"Mon, 2 Nov 2026 12:00:00 +0100"},
		},
		{
			"Final-Recipient": {"rfc822; q@chu-a.example"}, "Action": {"delayed"}, "Status": {"4.4.1"},
			"Will-Retry-Until": {"Wed, 4 Nov 2026 12:00:00 +0100"},
		},
	}
	if diff := cmp.Diff(want, r.status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	french, english := strings.Index(r.text, "n'a pas été remis"), strings.Index(r.text, "was not delivered")
	if french < 0 || english < french || !strings.Contains(r.text, "La boîte ouvre bientôt.") || !strings.Contains(r.text, "The box opens soon.") ||
		!strings.Contains(r.text, "<p@chu-a.example>") || !strings.Contains(r.text, "02/11/2026 à 11:59") {
		t.Errorf("text:\n%s", r.text)
	}
	if r.kind != "text/rfc822-headers" || r.third != "Subject: secret\r\nX: y\r\n\r\n" {
		t.Errorf("third part %s %q", r.kind, r.third)
	}
}

// TestDSNFull holds that the whole letter comes back, octet for octet, without
// being held in memory.
func TestDSNFull(t *testing.T) {
	d := failure(t)
	original := "Subject: \xe9\r\n\r\n" + strings.Repeat("0123456789 \xe9\r\n", 1<<20)
	d.Original, d.Full = struct{ io.Reader }{strings.NewReader(original)}, true
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := d.WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 256<<10 {
		t.Errorf("%d octets allocated", got)
	}
	d.Original = strings.NewReader(original)
	r := compose(t, d)
	if r.kind != "message/rfc822" || r.third != original {
		t.Errorf("third part %s of %d octets, want %d", r.kind, len(r.third), len(original))
	}
	if got := r.header.Get("Content-Transfer-Encoding"); got != "8bit" {
		t.Errorf("encoding %q", got)
	}
}

// TestDSNBrokenHeader holds that a header that is no legal text is returned all the
// same, and that one of any size ends.
func TestDSNBrokenHeader(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"Subject: \xe9\r\n\r\n", "X: a\rb\r\n\r\n", "X: y\nZ: z\n\n", "X: " + strings.Repeat("x", 2000) + "\r\n\r\n", "X: y", "",
	} {
		d := failure(t)
		d.Original = strings.NewReader(header)
		got := compose(t, d).third
		// Quoted-printable text has CRLF at its line ends.
		want, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(strings.ReplaceAll(header, "=", "=3D"))))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := strings.ReplaceAll(got, "\r\n", "\n"), strings.ReplaceAll(string(want), "\r\n", "\n"); strings.ReplaceAll(a, "\r", "\n") != strings.ReplaceAll(b, "\r", "\n") {
			t.Errorf("%.40q came back as %.40q", header, got)
		}
	}
	d := failure(t)
	d.Original = strings.NewReader(strings.Repeat("X: y\r\n", 100_000))
	if got := len(compose(t, d).third); got > 256<<10 || got < 200<<10 {
		t.Errorf("%d octets of the header", got)
	}
}

// TestDSNInjection puts line ends and other fields into everything that others
// can write.
func TestDSNInjection(t *testing.T) {
	t.Parallel()
	clean := compose(t, failure(t))
	for _, evil := range []string{"x\r\nX-Evil: 1\r\n\r\nbody", "x\nX-Evil: 1", "x\rX-Evil: 1", "x\x00y", "\u2028X-Evil: 1", "é\"(<>", strings.Repeat("x", 5000), " "} {
		d := failure(t)
		d.Reporter, d.MessageID, d.OriginalID, d.EnvelopeID = evil, evil, "<"+evil+">", evil
		r := &d.Recipients[0]
		r.OriginalType, r.Original, r.Diagnostic, r.Remote, r.Status = evil, evil, evil, evil, evil
		r.Action = letter.Action(evil)
		r.French, r.English = evil, evil
		got := compose(t, d)
		if len(got.header) > len(clean.header) || got.header.Get("X-Evil") != "" || got.header.Get("Message-Id") == evil {
			t.Errorf("%.20q: header %v", evil, got.header)
		}
		for _, group := range got.status {
			if group.Get("X-Evil") != "" {
				t.Errorf("%.20q: status %v", evil, group)
			}
		}
		if s := got.status[1]; s.Get("Action") != "failed" || s.Get("Status") != "5.0.0" {
			t.Errorf("%.20q: %v", evil, s)
		}
	}
}

// TestDSNForms holds the subject, the status class and the words of each action.
func TestDSNForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action          letter.Action
		status, want    string
		subject, inText string
	}{
		{letter.Failed, "4.4.7", "4.4.7", "Undelivered", "another way"},
		{letter.Failed, "2.0.0", "5.0.0", "Undelivered", "autre moyen"},
		{letter.Failed, "5.1", "5.0.0", "Undelivered", "autre moyen"},
		{letter.Failed, "5.01.1", "5.0.0", "Undelivered", "autre moyen"},
		{letter.Delayed, "5.0.0", "4.0.0", "Delayed", "We keep trying"},
		{letter.Delivered, "2.1.5", "2.1.5", "Delivery report", "déposé"},
		{letter.Relayed, "", "2.0.0", "Delivery report", "transmis"},
		{letter.Expanded, "2.0.0", "2.0.0", "Delivery report", "members"},
	} {
		d := failure(t)
		d.Recipients = []letter.Recipient{{Final: address(t, "p@chu-a.example"), Action: c.action, Status: c.status}}
		d.Original, d.MessageID, d.OriginalID, d.EnvelopeID = nil, "", "", ""
		r := compose(t, d)
		subject, err := new(mime.WordDecoder).DecodeHeader(r.header.Get("Subject"))
		if err != nil || !strings.Contains(subject, c.subject) {
			t.Errorf("%s: subject %q, %v", c.action, subject, err)
		}
		if got := r.status[1].Get("Status"); got != c.want {
			t.Errorf("%s %s: status %q, want %q", c.action, c.status, got, c.want)
		}
		if !strings.Contains(r.text, c.inText) {
			t.Errorf("%s: text %q", c.action, r.text)
		}
		if id := r.header.Get("Message-Id"); !strings.HasSuffix(id, "@chu-a.example>") || r.header.Get("References") != "" {
			t.Errorf("%s: message id %q", c.action, id)
		}
	}
}

// TestDSNUTF8Recipient holds the form of RFC 6533 for 7-bit transport.
func TestDSNUTF8Recipient(t *testing.T) {
	t.Parallel()
	d := failure(t)
	d.Recipients[0].Final = address(t, "ren\u00e9+x@chu-a.example")
	d.Recipients[0].OriginalType, d.Recipients[0].Original = "UTF-8", "ren\u00e9@chu-a.example"
	r := compose(t, d)
	if got, want := r.status[1].Get("Final-Recipient"), `utf-8; ren\x{E9}\x{2B}x@chu-a.example`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := r.status[1].Get("Original-Recipient"), `utf-8; ren\x{E9}@chu-a.example`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDSNFails holds that no half of a report is taken for a whole one.
func TestDSNFails(t *testing.T) {
	t.Parallel()
	if _, err := (letter.DSN{}).WriteTo(io.Discard); fault.Reason(err) != "report-incomplete" {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	for _, full := range []bool{false, true} {
		d := failure(t)
		d.Full, d.Original = full, io.MultiReader(strings.NewReader("X: y\r\n"), iotest.ErrReader(broken))
		if _, err := d.WriteTo(io.Discard); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	for limit := range 1500 {
		if _, err := failure(t).WriteTo(&failing{left: limit}); err == nil {
			t.Fatalf("no error of the writer after %d octets", limit)
		}
	}
}

// failing takes some octets and then fails.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}
