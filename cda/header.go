package cda

// headerElement reports whether a child of ClinicalDocument is read.
func headerElement(name string) bool {
	switch name {
	case "templateId", "id", "code", "title", "effectiveTime", "confidentialityCode", "languageCode",
		"setId", "versionNumber", "recordTarget", "author", "legalAuthenticator", "custodian",
		"documentationOf", "componentOf", "inFulfillmentOf", "relatedDocument":
		return true
	}
	return false
}

// header takes one child of ClinicalDocument.
func (p *parser) header(n *node) error {
	d := p.doc
	switch n.name {
	case "templateId":
		d.Templates = append(d.Templates, tidy(n.attr("root")))
		return nil
	case "author":
		d.Authors = append(d.Authors, p.author(n, "assignedAuthor"))
		return nil
	case "documentationOf":
		d.Services = append(d.Services, p.service(n.first("serviceEvent")))
		return nil
	case "inFulfillmentOf":
		for _, id := range n.first("order").all("id") {
			d.Orders = append(d.Orders, identifier(id))
		}
		return nil
	case "relatedDocument":
		if n.attr("typeCode") == "RPLC" {
			for _, id := range n.first("parentDocument").all("id") {
				d.Replaces = append(d.Replaces, identifier(id))
			}
		}
		return nil
	case "recordTarget":
		return p.recordTarget(n)
	}
	if err := p.once(n.name); err != nil {
		return err
	}
	switch n.name {
	case "id":
		d.ID = identifier(n)
	case "code":
		d.Type = code(n)
	case "title":
		d.Title = p.fact(n.content())
	case "effectiveTime":
		d.Effective = p.time(n)
	case "confidentialityCode":
		d.Confidentiality = code(n)
	case "languageCode":
		d.Language = tidy(n.attr("code"))
	case "setId":
		d.SetID = identifier(n)
	case "versionNumber":
		d.Version = tidy(n.attr("value"))
	case "legalAuthenticator":
		a := p.author(n, "assignedEntity")
		d.LegalAuthenticator = &a
	case "custodian":
		d.Custodian = organization(n.first("assignedCustodian", "representedCustodianOrganization"))
	case "componentOf":
		p.encounter(n.first("encompassingEncounter"))
	}
	return nil
}

// complete refuses a document without an id and warns of what else is missing.
func (p *parser) complete() error {
	d := p.doc
	if d.ID.Root == "" || len(d.UniqueID()) > maxID {
		return refuse(reasonIDMissing)
	}
	for _, row := range []struct {
		missing bool
		reason  string
	}{
		{!p.met["recordTarget"], "patient-missing"},
		{d.Type.IsZero(), "type-missing"},
		{d.Title == "", "title-missing"},
		{d.Effective.Time.IsZero(), "date-missing"},
		{len(d.Authors) == 0, "author-missing"},
		{d.NonXML == nil && len(d.Sections) == 0, "body-missing"},
	} {
		if row.missing {
			d.warn(row.reason)
		}
	}
	return nil
}

// identifier reads an II. Two spaces, or one in front, are no difference between ids.
func identifier(n *node) II {
	if n.attr("nullFlavor") != "" {
		return II{}
	}
	return II{Root: tidy(n.attr("root")), Extension: tidy(n.attr("extension"))}
}

// code reads a coded value.
func code(n *node) Code {
	return Code{
		Code: tidy(n.attr("code")), System: tidy(n.attr("codeSystem")), Display: tidy(n.attr("displayName")),
	}
}

// fact tidies a text of the header and notes the marks that could turn it round.
func (p *parser) fact(s string) string {
	if hasOverride(s) {
		p.doc.warn("bidi-override")
	}
	return tidy(s)
}

// service reads a serviceEvent.
func (p *parser) service(n *node) Service {
	when := n.first("effectiveTime")
	s := Service{Code: code(n.first("code")), Low: p.low(when), High: p.time(when.first("high"))}
	if performer := n.first("performer"); performer != nil {
		a := p.author(performer, "assignedEntity")
		s.Performer = &a
	}
	return s
}

// encounter reads an encompassingEncounter.
func (p *parser) encounter(n *node) {
	when := n.first("effectiveTime")
	p.doc.Encounter = Encounter{
		Code:     code(n.first("code")),
		Facility: code(n.first("location", "healthCareFacility", "code")),
		Low:      p.low(when),
		High:     p.time(when.first("high")),
	}
}

// low reads the beginning of an interval, which may be written as one point.
func (p *parser) low(n *node) Time {
	if low := n.first("low"); low != nil {
		return p.time(low)
	}
	return p.time(n)
}
