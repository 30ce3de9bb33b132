package message

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Bounds of an answer.
const (
	// maxWritten is the longest text, in characters. Our choice: forty pages.
	maxWritten = 100_000
	// maxFiles and maxUpload (octets) bound what is sent along. Our choice: photos of a
	// phone, and reports.
	maxFiles  = 10
	maxUpload = 5_000_000
	// maxReply is what the request may carry: files, text and their frame.
	maxReply = maxFiles*maxUpload + 2<<20
)

// draft is an answer as it came from the form.
type draft struct {
	text  string
	files []Upload
	// problems are what is wrong with it, by field; reason is the id for programs.
	problems []leaf.Problem
	reason   string

	held  []*leaf.Held
	total int64
}

// close lets go of the files.
func (d *draft) close() {
	for _, h := range d.held {
		_ = h.Close() // nothing of it is left
	}
}

// problem notes what is wrong with a field; the first reason counts.
func (d *draft) problem(field, reason, text string) {
	if d.reason == "" {
		d.reason = reason
	}
	d.problems = append(d.problems, leaf.Problem{ID: field, Error: text})
}

// readDraft reads the form part by part: what is too much is told, not cut off. Its
// errors are those of a request that is no form, or that ended early.
func readDraft(v *ui.Visit, r *http.Request, total int64) (draft, error) {
	var d draft
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		d.text = r.PostFormValue("text") // a form without files
		d.check(v, total)
		return d, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return d, broken(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			d.check(v, total)
			return d, nil
		}
		if err == nil {
			err = d.take(v, part)
		}
		if err != nil {
			return d, broken(err)
		}
	}
}

// broken tells a request that cannot be read from one that is too large.
func broken(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.Wrap(fault.Invalid, "body-too-large", err)
	}
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(fault.Invalid, "body-malformed", err)
}

// take reads one field.
func (d *draft) take(v *ui.Visit, part *multipart.Part) error {
	switch part.FormName() {
	case "text":
		text, err := io.ReadAll(io.LimitReader(part, 4*maxWritten+1))
		d.text = strings.ToValidUTF8(string(text), "")
		return err
	case "files":
		return d.file(v, part)
	}
	return nil // a field that nobody asked for
}

// file reads one file and checks it.
func (d *draft) file(v *ui.Visit, part *multipart.Part) error {
	name := oneLine(path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")))
	if part.FileName() == "" {
		return nil // no file was chosen
	}
	if len(d.files) == maxFiles {
		if d.reason != "reply-too-many-files" {
			d.problem("files", "reply-too-many-files", v.T("msg.reply.error.many", "Count", maxFiles))
		}
		return nil
	}
	held, err := leaf.Hold(part, maxUpload)
	if fault.Reason(err) == "file-too-large" {
		rest, copied := io.Copy(io.Discard, part) // how much it is, for the sentence
		d.problem("files", "reply-file-too-large", v.T("msg.reply.error.large",
			"Name", name, "Size", v.Words.Size(maxUpload+1+rest), "Max", v.Words.Size(maxUpload)))
		return copied
	}
	if err != nil {
		return err
	}
	d.held = append(d.held, held)
	kind := leaf.Sniff(held)
	switch {
	case held.Size == 0:
		d.problem("files", "reply-file-empty", v.T("msg.reply.error.empty-file", "Name", name))
	case !kind.Shown():
		d.problem("files", "reply-file-kind", v.T("msg.reply.error.kind", "Name", name))
	}
	d.total += held.Size
	d.files = append(d.files, Upload{
		Name: withEnding(name, kind), Type: kind.MIME(), Content: io.NewSectionReader(held, 0, held.Size),
	})
	return nil
}

// check looks at the whole.
func (d *draft) check(v *ui.Visit, total int64) {
	switch {
	case strings.TrimSpace(d.text) == "":
		d.problem("text", "reply-empty", v.T("msg.reply.error.empty"))
	case tooLong(d.text):
		d.problem("text", "reply-too-long", v.T("msg.reply.error.long", "Count", maxWritten))
	}
	if d.total > total {
		d.problem("files", "reply-too-large", v.T("msg.reply.error.total", "Size", v.Words.Size(d.total), "Max", v.Words.Size(total)))
	}
}
