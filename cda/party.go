package cda

import "strings"

// author reads an author, legalAuthenticator or performer; role is the name of the
// element that tells who it is.
func (p *parser) author(n *node, role string) Author {
	who := n.first(role)
	a := Author{
		Time:        p.time(n.first("time")),
		ID:          identifier(who.first("id")),
		Role:        code(n.first("functionCode")),
		Specialty:   code(who.first("code")),
		Institution: organization(who.first("representedOrganization")),
		Practice:    code(who.first("representedOrganization", "standardIndustryClassCode")),
	}
	switch device := who.first("assignedAuthoringDevice"); {
	case device != nil:
		a.Device = true
		a.Person = p.fact(device.first("softwareName").content())
		if a.Person == "" {
			a.Person = p.fact(device.first("manufacturerModelName").content())
		}
	default:
		p.name(&a, who.first("assignedPerson", "name"))
	}
	return a
}

// name reads a person's name. French documents put the civility in prefix and the
// title in suffix; only a title is displayed.
func (p *parser) name(a *Author, n *node) {
	if n == nil {
		return
	}
	a.Family, a.Given = p.parts(n, "family"), p.parts(n, "given")
	title := ""
	for _, part := range append(n.all("prefix"), n.all("suffix")...) {
		switch strings.ToUpper(strings.Trim(tidy(part.content()), ".")) {
		case "DR", "DOCTEUR":
			title = "Dr"
		case "PR", "PROF", "PROFESSEUR":
			title = "Pr"
		}
	}
	a.Person = tidy(title + " " + a.Given + " " + a.Family)
	if a.Family == "" && a.Given == "" {
		a.Person = p.fact(n.content()) // a name written as one text
	}
}

// parts joins the parts of a name that have one element name.
func (p *parser) parts(n *node, name string) string {
	var out []string
	for _, part := range n.all(name) {
		out = append(out, part.content())
	}
	return p.fact(strings.Join(out, " "))
}

// organization reads an institution.
func organization(n *node) Organization {
	return Organization{ID: identifier(n.first("id")), Name: tidy(n.first("name").content())}
}
