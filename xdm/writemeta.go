package xdm

import (
	"strconv"
	"strings"
)

// metadataWriter writes METADATA.XML: registry objects of ebRIM 3.0, their parts in
// the order that its schema asks for.
type metadataWriter struct {
	markupWriter
	next int // number of the next generated id
}

const (
	setName    = "SubmissionSet01"
	rimPrefix  = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"
	assocXDS   = "urn:ihe:iti:2007:AssociationType:"
	assocBasic = "urn:oasis:names:tc:ebxml-regrep:AssociationType:"
)

func metadata(lot Lot, entries []*Entry) []byte {
	w := &metadataWriter{}
	w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.start("lcm:SubmitObjectsRequest",
		"xmlns:lcm", "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0",
		"xmlns:rim", "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0")
	w.start("rim:RegistryObjectList")
	for _, e := range entries {
		w.entry(lot, e)
	}
	w.set(lot)
	w.empty("rim:Classification", "id", w.id(), "objectType", rimPrefix+"Classification",
		"classifiedObject", setName, "classificationNode", nodeSet)
	for _, e := range entries {
		w.association(assocBasic+"HasMember", setName, e.EntryUUID, true)
		for _, target := range e.Replaces {
			w.association(assocXDS+"RPLC", e.EntryUUID, target, false)
		}
	}
	w.end()
	w.end()
	return w.b.Bytes()
}

// id makes the id that every object has to have.
func (w *metadataWriter) id() string {
	w.next++
	return "id" + strconv.Itoa(w.next)
}

func (w *metadataWriter) entry(lot Lot, e *Entry) {
	cx := lot.Patient.cx()
	source := e.SourcePatientID
	if source == "" {
		source = cx
	}
	w.start("rim:ExtrinsicObject", "id", e.EntryUUID, "lid", e.LogicalID, "mimeType", e.MIME, "objectType", typeStable, "status", e.Status)
	w.slot("creationTime", stamp(e.Created))
	w.slot("hash", e.Hash)
	w.slot("languageCode", e.Language)
	w.slot("legalAuthenticator", e.LegalAuthenticator.xcn())
	w.slot("repositoryUniqueId", e.RepositoryID)
	w.slot("serviceStartTime", stamp(e.Start))
	w.slot("serviceStopTime", stamp(e.Stop))
	w.slot("size", strconv.FormatInt(e.Size, 10))
	w.slot("sourcePatientId", source)
	w.slot("sourcePatientInfo", e.SourcePatient.lines()...)
	w.slot("URI", e.URI)
	w.slot(slotReferences, e.ReferenceIDs...)
	w.labels(e.Title, e.Comments)
	if e.Version != "" {
		w.empty("rim:VersionInfo", "versionName", e.Version)
	}
	w.authors(entryAuthor, e.EntryUUID, e.Authors)
	w.code(entryClass, e.EntryUUID, e.Class)
	for _, c := range e.Confidentiality {
		w.code(entryConfidentiality, e.EntryUUID, c)
	}
	for _, c := range e.Events {
		w.code(entryEvent, e.EntryUUID, c)
	}
	w.code(entryFormat, e.EntryUUID, e.Format)
	w.code(entryFacility, e.EntryUUID, e.Facility)
	w.code(entryPractice, e.EntryUUID, e.Practice)
	w.code(entryType, e.EntryUUID, e.Type)
	w.identifier(entryPatientID, e.EntryUUID, "XDSDocumentEntry.patientId", cx)
	w.identifier(entryUniqueID, e.EntryUUID, "XDSDocumentEntry.uniqueId", e.UniqueID)
	w.end()
}

func (w *metadataWriter) set(lot Lot) {
	w.start("rim:RegistryPackage", "id", setName, "objectType", rimPrefix+"RegistryPackage")
	w.slot("submissionTime", lot.Submitted.UTC().Format("20060102150405"))
	w.slot("intendedRecipient", lot.Recipients...)
	w.labels(lot.Title, lot.Comments)
	w.authors(setAuthor, setName, lot.Authors)
	w.code(setContentType, setName, lot.ContentType)
	w.identifier(setPatientID, setName, "XDSSubmissionSet.patientId", lot.Patient.cx())
	w.identifier(setSourceID, setName, "XDSSubmissionSet.sourceId", lot.SourceID)
	w.identifier(setUniqueID, setName, "XDSSubmissionSet.uniqueId", lot.UniqueID)
	w.end()
}

// slot writes a slot with its values that are not empty, or nothing.
func (w *metadataWriter) slot(name string, values ...string) {
	if strings.Join(values, "") == "" {
		return
	}
	w.start("rim:Slot", "name", name)
	w.start("rim:ValueList")
	for _, v := range values {
		if v != "" {
			w.text("rim:Value", v)
		}
	}
	w.end()
	w.end()
}

// labels writes Name and Description.
func (w *metadataWriter) labels(name, description string) {
	for _, row := range [][2]string{{"rim:Name", name}, {"rim:Description", description}} {
		if row[1] != "" {
			w.start(row[0])
			w.empty("rim:LocalizedString", "value", row[1])
			w.end()
		}
	}
}

func (w *metadataWriter) code(scheme, of string, c Code) {
	if c.Code == "" {
		return
	}
	w.start("rim:Classification", "id", w.id(), "objectType", rimPrefix+"Classification",
		"classificationScheme", scheme, "classifiedObject", of, "nodeRepresentation", c.Code)
	w.slot("codingScheme", c.System)
	w.labels(c.Display, "")
	w.end()
}

// authors writes author classifications. Their nodeRepresentation is empty but there
// (spec dmp 4.3), so these tags are not written by tag.
func (w *metadataWriter) authors(scheme, of string, authors []Author) {
	for _, a := range authors {
		w.tag(`rim:Classification nodeRepresentation=""`, ">\n", []string{
			"id", w.id(), "objectType", rimPrefix + "Classification", "classificationScheme", scheme, "classifiedObject", of,
		})
		w.open = append(w.open, "rim:Classification")
		w.slot("authorPerson", a.Person.xcn())
		var institutions, roles, specialties []string
		for _, i := range a.Institutions {
			institutions = append(institutions, i.xon())
		}
		for _, c := range a.Roles {
			roles = append(roles, c.text())
		}
		for _, c := range a.Specialties {
			specialties = append(specialties, c.text())
		}
		w.slot("authorInstitution", institutions...)
		w.slot("authorRole", roles...)
		w.slot("authorSpecialty", specialties...)
		w.end()
	}
}

func (w *metadataWriter) identifier(scheme, of, name, value string) {
	w.start("rim:ExternalIdentifier", "id", w.id(), "objectType", rimPrefix+"ExternalIdentifier",
		"registryObject", of, "identificationScheme", scheme, "value", value)
	w.labels(name, "")
	w.end()
}

func (w *metadataWriter) association(kind, source, target string, original bool) {
	w.start("rim:Association", "id", w.id(), "objectType", rimPrefix+"Association",
		"associationType", kind, "sourceObject", source, "targetObject", target)
	if original {
		w.slot("SubmissionSetStatus", "Original")
	}
	w.end()
}
