package trust

import (
	"maps"
	"slices"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// Space is the trust space as one signed whitelist describes it: which domains
// are inside, and which certificate subjects may speak for each. It is immutable
// and safe for concurrent use; every look-up is one map access.
type Space struct {
	mark    Mark
	domains map[identity.Domain][]identity.DN
	subject map[string][]identity.Domain // DN key -> its domains, sorted
	dropped []Dropped
}

// Dropped is a row of the list that was left out because its DN cannot be read:
// nobody may speak for the domain by that row.
type Dropped struct {
	// Domain is the row's name.
	Domain identity.Domain
	// DN is the text that could not be read, cut at 200 octets.
	DN string
}

// Generated returns the list's DateDeGeneration.
func (s *Space) Generated() time.Time { return s.mark.Generated }

// Mark identifies the list: its date and the digest of its bytes. It goes into
// the audit beside each decision and into the database against rollback.
func (s *Space) Mark() Mark { return s.mark }

// Len returns the number of domains.
func (s *Space) Len() int { return len(s.domains) }

// Operators returns the number of distinct subjects.
func (s *Space) Operators() int { return len(s.subject) }

// Dropped returns the rows that were left out.
func (s *Space) Dropped() []Dropped { return slices.Clone(s.dropped) }

// Contains reports whether the domain is inside. The match is exact: neither
// parents nor children of a listed domain are inside (spec mssante 1.6).
func (s *Space) Contains(d identity.Domain) bool {
	_, ok := s.domains[d]
	return ok
}

// Allows reports whether the subject may speak for the domain.
func (s *Space) Allows(dn identity.DN, d identity.Domain) bool {
	return slices.ContainsFunc(s.domains[d], dn.Equal)
}

// Knows reports whether the subject speaks for any domain.
func (s *Space) Knows(dn identity.DN) bool {
	_, ok := s.subject[dn.Key()]
	return ok && !dn.IsZero()
}

// Domains returns the domains that the subject speaks for, sorted.
func (s *Space) Domains(dn identity.DN) []identity.Domain {
	return slices.Clone(s.subject[dn.Key()])
}

// DNs returns the subjects that may speak for the domain: one to five in practice.
func (s *Space) DNs(d identity.Domain) []identity.DN { return slices.Clone(s.domains[d]) }

// All returns every domain, sorted.
func (s *Space) All() []identity.Domain { return slices.Sorted(maps.Keys(s.domains)) }
