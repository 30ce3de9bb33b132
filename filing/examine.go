package filing

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// Limits bounds what one letter may cost. A zero field takes its default.
type Limits struct {
	// Attachments is how many parts are looked at: 50; Packages how many of them may be
	// packages: 10. Real letters have one, some two (spec dmp 4.5).
	Attachments, Packages int
	// One is the largest decoded attachment or document in octets: 50 MiB; Total is
	// for all attachments of a letter and the documents in them: 100 MiB (spec security
	// 2.3).
	One, Total int64
	// Package, Document and Calendar bound what their packages read.
	Package  xdm.Limits
	Document cda.Limits
	Calendar agenda.Limits
}

func (l Limits) withDefaults() Limits {
	if l.Attachments == 0 {
		l.Attachments = 50
	}
	if l.Packages == 0 {
		l.Packages = 10
	}
	if l.One == 0 {
		l.One = 50 << 20
	}
	if l.Total == 0 {
		l.Total = 100 << 20
	}
	if l.Document.Zone == nil {
		// Local times without offset are those of the hospital (spec dmp 4.3).
		if paris, err := time.LoadLocation("Europe/Paris"); err == nil {
			l.Document.Zone = paris
		}
	}
	return l
}

// Subject is what is examined: a letter, or one file.
type Subject struct {
	// Octets are the letter or the file, Size many.
	Octets io.ReaderAt
	Size   int64
	// Structure is the letter's offset map; nil says that Octets are one file, whose
	// name is Name.
	Structure *letter.Structure
	Name      string
	// Depot says that no letter to a patient brought it.
	Depot bool
	// Author and AuthorName are the letter's From, whom a bare PDF is said to be by.
	Author, AuthorName string
	// Sender and Recipient decide whether an invitation is applied: the authenticated
	// From, and whose agenda it is. Without a recipient they are not judged.
	Sender, Recipient identity.Address
	// Limits bounds it, Dir is the folder for decoded attachments ("" is the system's).
	Limits Limits
	Dir    string
}

// Reasons of attachments.
const (
	reasonTooLarge       = "attachment-too-large"
	reasonTooMany        = "attachment-limit"
	reasonNotPackage     = "xdm-no-metadata"
	reasonNotCDA         = "cda-not-cda"
	reasonPackageEmpty   = "xdm-no-document"
	reasonCopy           = "copy-of-a-document"
	reasonDocumentID     = "document-id-missing"
	reasonIDDiffers      = "document-id-differs"
	reasonTypeMismatch   = "document-type-mismatch"
	reasonTypeUnknown    = "document-type-unsupported"
	reasonNotPatientsBox = "invite-not-for-a-patient"
)

// Examine says what a subject holds and what would be filed. What is wrong with a
// document is in the findings; an error is ours, or that of reading Octets. The
// caller closes the findings.
func Examine(ctx context.Context, s Subject) (*Findings, error) {
	s.Limits = s.Limits.withDefaults()
	x := &examiner{Subject: s, ctx: ctx, left: s.Limits.Total, out: new(Findings)}
	if err := x.examine(); err != nil {
		return nil, errors.Join(err, x.out.Close())
	}
	return x.out, nil
}

// examiner is one examination.
type examiner struct {
	Subject
	ctx      context.Context // of the one call
	left     int64           // of Limits.Total
	packages int             // opened so far
	out      *Findings
}

func (x *examiner) examine() error {
	f := x.out
	if x.Structure == nil {
		f.Attachments = []Attachment{{Name: x.Name, Kind: Other, Size: x.Size, Lot: -1, Invitation: -1}}
	} else {
		f.Attachments = parts(x.Structure)
		if f.Ambiguities = ambiguous(x.Structure); len(f.Ambiguities) > 0 && len(f.Attachments) > 0 {
			f.Reason = reasonAmbiguous
			for i := range f.Attachments {
				f.Attachments[i].Reason = reasonAmbiguous
			}
			return nil
		}
	}
	for i := range f.Attachments {
		if i >= x.Limits.Attachments {
			f.Attachments[i].Reason, f.Reason = reasonTooMany, reasonTooMany
			continue
		}
		if err := x.look(i); err != nil {
			return err
		}
	}
	x.sortOutPDF()
	if x.Depot {
		f.decline(reasonNotPatientsBox)
	}
	if f.Reason != "" {
		f.refuse(f.Reason)
		f.decline(f.Reason)
	}
	for i := range f.Lots {
		a := &f.Attachments[f.Lots[i].Attachment]
		a.Lot = i
	}
	return nil
}

// look finds out what one attachment is and reads it.
func (x *examiner) look(i int) error {
	a := &x.out.Attachments[i]
	first := make([]byte, sniffed)
	n, err := io.ReadFull(guarded{x.ctx, a.open(x.Octets, x.Size)}, first)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	a.Kind = kindOf(a.Declared, a.Name, first[:n])
	if a.Kind == Other {
		return nil
	}
	content, err := x.decoded(a)
	if err != nil || a.Reason != "" {
		if a.Reason != "" && a.Kind != Invitation {
			x.out.Lots = append(x.out.Lots, Lot{Kind: a.Kind, Attachment: i, Reason: a.Reason})
		}
		return err
	}
	switch a.Kind {
	case Package:
		return x.pack(i, content)
	case CDA:
		return x.bare(i, content)
	case PDF:
		x.out.Lots = append(x.out.Lots, Lot{Kind: PDF, Attachment: i})
		return x.pdf(&x.out.Lots[len(x.out.Lots)-1], content)
	case Invitation:
		return x.invitation(i, content)
	}
	return nil
}

// octets is a decoded attachment or document.
type octets struct {
	io.ReaderAt
	size int64
}

// reader reads it from its start.
func (o octets) reader() *io.SectionReader { return io.NewSectionReader(o, 0, o.size) }

// decoded puts the content of an attachment into a spool. One that is too large gets
// a reason.
func (x *examiner) decoded(a *Attachment) (octets, error) {
	limit := min(x.Limits.One, x.left)
	if a.part == nil {
		if x.Size > limit {
			a.Reason = reasonTooLarge
		}
		return octets{x.Octets, x.Size}, nil
	}
	o, err := x.spool(a.open(x.Octets, x.Size), limit)
	switch {
	case fault.Reason(err) == reasonTooLarge:
		a.Reason = reasonTooLarge
		return o, nil
	case err != nil:
		return o, err
	}
	x.left -= o.size
	a.Size = o.size
	return o, nil
}

// spool copies octets into an encrypted, unlinked file that the findings keep. More
// than limit are fault.Invalid "attachment-too-large".
func (x *examiner) spool(r io.Reader, limit int64) (octets, error) {
	s, err := seal.NewSpool(x.Dir)
	if err != nil {
		return octets{}, err
	}
	n, more, err := copyWithin(x.ctx, s, r, limit)
	if err == nil && more {
		err = fault.New(fault.Invalid, reasonTooLarge)
	}
	if err != nil {
		return octets{}, errors.Join(err, s.Close())
	}
	x.out.spools = append(x.out.spools, s)
	return octets{s, n}, nil
}

// drop gives the space of the last spool back.
func (x *examiner) drop() error {
	last := len(x.out.spools) - 1
	s := x.out.spools[last]
	x.out.spools = x.out.spools[:last]
	return s.Close()
}

// sortOutPDF decides what PDFs are: copies beside a package or a CDA, else documents
// of their own (spec dmp 4.1, 4.5).
func (x *examiner) sortOutPDF() {
	f := x.out
	kept := f.Lots[:0]
	alone := true
	for _, l := range f.Lots {
		alone = alone && l.Kind == PDF
	}
	for _, l := range f.Lots {
		switch {
		case l.Kind != PDF:
		case !alone:
			f.Attachments[l.Attachment].Reason = reasonCopy
			continue
		case x.Depot:
			l.Reason = warningNotInDocument
		}
		kept = append(kept, l)
	}
	f.Lots = kept
}

// invitation reads a calendar part and judges it.
func (x *examiner) invitation(i int, content octets) error {
	a := &x.out.Attachments[i]
	a.Invitation = len(x.out.Invitations)
	v := Invite{Attachment: i}
	var err error
	v.Message, err = agenda.Read(content.reader(), x.Limits.Calendar)
	if err == nil && !x.Recipient.IsZero() {
		method := ""
		if a.part != nil {
			method, _ = a.part.Params.Get("method")
		}
		err = agenda.Judge(v.Message, method, x.Sender, x.Recipient)
	}
	if reason, ours := verdict(err); ours != nil {
		return ours
	} else if reason != "" {
		v.Reason, a.Reason = reason, reason
	}
	x.out.Invitations = append(x.out.Invitations, v)
	return nil
}

// verdict tells a fault of what was read, by its reason, from one of ours.
func verdict(err error) (reason string, ours error) {
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Denied) {
		return fault.Reason(err), nil
	}
	return "", err
}

// titleOf makes a title from a file name.
func titleOf(name string) string {
	name = strings.TrimSpace(name[strings.LastIndexAny(name, `/\`)+1:])
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return strings.TrimSpace(strings.NewReplacer("_", " ").Replace(name))
}
