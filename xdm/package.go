package xdm

import (
	"io"
	"log/slog"
	"slices"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Package is an opened XDM archive: what its metadata say, with the way to each
// document's octets. It holds the source, not the octets, and is safe for use by
// several goroutines.
type Package struct {
	// Sets are the submission sets, one per METADATA.XML, in the order of the archive.
	Sets []Set
	// Warnings are reason ids of what was odd and tolerated, sorted, each once. Those
	// of one document stand in its Entry.
	Warnings []string

	archive *archive
}

// Documents returns the entries of every set, in order.
func (p *Package) Documents() []*Entry {
	var all []*Entry
	for i := range p.Sets {
		all = append(all, p.Sets[i].Documents...)
	}
	return all
}

// Patient returns the one patient of the package: the first that metadata name, the
// zero Patient when none does. Open has refused packages that name two.
func (p *Package) Patient() Patient {
	for i := range p.Sets {
		if !p.Sets[i].Patient.IsZero() {
			return p.Sets[i].Patient
		}
		for _, e := range p.Sets[i].Documents {
			if !e.Patient.IsZero() {
				return e.Patient
			}
		}
	}
	return Patient{}
}

// Open reads the directory and the metadata of an XDM archive of size octets. It
// inflates and checks every entry but the listed documents, which are checked while
// they are read (see Document). Limits that are zero take their defaults.
//
// It fails with fault.Invalid and one of the reasons that the package comment lists.
// An error of r is returned as it is.
func Open(r io.ReaderAt, size int64, l Limits) (*Package, error) {
	a, err := readArchive(r, size, l.withDefaults())
	if err != nil {
		return nil, err
	}
	p := &Package{archive: a}
	if err := p.readSets(); err != nil {
		return nil, err
	}
	if err := p.matchDocuments(); err != nil {
		return nil, err
	}
	if err := p.verifyOthers(); err != nil {
		return nil, err
	}
	if err := p.onePatient(); err != nil {
		return nil, err
	}
	slices.Sort(p.Warnings)
	return p, nil
}

// verifyOthers reads what no entry lists. Nobody else will, and a package is sound as
// a whole or not at all; then it refuses a document that is left over.
func (p *Package) verifyOthers() error {
	listed := map[*member]bool{}
	for _, e := range p.Documents() {
		listed[e.member] = true
	}
	unlisted := false
	for _, m := range p.archive.members {
		if listed[m] {
			continue
		}
		if err := p.archive.verify(m); err != nil {
			return err
		}
		if m.junk && !m.dir {
			p.warn("xdm-junk-ignored")
		}
		unlisted = unlisted || p.isDocument(m)
	}
	if unlisted {
		return invalid("xdm-document-unlisted", "a document that no metadata list")
	}
	return nil
}

// warn notes a reason id once.
func (p *Package) warn(reason string) { p.Warnings = note(p.Warnings, reason) }

// note adds a reason id that is not there yet.
func note(to []string, reason string) []string {
	if slices.Contains(to, reason) {
		return to
	}
	return append(to, reason)
}

// LogValue keeps a package's content out of every log.
func (p *Package) LogValue() slog.Value { return slog.StringValue("XDM(***)") }

func invalid(reason, format string, args ...any) error {
	return fault.Newf(fault.Invalid, reason, format, args...)
}
