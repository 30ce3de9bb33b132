package message

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// Answer is a reply as it goes out: one recipient, a text, some files. It has no
// field that a reader could fill with another recipient.
type Answer struct {
	From identity.Address
	// Name is the patient's, for the display name.
	Name string
	To   identity.Address
	// Subject is the letter's that is answered, without its marks.
	Subject string
	// MessageID is the reply's own, with angle brackets.
	MessageID string
	// References are the ids of the letters before, the answered one last (RFC 5322
	// 3.6.4); what is no id is left out.
	References []string
	Date       time.Time
	Text       string
	Files      []Upload
}

// Upload is a file that is sent along: its kind was read from its octets.
type Upload struct {
	Name    string
	Type    string
	Content io.ReadSeeker
}

// maxReferences is how many ids References names at most: the first, and the newest.
// Our choice; RFC 5322 3.6.4 sets no limit and lines end at 998 octets.
const maxReferences = 20

// WriteTo writes the letter (RFC 5322, RFC 2045) with CRLF line ends, US-ASCII only.
// It fails with fault.Internal "reply-incomplete" when an address or the id is
// missing, or as w or a file fails.
func (a Answer) WriteTo(w io.Writer) (int64, error) {
	if a.From.IsZero() || a.To.IsZero() || a.MessageID == "" {
		return 0, fault.New(fault.Internal, "reply-incomplete")
	}
	out := &lines{w: bufio.NewWriter(w)}
	a.header(out)
	if len(a.Files) == 0 {
		out.text(a.Text)
		return out.n, out.flush()
	}
	boundary := "=_" + identity.NewID() // "=_" occurs in no encoding, RFC 2045 6.7
	out.line("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"")
	out.line("")
	out.line("--" + boundary)
	out.text(a.Text)
	for _, f := range a.Files {
		out.line("")
		out.line("--" + boundary)
		out.file(f)
	}
	out.line("")
	out.line("--" + boundary + "--")
	return out.n, out.flush()
}

func (a Answer) header(out *lines) {
	from := a.From.String()
	if name := oneLine(a.Name); name != "" {
		out.folded("From", phrase(name)+" <"+from+">")
	} else {
		out.line("From: " + from)
	}
	out.line("To: " + a.To.String())
	out.folded("Subject", strings.TrimSpace("Re: "+encodeWords(again(oneLine(a.Subject)))))
	out.line("Date: " + a.Date.Format(time.RFC1123Z))
	out.line("Message-ID: " + a.MessageID)
	refs := ids(a.References)
	if len(refs) > maxReferences {
		refs = append(refs[:1:1], refs[len(refs)-maxReferences+1:]...)
	}
	if len(refs) > 0 {
		out.folded("In-Reply-To", refs[len(refs)-1])
		out.folded("References", strings.Join(refs, " "))
	}
	out.line("MIME-Version: 1.0")
}

// again takes the marks of earlier replies off a subject.
func again(subject string) string {
	for {
		rest, was := cutFold(subject, "Re:")
		if !was {
			return subject
		}
		subject = rest
	}
}

// ids returns those of a list that are message ids.
func ids(list []string) []string {
	var all []string
	for _, id := range list {
		inner, ok := strings.CutPrefix(id, "<")
		inner, closed := strings.CutSuffix(inner, ">")
		if ok && closed && len(id) <= 250 && strings.Count(inner, "@") == 1 && !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
			all = append(all, id)
		}
	}
	return all
}

// oneLine leaves no way to end a header line.
func oneLine(s string) string { return strings.Join(strings.Fields(tame(s)), " ") }

// phrase writes a display name: quoted, or as encoded words (RFC 2047 5).
func phrase(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > '~' || r < ' ' }) {
		return encodeWords(name)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

func encodeWords(s string) string { return mime.QEncoding.Encode("utf-8", s) }

// lines writes a letter and remembers the first error.
type lines struct {
	w   *bufio.Writer
	n   int64
	err error
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.w.Write(p)
	l.n += int64(n)
	l.err = err
	return n, err
}

func (l *lines) line(s string) { _, _ = io.WriteString(l, s+"\r\n") } // kept in l.err

// folded writes a field, folded at spaces (RFC 5322 2.2.3: 78 columns).
func (l *lines) folded(name, value string) {
	column := len(name) + 1
	_, _ = io.WriteString(l, name+":")
	for word := range strings.FieldsSeq(value) {
		if column+1+len(word) > 78 && column > len(name)+1 {
			_, _ = io.WriteString(l, "\r\n")
			column = 0
		}
		_, _ = io.WriteString(l, " "+word)
		column += 1 + len(word)
	}
	l.line("")
}

// text writes the header and the content of the words (RFC 2045 6.7).
func (l *lines) text(s string) {
	l.line("Content-Type: text/plain; charset=utf-8")
	l.line("Content-Transfer-Encoding: quoted-printable")
	l.line("")
	q := quotedprintable.NewWriter(l)
	s = strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n")
	_, err := io.WriteString(q, strings.ReplaceAll(s, "\n", "\r\n")+"\r\n")
	l.err = errors.Join(l.err, err, q.Close())
}

// file writes the header and the content of a file (RFC 2045 6.8: lines of 76).
func (l *lines) file(f Upload) {
	name := oneLine(f.Name)
	l.folded("Content-Type", f.Type)
	l.folded("Content-Disposition", disposition(name))
	l.line("Content-Transfer-Encoding: base64")
	l.line("")
	_, err := f.Content.Seek(0, io.SeekStart)
	if err == nil {
		wrap := &wrapped{w: l}
		b64 := base64.NewEncoder(base64.StdEncoding, wrap)
		_, err = io.Copy(b64, f.Content)
		err = errors.Join(err, b64.Close(), wrap.end())
	}
	l.err = errors.Join(l.err, err)
}

// disposition writes the name of a file: plain where it can be, else as RFC 2231 asks,
// with a plain one beside it for old readers.
func disposition(name string) string {
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": name}); v != "" {
		return v
	}
	return "attachment"
}

func (l *lines) flush() error {
	if l.err != nil {
		return l.err
	}
	return l.w.Flush()
}

// wrapped breaks a stream into lines of 76 octets.
type wrapped struct {
	w      io.Writer
	column int
}

// Write implements io.Writer.
func (b *wrapped) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if b.column == 76 {
			if err := b.end(); err != nil {
				return written, err
			}
		}
		n, err := b.w.Write(p[:min(len(p), 76-b.column)])
		written += n
		b.column += n
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

func (b *wrapped) end() error {
	b.column = 0
	_, err := io.WriteString(b.w, "\r\n")
	return err
}
