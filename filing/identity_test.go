package filing_test

import (
	"fmt"
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/identity"
)

// TestIdentity holds what a CDA says of its patient against the owner of a box.
func TestIdentity(t *testing.T) {
	t.Parallel()
	const id = "1.2.250.1.999.1.1"
	for _, c := range []struct {
		name   string
		change func(*paper)
		want   string
	}{
		{"the same", func(*paper) {}, ""},
		{"other spelling", func(p *paper) { p.Family, p.Given = "D’ARCY NOEL", "JEANNE" }, ""},
		{"accents apart", func(p *paper) { p.Family = "d'arcy-noe\u0308l" }, ""},
		{"another name", func(p *paper) { p.Family = "DARCY NOEL" }, "identity-differs"},
		{"another first name", func(p *paper) { p.Given = "Anne" }, "identity-differs"},
		{"another date", func(p *paper) { p.Birth = "19510313" }, "identity-differs"},
		{"another sex", func(p *paper) { p.Sex = "M" }, "identity-differs"},
		{"another matricule", func(p *paper) { p.INS = "148116912300254" }, "identity-differs"},
		{"another key", func(p *paper) { p.INS = p.INS[:13] + "00" }, "identity-differs"},
		{"production for test", func(p *paper) { p.OID = identity.INSNIR }, "identity-differs"},
		{"a waiting number", func(p *paper) { p.OID = identity.INSNIA }, "identity-differs"},
		{"an old kind of number", func(p *paper) { p.OID = "1.2.250.1.213.1.4.2" }, "identity-differs"},
		{"no INS", func(p *paper) { p.INS = "" }, "identity-ins-missing"},
		{"a local number for an INS", func(p *paper) { p.OID = "1.2.250.1.213.1.4.13" }, "identity-ins-missing"},
		{"no name", func(p *paper) { p.Family = "" }, "identity-incomplete"},
		{"no first name", func(p *paper) { p.Given = "" }, "identity-incomplete"},
		{"no date", func(p *paper) { p.Birth = "" }, "identity-incomplete"},
		{"half a date", func(p *paper) { p.Birth = "1951" }, "identity-incomplete"},
		{"no sex", func(p *paper) { p.Sex = "" }, "identity-incomplete"},
		{"no INS and another date", func(p *paper) { p.INS, p.Birth = "", "19510313" }, "identity-differs"},
	} {
		p := about(person(), id)
		c.change(&p)
		for form, part := range map[string]attached{"bare": xmlFile(p.cda(t)), "in a package": zipped(pack(t, p))} {
			if p.INS == "" && form != "bare" {
				continue // a package names a patient
			}
			f := examine(t, subject(t, write(bob, "", part)))
			f.Hold(filing.IdentityOf(person()))
			if got := f.Lots[0].Reason; got != c.want {
				t.Errorf("%s, %s: got %q, want %q", c.name, form, got, c.want)
			}
		}
	}
}

// TestTheMetadataNameTheSamePatient holds the package's patient against the document's.
func TestTheMetadataNameTheSamePatient(t *testing.T) {
	t.Parallel()
	jeannes, louiss := about(person(), "1.2.250.1.999.1.1"), about(otherPerson(), "1.2.250.1.999.1.1")
	mixed := louiss // the document is about louis, the metadata about jeanne
	for _, c := range []struct {
		name  string
		owner account.Person
		first paper
		inner paper
	}{
		{"jeanne's box", person(), jeannes, mixed},
		{"louis's box", otherPerson(), jeannes, mixed},
	} {
		e := mixed.entry()
		content := packFor(t, c.first, e, c.inner.cda(t))
		f := examine(t, subject(t, write(bob, "", zipped(content))))
		f.Hold(filing.IdentityOf(c.owner))
		if got := f.Lots[0].Reason; got != "identity-differs" {
			t.Errorf("%s: got %q", c.name, got)
		}
	}
}

// TestAnUnknownOwnerGetsNothing holds that a box whose owner nobody identified files no
// document that names somebody.
func TestAnUnknownOwnerGetsNothing(t *testing.T) {
	t.Parallel()
	whole := filing.IdentityOf(person())
	for _, owner := range []filing.Identity{{}, {OID: whole.OID, Matricule: whole.Matricule}, {BirthName: whole.BirthName}} {
		f := examine(t, subject(t, write(bob, "", xmlFile(about(person(), "1.2.3").cda(t)))))
		f.Hold(owner)
		if got := f.Lots[0].Reason; got != "box-identity-missing" {
			t.Errorf("got %q", got)
		}
	}
}

// TestOneListOfGivenNames holds how the first of several names is found.
func TestOneListOfGivenNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given, owner string
		want         bool
	}{
		{"<given>JEAN PIERRE MARIE</given>", "Jean", true},
		{"<given>JEAN PIERRE MARIE</given>", "Jean-Pierre", true},
		{"<given>Jean-Pierre Marie</given>", "Jean", false},
		{"<given>Jean-Pierre Marie</given>", "Jean Pierre", true},
		{"<given>JEAN</given><given>PAUL</given>", "Jean", true},
		{"<given>JEAN</given><given>PAUL</given>", "Paul", false},
		{`<given>PAUL JEAN</given><given qualifier="BR">PAUL</given>`, "Jean", false},
		{`<given qualifier="BR">PAUL</given><given qualifier="CL">JEAN</given>`, "Jean", false},
	} {
		p := person()
		p.Given = "@"
		text := about(p, "1.2.3").cda(t)
		text = replace(text, `<given>@ MARIE</given><given qualifier="BR">@</given>`, c.given)
		f := examine(t, subject(t, write(bob, "", xmlFile(text))))
		p.Given = c.owner
		f.Hold(filing.IdentityOf(p))
		if got := f.Lots[0].Reason == ""; got != c.want {
			t.Errorf("%s for %s: %v", c.given, c.owner, got)
		}
	}
}

// TestIdentitiesDoNotPrint holds that nothing of an identity gets into a log.
func TestIdentitiesDoNotPrint(t *testing.T) {
	t.Parallel()
	i := filing.IdentityOf(person())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, i); got != "identity(***)" {
			t.Errorf("%s: %s", verb, got)
		}
	}
}
