package trust

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/beevik/etree"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// maxAhead is how far ahead of our clock a list may be dated (ours): a list from
// the future would make every later one a rollback.
const maxAhead = time.Hour

// Verify checks a signed whitelist against the signer's policy at a time, and
// against the newest list accepted so far, and returns the space that it
// describes. The same list again is fine. It fails with
//
//	whitelist-malformed     Invalid    not this format, too large, a name that is no domain
//	whitelist-signature     Denied     absent, of another form, or not over these bytes
//	whitelist-signer        Denied     not the pinned signer, or its certificate was refused
//	whitelist-signer        Transient  its certificate cannot be judged now
//	whitelist-future        Denied     dated more than an hour ahead
//	whitelist-rollback      Denied     older than the newest list accepted
//	whitelist-equivocation  Denied     same date as that list, other bytes
func Verify(xml []byte, signer SignerPolicy, previous Mark, now time.Time) (*Space, error) {
	return verify(xml, signer, previous, now, now)
}

// verify judges the signer at one time and the list's date at another: a list
// that was kept is judged as on the day when it came.
func verify(xml []byte, signer SignerPolicy, previous Mark, at, now time.Time) (*Space, error) {
	root, err := parseTree(xml)
	if err != nil {
		return nil, err
	}
	root, err = authentic(root, signer, at)
	if err != nil {
		return nil, err
	}
	space, err := readList(root)
	if err != nil {
		return nil, err
	}
	space.mark.Digest = sha256.Sum256(xml)
	return space, judgeDate(space.mark, previous, now)
}

// judgeDate holds a list's date between the newest accepted and now.
func judgeDate(next, previous Mark, now time.Time) error {
	switch {
	case next.Generated.After(now.Add(maxAhead)):
		return fault.Newf(fault.Denied, "whitelist-future", "generated %s", next.Generated)
	case next.Generated.Before(previous.Generated):
		return fault.Newf(fault.Denied, "whitelist-rollback", "generated %s, before %s", next.Generated, previous.Generated)
	case next.Generated.Equal(previous.Generated) && next.Digest != previous.Digest:
		return fault.Newf(fault.Denied, "whitelist-equivocation", "two lists generated %s", next.Generated)
	}
	return nil
}

// readList reads the tree that the signature covers.
func readList(root *etree.Element) (*Space, error) {
	parts, err := only(root, listNS, "DateDeGeneration", "ListeDomaines")
	if err != nil {
		return nil, malformed("%w", err)
	}
	generated, err := time.Parse(time.RFC3339, text(parts[0]))
	if err != nil {
		return nil, malformed("DateDeGeneration: %w", err)
	}
	rows := parts[1].ChildElements()
	if len(rows) == 0 || len(rows) > MaxRows {
		return nil, malformed("%d rows", len(rows))
	}
	b := builder{
		space: &Space{
			mark:    Mark{Generated: generated.UTC()},
			domains: make(map[identity.Domain][]identity.DN, len(rows)),
			subject: map[string][]identity.Domain{},
		},
		parsed: map[string]identity.DN{},
	}
	for i, row := range rows {
		if err := b.add(row); err != nil {
			return nil, malformed("row %d: %w", i+1, err)
		}
	}
	return b.done(), nil
}

// builder fills a Space row by row.
type builder struct {
	space *Space
	// parsed holds the DNs read so far by their text: hundreds of subjects stand in
	// thousands of rows.
	parsed map[string]identity.DN
}

// add takes one Domaine. A name that is no domain ("*", a homoglyph) refuses the
// whole list: nobody signs that by accident. A DN that cannot be read only drops
// its row, since odd spellings of them do occur (spec mssante 1.6).
func (b *builder) add(row *etree.Element) error {
	name, subject, err := fields(row)
	if err != nil {
		return err
	}
	domain, err := identity.ParseDomain(name)
	if err != nil {
		return err
	}
	dn, ok := b.parsed[subject]
	if !ok {
		if dn, err = identity.ParseDN(subject); err != nil {
			b.space.dropped = append(b.space.dropped, Dropped{Domain: domain, DN: subject[:min(len(subject), 200)]})
			return nil
		}
		b.parsed[subject] = dn
	}
	if b.space.Allows(dn, domain) {
		return nil // the same row twice
	}
	b.space.domains[domain] = append(b.space.domains[domain], dn)
	b.space.subject[dn.Key()] = append(b.space.subject[dn.Key()], domain)
	return nil
}

// fields returns the name and the subject of a row, each of which stands there
// once. Other children are for people, and may grow in number.
func fields(row *etree.Element) (name, subject string, err error) {
	if row.Tag != "Domaine" || row.NamespaceURI() != listNS {
		return "", "", malformed("a %s among the rows", row.Tag)
	}
	names, subjects := 0, 0
	for _, c := range row.ChildElements() {
		switch c.Tag {
		case "Nom":
			name = text(c)
			names++
		case "DNCertificatOperateur":
			subject = text(c)
			subjects++
		default:
			continue
		}
		if c.NamespaceURI() != listNS || len(c.ChildElements()) > 0 {
			return "", "", malformed("%s is no plain text", c.Tag)
		}
	}
	if names != 1 || subjects != 1 {
		return "", "", malformed("%d names, %d subjects", names, subjects)
	}
	return name, subject, nil
}

// done sorts what is handed out sorted.
func (b *builder) done() *Space {
	for _, domains := range b.space.subject {
		slices.Sort(domains)
	}
	for _, dns := range b.space.domains {
		slices.SortFunc(dns, func(x, y identity.DN) int { return cmp.Compare(x.Key(), y.Key()) })
	}
	return b.space
}
