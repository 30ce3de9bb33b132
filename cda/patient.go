package cda

import (
	"slices"
	"strings"
)

// Patient is the person a document is about, as the document says.
type Patient struct {
	// IDs are the identifiers, the INS first if there is one.
	IDs []II
	// BirthName and BirthGiven (the first given name) are those of the birth
	// certificate; BirthGivens is the list of given names on it.
	BirthName, BirthGiven, BirthGivens string
	// UsedName and UsedGiven are those used in daily life, "" if not stated.
	UsedName, UsedGiven string
	// BirthDate is YYYY-MM-DD, "" if the document has no whole date. Day or month
	// may be 00: that is how the registry writes an unknown one.
	BirthDate string
	// Sex is the code of administrativeGenderCode: "M", "F", or another.
	Sex string
	// BirthPlace is the INSEE code of the place of birth, "" if not stated.
	BirthPlace string
}

// INS returns the national health identity: the OID of its kind and the matricule, as
// they are written.
func (p Patient) INS() (oid, matricule string, ok bool) {
	if len(p.IDs) == 0 || !INSRoot(p.IDs[0].Root) {
		return "", "", false
	}
	return p.IDs[0].Root, p.IDs[0].Extension, true
}

// recordTarget reads whose document it is. More than one patient, or one with two
// INS, could be filed under either: refused.
func (p *parser) recordTarget(n *node) error {
	roles := n.all("patientRole")
	if p.met["recordTarget"] || len(roles) != 1 || len(roles[0].all("patient")) > 1 {
		return refuse(reasonTwoPatients)
	}
	p.met["recordTarget"] = true
	who := &p.doc.Patient
	for _, id := range roles[0].all("id") {
		// As written: who a document is about is compared, never repaired.
		if i := (II{Root: id.attr("root"), Extension: id.attr("extension")}); id.attr("nullFlavor") == "" && !i.IsZero() {
			who.IDs = append(who.IDs, i)
		}
	}
	if err := p.ins(); err != nil {
		return err
	}
	person := roles[0].first("patient")
	for _, name := range []string{"birthTime", "administrativeGenderCode"} {
		if len(person.all(name)) > 1 {
			return malformed("a trait given twice")
		}
	}
	p.names(person.all("name"))
	who.Sex = tidy(person.first("administrativeGenderCode").attr("code"))
	who.BirthPlace = p.fact(person.first("birthplace", "place", "addr", "county").content())
	who.BirthDate = birthDate(person.first("birthTime").attr("value"))
	if who.BirthDate == "" {
		p.doc.warn("birth-date-missing")
	}
	return nil
}

// ins puts the INS first and judges its form.
func (p *parser) ins() error {
	ids := p.doc.Patient.IDs
	var found []II
	for _, id := range ids {
		if INSRoot(id.Root) {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		p.doc.warn("ins-missing")
		return nil
	}
	for _, other := range found[1:] {
		if other != found[0] {
			return refuse(reasonINSSplit)
		}
	}
	at := slices.Index(ids, found[0])
	copy(ids[1:at+1], ids[:at])
	ids[0] = found[0]
	if !ValidMatricule(found[0].Extension) {
		p.doc.warn("ins-key-wrong")
	}
	if found[0].Root == testNIR || found[0].Root == demoNIR {
		p.doc.warn("ins-test")
	}
	return nil
}

// names reads the patient's names. RNIV, as CDA R2 France writes it: qualifier BR is of
// birth, CL (formerly SP) is used. Names without qualifier are of birth unless another
// one is.
func (p *parser) names(names []*node) {
	who := &p.doc.Patient
	// plain takes the first of several names that has any, not a mixture of them.
	var plainFamily, plainGiven string
	for _, n := range names {
		if plainFamily == "" {
			plainFamily = p.qualified([]*node{n}, "family", "")
		}
		if plainGiven == "" {
			plainGiven = p.qualified([]*node{n}, "given", "")
		}
	}
	who.BirthName = or(p.qualified(names, "family", "BR"), plainFamily)
	used := or(p.qualified(names, "family", "CL"), p.qualified(names, "family", "SP"))
	who.UsedName = used
	if who.BirthName == "" {
		who.BirthName = used
	}
	who.UsedGiven = p.qualified(names, "given", "CL")
	who.BirthGivens = plainGiven
	who.BirthGiven = p.qualified(names, "given", "BR")
	switch {
	case who.BirthGiven == "" && len(names) > 0:
		// Without a qualifier the first element is the first given name.
		who.BirthGiven = p.fact(firstPlainGiven(names))
	case who.BirthGivens == "":
		who.BirthGivens = who.BirthGiven
	case !strings.HasPrefix(fold(who.BirthGivens), fold(who.BirthGiven)):
		who.BirthGivens = who.BirthGiven + " " + who.BirthGivens
	}
}

// qualified joins the parts of names with one qualifier.
func (p *parser) qualified(names []*node, part, qualifier string) string {
	var out []string
	for _, n := range names {
		for _, k := range n.all(part) {
			if k.attr("qualifier") == qualifier {
				if text := p.fact(k.content()); text != "" && !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	return strings.Join(out, " ")
}

// firstPlainGiven returns the first given name without qualifier, else the first.
func firstPlainGiven(names []*node) string {
	first := ""
	for _, n := range names {
		for _, k := range n.all("given") {
			if k.attr("qualifier") == "" {
				return k.content()
			}
			first = or(first, k.content())
		}
	}
	return first
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// fold makes two spellings of a name comparable.
func fold(s string) string { return strings.ToUpper(s) }
