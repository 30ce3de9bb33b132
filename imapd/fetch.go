package imapd

import (
	"errors"
	"io"
	"math"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/imapd/view"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/reading"
)

// maxSections bounds the body sections of one FETCH: each is a copy of what may be
// the whole letter. Our choice; clients ask for a dozen.
const maxSections = 100

// fetching is one FETCH command under way.
type fetching struct {
	*session
	w        *imapserver.FetchWriter
	options  *imap.FetchOptions
	sections []fetchSection
	view     *view.Folder
	mark     bool // letters become \Seen
	steps    bool // a letter is fetched in steps: keep it open
	reads    bool // octets of bodies are asked for: it is traced
	failed   error
}

// fetchSection is a section in both languages.
type fetchSection struct {
	view.Section
	item *imap.FetchItemBodySection
}

// Fetch is FETCH and UID FETCH.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	f := &fetching{session: s, w: w, options: o, view: s.selected.Folder}
	if err := f.translate(); err != nil {
		return s.fail(err)
	}
	n, err := numbersOf(set)
	if err != nil {
		return s.fail(err)
	}
	picked := f.view.Pick(n)
	switch {
	case f.deep():
		err = f.letters(picked)
	case o.RFC822Size || o.InternalDate:
		err = f.facts(picked)
	default:
		err = f.rows(picked)
	}
	s.keepFresh()
	if err == nil {
		err = f.failed
	}
	return s.fail(err)
}

// translate takes in what is asked for.
func (f *fetching) translate() error {
	o := f.options
	switch {
	case len(o.BinarySection)+len(o.BinarySectionSize) > 0:
		return bad("BINARY is not supported")
	case len(o.BodySection) > maxSections:
		return fault.New(fault.OverQuota, "fetch-limit")
	}
	for _, item := range o.BodySection {
		s, err := sectionOf(item)
		if err != nil {
			return err
		}
		if !f.asked(s) {
			f.sections = append(f.sections, fetchSection{s, item})
		}
		f.mark = f.mark || !item.Peek && !f.view.ReadOnly
		f.steps = f.steps || s.Partial
		f.reads = f.reads || s.ReadsBody()
	}
	return nil
}

// asked reports whether a section is asked for a second time.
func (f *fetching) asked(s view.Section) bool {
	for _, have := range f.sections {
		if have.Same(s) {
			return true
		}
	}
	return false
}

// sectionOf translates a section.
func sectionOf(item *imap.FetchItemBodySection) (view.Section, error) {
	s := view.Section{Path: item.Part, Fields: item.HeaderFields}
	switch item.Specifier {
	case imap.PartSpecifierHeader:
		s.Want = letter.Header
	case imap.PartSpecifierText:
		s.Want = letter.Text
	case imap.PartSpecifierMIME:
		s.Want = letter.MIME
	case imap.PartSpecifierNone:
		s.Want = letter.Whole
	}
	if len(item.HeaderFieldsNot) > 0 {
		s.Fields, s.Exclude = item.HeaderFieldsNot, true
	}
	if item.Partial != nil {
		s.Partial, s.Offset, s.Count = true, item.Partial.Offset, item.Partial.Size
		if s.Offset > math.MaxUint32 || s.Count > math.MaxUint32 {
			return view.Section{}, bad("A partial is counted in 32 bits")
		}
	}
	return s, nil
}

// deep reports whether letters have to be opened.
func (f *fetching) deep() bool {
	return f.options.Envelope || f.options.BodyStructure != nil || len(f.sections) > 0
}

// write writes the response for one letter.
func (f *fetching) write(index int, m mailbox.Facts, op *reading.Opened) (err error) {
	o, row := f.options, f.view.Rows[index]
	w := f.w.CreateMessage(uint32(index + 1))
	defer func() {
		// The response has to be closed whatever happens: it holds a lock.
		err = errors.Join(err, w.Close())
	}()
	if o.UID {
		w.WriteUID(imap.UID(row.UID))
	}
	if o.Flags {
		w.WriteFlags(f.labels.list(row.Flags))
	}
	if o.InternalDate {
		w.WriteInternalDate(m.Internal)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(m.Size)
	}
	if o.Envelope {
		w.WriteEnvelope(envelope(op.Summary.Structure.Root.Envelope))
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(bodyStructure(&op.Summary.Structure.Root))
	}
	for _, s := range f.sections {
		if err := f.section(w, s, op); err != nil {
			return err
		}
	}
	return nil
}

// copySize is how much of a letter is carried at once.
const copySize = 32 << 10

// section writes one section. Once its size is announced there is no way back: a
// failure then ends the connection at once. So the first octets are read before,
// which for most letters proves all of them: a segment is authenticated whole.
func (f *fetching) section(w *imapserver.FetchResponseWriter, s fetchSection, op *reading.Opened) error {
	buf := f.srv.copies.Get().(*[copySize]byte) // the pool holds nothing else
	defer f.srv.copies.Put(buf)
	r, size, err := s.Read(op.Letter())
	begun := buf[:min(size, copySize)]
	if err == nil {
		_, err = io.ReadFull(r, begun)
	}
	if err != nil {
		f.failed = err
		return nil
	}
	out := w.WriteBodySection(s.item, size)
	_, err = out.Write(begun)
	if err == nil && size > copySize {
		_, err = io.CopyBuffer(out, r, buf[:])
	}
	if err = errors.Join(err, out.Close()); err != nil {
		f.conn.Abort()
	}
	return err
}
