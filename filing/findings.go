package filing

import (
	"context"
	"errors"
	"io"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
)

// Findings is what a letter or a file holds, and what would be filed of it or why
// not. It keeps decoded attachments until it is closed.
type Findings struct {
	// Reason keeps everything out, such as "letter-ambiguous"; empty for none.
	Reason string
	// Ambiguities are the verdicts of package letter behind that reason.
	Ambiguities []string
	// Attachments are the parts that may be a document or an invitation, in order.
	Attachments []Attachment
	// Lots are what is filed together or not at all: a package, a bare CDA, a PDF.
	Lots []Lot
	// Invitations are the calendar parts.
	Invitations []Invite

	spools []*seal.Spool
}

// Lot is one or more documents that are filed together or not at all.
type Lot struct {
	// Kind is Package, CDA or PDF; Attachment is its place in Findings.Attachments.
	Kind       Kind
	Attachment int
	// Identity is whom it names, as far as it says; zero for nobody.
	Identity Identity
	// Documents are its documents, as far as they could be read.
	Documents []Document
	// Reason says why it is not filed; empty: it would be.
	Reason string
	// Warnings are reason ids of what was odd in the package and keeps nothing out.
	Warnings []string
}

// Code is the integration code of a lot that is not filed, zero for one that is.
func (l *Lot) Code() letter.Integration { return codeOf(l.Reason) }

// Document is one document that was found.
type Document struct {
	// Document is what the vault would keep of it; size and digests are filled in when
	// it is sealed, but for those that were computed here.
	dmp.Document

	claims []claim
	open   func() (io.ReadCloser, error)
}

// Open reads the document's octets. A broken archive may show only at their end.
func (d *Document) Open() (io.ReadCloser, error) { return d.open() }

// Invite is one calendar part.
type Invite struct {
	// Attachment is its place in Findings.Attachments.
	Attachment int
	// Message is what it says, nil when it could not be read.
	Message *agenda.Message
	// Reason says why it is not applied; empty: it would be.
	Reason string
}

// Close gives the space of decoded attachments back.
func (f *Findings) Close() error {
	var all []error
	for _, s := range f.spools {
		all = append(all, s.Close())
	}
	f.spools = nil
	return errors.Join(all...)
}

// Hold compares every lot with the person whose documents they must be: lots that
// name somebody else, or nobody, get a reason. Without a person at hand, hold a lot's
// own Identity: what is missing in it, or contradicts itself, shows all the same.
func (f *Findings) Hold(owner Identity) {
	for i := range f.Lots {
		f.Lots[i].hold(owner)
	}
}

// hold compares one lot.
func (l *Lot) hold(owner Identity) {
	if l.Reason == "" && l.Kind != PDF {
		l.Reason = l.against(owner)
	}
}

// against returns the gravest reason of a lot's documents.
func (l *Lot) against(owner Identity) string {
	worst := ""
	for i := range l.Documents {
		if reason := compare(owner, l.Documents[i].claims); gravity(reason) > gravity(worst) {
			worst = reason
		}
	}
	return worst
}

// gravity orders the reasons of identities: a wrong one outweighs a missing one.
func gravity(reason string) int {
	switch reason {
	case "":
		return 0
	case reasonIdentityIncomplete:
		return 1
	case reasonINSMissing:
		return 2
	}
	return 3
}

// toFile reports whether there is a lot, whatever becomes of it.
func (f *Findings) toFile() bool { return len(f.Lots) > 0 || f.Reason != "" }

// refuse gives every lot a reason, those that have one aside.
func (f *Findings) refuse(reason string) {
	for i := range f.Lots {
		if f.Lots[i].Reason == "" {
			f.Lots[i].Reason = reason
		}
	}
}

// decline gives every invitation a reason, those that have one aside.
func (f *Findings) decline(reason string) {
	for i := range f.Invitations {
		if f.Invitations[i].Reason == "" {
			f.Invitations[i].Reason = reason
		}
	}
}

// copyWithin copies at most limit octets and reports whether there were more.
func copyWithin(ctx context.Context, to io.Writer, from io.Reader, limit int64) (n int64, more bool, err error) {
	n, err = io.Copy(to, io.LimitReader(guarded{ctx, from}, limit+1))
	return n, n > limit, err
}

// guarded reads until its context ends: a large attachment must not outlive a job.
type guarded struct {
	ctx context.Context // of the one call that reads
	r   io.Reader
}

// Read implements io.Reader.
func (g guarded) Read(p []byte) (int, error) {
	if err := context.Cause(g.ctx); err != nil {
		return 0, err
	}
	return g.r.Read(p)
}
