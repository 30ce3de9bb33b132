package reading_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

const rich = `From: Dr Bob <` + bob + `>
To: undisclosed-recipients:;
Subject: Rendez-vous
Date: Mon, 2 Mar 2026 10:00:00 +0100
Message-ID: <rich@city.example>
References: <a@x> nonsense <b@x>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/related; boundary=r

--r
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

D=E9j=E0 vu
--a
Content-Type: text/html; charset=utf-8

<p>Déjà vu <img src="cid:logo@x"></p>
--a
Content-Type: text/calendar; method=request; charset=utf-8

BEGIN:VCALENDAR
--a--
--r
Content-Type: image/png
Content-ID: <logo@x>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--r--
--m
Content-Type: application/pdf
Content-Disposition: attachment; filename*0*=utf-8''compte%20rendu%20; filename*1*=d%C3%A9taill%C3%A9.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjcKJVBERi0xLjcK
--m
Content-Type: application/octet-stream; name="=?utf-8?Q?=E2=80=AEfdp.exe?="

x
--m
Content-Type: message/rfc822

From: nobody@x
Subject: enclosed

inside
--m
Content-Type: text/plain; name="note.txt"

a note
--m--
`

func TestALetterIsATreeOfParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.arrive(crlf(rich), ruth)
	by := w.reader(w.ruth)
	line := w.newest(by)
	if line.Attachments != 4 || !line.Invitation {
		t.Errorf("line %+v", line)
	}
	l := w.open(by, line.ID)
	var got []string
	var walk func(p *reading.Part)
	walk = func(p *reading.Part) {
		got = append(got, fmt.Sprintf("%s %s %d %q %s", p.Path, p.Type, p.Role(), p.Name, p.Method))
		for _, c := range p.Children {
			walk(c)
		}
	}
	walk(l.Root)
	want := []string{
		` multipart/mixed 0 "" `, `1 multipart/related 0 "" `, `1.1 multipart/alternative 0 "" `,
		`1.1.1 text/plain 1 "" `, `1.1.2 text/html 2 "" `, `1.1.3 text/calendar 3 "" REQUEST`, `1.2 image/png 4 "" `,
		`2 application/pdf 5 "compte rendu détaillé.pdf" `, `3 application/octet-stream 5 "fdp.exe" `,
		`4 message/rfc822 5 "" `, `5 text/plain 5 "note.txt" `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if text, whole, err := l.Text(l.With(reading.Plain)[0], 100); text != "Déjà vu" || !whole || err != nil {
		t.Errorf("text %q, %t, %v", text, whole, err)
	}
	if text, whole, err := l.Text(l.With(reading.HTML)[0], 5); text != "<p>D" || whole || err != nil {
		t.Errorf("cut text %q, %t, %v", text, whole, err)
	}
	pdf, err := l.Part("2")
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, l.Open(pdf)); got != "%PDF-1.7\n%PDF-1.7\n" || pdf.Size != int64(len(got)) {
		t.Errorf("pdf %q of %d octets", got, pdf.Size)
	}
	file, err := l.File(pdf)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := all(t, io.NewSectionReader(file, 9, 8)); got != "%PDF-1.7" || file.Size() != 18 {
		t.Errorf("from the spool %q", got)
	}
	for _, path := range []string{"", "1", "1.1", "9", "1.1.1.1", "2 ", "../2"} {
		if p, err := l.Part(path); p != nil || reason(err) != "part-unknown" {
			t.Errorf("part %q: %v", path, err)
		}
	}
	ids, err := l.ReferenceIDs()
	if diff := cmp.Diff([]string{"<a@x>", "<b@x>", "<rich@city.example>"}, ids); diff != "" || err != nil {
		t.Errorf("references %v (-want +got)\n%s", err, diff)
	}
	if enclosed, err := l.Part("4"); err != nil || !strings.Contains(all(t, l.Open(enclosed)), "inside") {
		t.Errorf("enclosed letter: %v", err)
	}
}

func TestALetterOfOnePartIsItsOwnPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.arrive(crlf("From: "+bob+"\nMessage-ID: <x@y>\nDate: nonsense\n\nBonjour\n"), ruth)
	by := w.reader(w.ruth)
	l := w.open(by, w.newest(by).ID)
	p, err := l.Part("1")
	if err != nil || p.Role() != reading.Plain || !l.Date.Equal(l.At) || l.Subject != "" {
		t.Errorf("part %+v, %v; line %+v", p, err, l.Line)
	}
	if text, _, err := l.Text(p, 1000); text != "Bonjour\r\n" || err != nil {
		t.Errorf("text %q, %v", text, err)
	}
}
