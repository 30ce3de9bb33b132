package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
)

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "say what a package, document, letter or invitation holds, what would be filed, and why not",
		ArgsUsage: "FILE...",
		Description: `Reads each FILE as an operator would and prints one JSON object a line, in the order
of the arguments. Files are known by their content, never by their name:

  xdm       a zip archive, read as IHE_XDM.zip     cda       a CDA document
  letter    an Internet message, with all of that  calendar  an iCalendar object
  pdf       a PDF

What would be filed is decided by the same functions as in a running operator, but that
nobody is looked up: "patient" is whom the documents name, and they are held against
that person. "assumed" is what else was taken for granted. Reasons are stable ids, with
a sentence in English beside each.

The exit status is 0 if every file could be read, whatever is wrong with it, and 1 if
one could not be read at all or is none of these.

What is printed is health data: it goes to the terminal, and into no log.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "indent", Usage: "print each object over several lines"},
			&cli.BoolFlag{Name: "depot", Usage: "judge as a deposit: a letter to depot@ of the patients' domain"},
			&cli.StringFlag{Name: "recipient", Usage: "whose agenda an invitation is for: an `ADDRESS` (default: the first one it goes to)"},
		},
		Action: inspectFiles,
	}
}

func inspectFiles(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() == 0 {
		return errors.New("name a file to inspect")
	}
	in := inspection{depot: c.Bool("depot")}
	if a := c.String("recipient"); a != "" {
		var err error
		if in.recipient, err = identity.ParseAddress(a); err != nil {
			return fmt.Errorf("--recipient: %w", err)
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if c.Bool("indent") {
		out.SetIndent("", "  ")
	}
	unread := 0
	for _, name := range c.Args().Slice() {
		r := in.file(ctx, name)
		if r.Error != nil {
			unread++
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	if unread > 0 {
		return fmt.Errorf("%d of %d files could not be read", unread, c.Args().Len())
	}
	return nil
}

// inspection is how files are to be judged.
type inspection struct {
	depot     bool
	recipient identity.Address // zero: taken from the file
}

// The kinds of a file.
const (
	kindXDM      = "xdm"
	kindCDA      = "cda"
	kindLetter   = "letter"
	kindCalendar = "calendar"
	kindPDF      = "pdf"
	kindUnknown  = "unknown"
)

// file inspects one file. What cannot be read gives a report with an Error.
func (in inspection) file(ctx context.Context, name string) *report {
	r := &report{File: name, Kind: kindUnknown, Documents: []documentFacts{}}
	f, err := os.Open(name)
	if err != nil {
		return r.fail("file-unreadable", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return r.fail("file-unreadable", err)
	}
	r.Size = info.Size()
	first, err := ends(f, 0)
	if err != nil {
		return r.fail("file-unreadable", err)
	}
	last, err := ends(f, max(r.Size-endsSize, 0))
	if err != nil {
		return r.fail("file-unreadable", err)
	}
	switch r.Kind = recognise(first, last); r.Kind {
	case kindUnknown:
		return r.fail("file-unknown", nil)
	case kindLetter:
		err = in.letter(ctx, r, f)
	default:
		err = in.lone(ctx, r, f)
	}
	if err != nil {
		return r.fail("file-unreadable", err)
	}
	return r
}

// endsSize is how much of a file's beginning and end tells what it is.
const endsSize = 4 << 10

// ends reads from an offset as much as recognise looks at.
func ends(f io.ReaderAt, at int64) ([]byte, error) {
	b := make([]byte, endsSize)
	n, err := f.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// recognise tells a file's kind from its first octets and its last ones. An archive
// ends like one, whatever stands before it; that is then what is wrong with it.
func recognise(first, last []byte) string {
	text := bytes.ReplaceAll(first, []byte{0}, nil) // UTF-16 is XML that is refused
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff", "\xef\xbb\xbf"} {
		text = bytes.TrimPrefix(text, []byte(mark))
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	switch {
	case bytes.HasPrefix(first, []byte("PK\x03\x04")), bytes.Contains(last, []byte("PK\x05\x06")) && bytes.Contains(last, []byte("PK\x01\x02")):
		return kindXDM
	case bytes.HasPrefix(first, []byte("%PDF-")):
		return kindPDF
	case bytes.HasPrefix(bytes.ToUpper(text), []byte("BEGIN:")):
		return kindCalendar
	case bytes.HasPrefix(text, []byte("<")):
		return kindCDA
	case startsWithField(text):
		return kindLetter
	}
	return kindUnknown
}

// startsWithField reports whether octets begin with a header field (RFC 5322 2.2), or
// the line that mbox files have before it.
func startsWithField(first []byte) bool {
	line, _, _ := bytes.Cut(first, []byte("\n"))
	if bytes.HasPrefix(line, []byte("From ")) {
		_, rest, _ := bytes.Cut(first, []byte("\n"))
		line, _, _ = bytes.Cut(rest, []byte("\n"))
	}
	name, _, found := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return found && len(name) > 0
}

// lone inspects a file that is no letter.
func (in inspection) lone(ctx context.Context, r *report, f *os.File) (err error) {
	// The name decides nothing but a title of last resort: its extension is what the
	// content is.
	stem := strings.TrimSuffix(filepath.Base(r.File), filepath.Ext(r.File))
	name := map[string]string{kindXDM: "IHE_XDM.ZIP", kindCDA: stem + ".xml", kindCalendar: stem + ".ics", kindPDF: stem + ".pdf"}[r.Kind]
	found, err := filing.Examine(ctx, filing.Subject{Octets: f, Size: r.Size, Name: name, Depot: in.depot})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	if a := found.Attachments[0]; a.Kind == filing.Other {
		r.Kind = kindUnknown
		r.fail(firstText(a.Reason, "file-unknown"), nil)
		return nil
	}
	in.loneInvitations(r, found)
	r.take(found)
	switch r.Kind {
	case kindXDM:
		r.sets("", f, r.Size)
	case kindCDA:
		r.header(f)
	}
	return nil
}

// loneInvitations judges calendars that no letter brings as if their organizer sent
// them to whom they invite.
func (in inspection) loneInvitations(r *report, found *filing.Findings) {
	for i := range found.Invitations {
		v := &found.Invitations[i]
		if v.Message == nil || v.Reason != "" {
			continue
		}
		var organizer identity.Address
		if len(v.Message.Events) > 0 {
			organizer = v.Message.Events[0].Organizer.Address
		}
		recipient := in.invited(v.Message)
		r.Assumed = &assumed{Sender: addressText(organizer), Recipient: addressText(recipient)}
		if err := agenda.Judge(v.Message, v.Message.Method, organizer, recipient); err != nil {
			v.Reason = fault.Reason(err)
		}
	}
}

// addressText is an address, "" for none.
func addressText(a identity.Address) string {
	if a.IsZero() {
		return ""
	}
	return a.String()
}

// invited is whose agenda a message is for: the recipient that was given, or the
// first person whom it invites.
func (in inspection) invited(m *agenda.Message) identity.Address {
	if in.recipient.IsZero() && len(m.Events) > 0 {
		for _, p := range m.Events[0].Attendees {
			if !p.Address.IsZero() {
				return p.Address
			}
		}
	}
	return in.recipient
}

// letter inspects an Internet message.
func (in inspection) letter(ctx context.Context, r *report, file *os.File) (err error) {
	f, size, err := asSent(r, file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := letter.NewWalker(letter.Limits{})
	if _, err := io.Copy(w, io.NewSectionReader(f, 0, size)); err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	s, err := w.Close()
	if err != nil {
		if !fault.Is(err, fault.Invalid) {
			return err
		}
		r.Reason, r.Why = fault.Reason(err), sentence(fault.Reason(err))
		return nil
	}
	author, err := w.Author()
	if err != nil {
		r.warn(fault.Reason(err))
	}
	recipient := in.recipient
	if recipient.IsZero() {
		recipient = firstAddress(s.Root.Envelope)
	}
	r.Assumed = &assumed{Sender: addressText(author), Recipient: addressText(recipient)}
	found, err := filing.Examine(ctx, filing.Subject{
		Octets: f, Size: size, Structure: s, Depot: in.depot,
		Author: addressText(author), AuthorName: displayName(s.Root.Envelope), Sender: author, Recipient: recipient,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	r.take(found)
	r.letterFacts(s, found)
	return r.packages(f, s, found)
}

// source is a file's octets.
type source interface {
	io.ReaderAt
	io.Closer
}

// asSent returns a letter as a client would send it: programs keep letters with the
// line ends of the system, and no line end but CR LF goes out. A letter with a CR
// anywhere is taken as it is. The copy is encrypted.
func asSent(r *report, f *os.File) (source, int64, error) {
	for chunk := range chunks(f, r.Size) {
		if bytes.IndexByte(chunk, '\r') >= 0 {
			return f, r.Size, nil
		}
	}
	spool, err := seal.NewSpool("")
	if err != nil {
		return nil, 0, err
	}
	size := int64(0)
	for chunk := range chunks(f, r.Size) {
		n, err := spool.Write(bytes.ReplaceAll(chunk, []byte("\n"), []byte("\r\n")))
		if size += int64(n); err != nil {
			return nil, 0, errors.Join(err, spool.Close())
		}
	}
	r.warn("line-ends-lf")
	return spool, size, nil
}

// chunks are a file's octets in pieces that are good until the next one. A file that
// cannot be read on ends early: who reads it next finds out.
func chunks(f io.ReaderAt, size int64) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		b := make([]byte, 64<<10)
		for r := io.NewSectionReader(f, 0, size); ; {
			n, err := r.Read(b)
			if n > 0 && !yield(b[:n]) || err != nil {
				return
			}
		}
	}
}

// firstAddress is the first recipient that is one.
func firstAddress(e *letter.Envelope) identity.Address {
	for _, list := range [][]letter.Address{e.To, e.Cc} {
		for _, a := range list {
			if parsed, err := identity.ParseAddress(a.Mailbox + "@" + a.Host); err == nil {
				return parsed
			}
		}
	}
	return identity.Address{}
}

func displayName(e *letter.Envelope) string {
	if len(e.From) == 0 {
		return ""
	}
	return letter.DecodeWords(e.From[0].Name)
}

// header notes what only the header of a CDA says.
func (r *report) header(f *os.File) {
	d, err := cda.Read(f, r.Size, cda.Limits{})
	if err != nil {
		return // the lot has the reason
	}
	h := &headerFacts{
		Level: fmt.Sprint(d.Level()), Templates: d.Templates, SetID: d.SetID.String(),
		Custodian: institutionFacts{ID: d.Custodian.ID.String(), Name: d.Custodian.Name},
	}
	for _, e := range d.Embedded(f) {
		h.Embedded = append(h.Embedded, embeddedFacts{Type: e.MediaType, Declared: e.Declared, Size: e.Size, Body: e.Body})
	}
	r.Header = h
}
