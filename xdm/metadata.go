package xdm

import (
	"io"
	"strconv"
	"strings"
)

// Schemes and nodes of the XDS metadata (IHE ITI TF-3 4.2.5; spec dmp 4.3).
const (
	uuid = "urn:uuid:"

	typeStable   = uuid + "7edca82f-054d-47f2-a032-9b2a5b5186c1"
	typeOnDemand = uuid + "34268e47-fdf5-41a6-ba33-82133c465248"
	nodeSet      = uuid + "a54d6aa5-d40d-43f9-88c5-b4633d873bdd"

	entryAuthor          = uuid + "93606bcf-9494-43ec-9b4e-a7748d1a838d"
	entryClass           = uuid + "41a5887f-8865-4c09-adf7-e362475b143a"
	entryType            = uuid + "f0306f51-975f-434e-a61c-c59651d33983"
	entryFormat          = uuid + "a09d5840-386c-46f2-b5ad-9c3699a4309d"
	entryConfidentiality = uuid + "f4f85eac-e6cb-4883-b524-f2705394840f"
	entryEvent           = uuid + "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"
	entryFacility        = uuid + "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
	entryPractice        = uuid + "cccf5598-8b07-4b77-a05e-ae952c785ead"
	entryUniqueID        = uuid + "2e82c1f6-a085-4c72-9da3-8640a32e42ab"
	entryPatientID       = uuid + "58a6f841-87b3-4a3e-92fd-a8ffeff98427"

	setAuthor      = uuid + "a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
	setContentType = uuid + "aa543740-bdda-424e-8c96-df4873be8500"
	setUniqueID    = uuid + "96fdda7c-d067-4183-912e-bf5ee74998a8"
	setSourceID    = uuid + "554ac39e-e3fe-47fe-b233-965d2a147832"
	setPatientID   = uuid + "6b5aea1a-874d-4603-a4bc-96a0a7b38446"
)

const slotReferences = "urn:ihe:iti:xds:2013:referenceIdList"

// ReadMetadata reads one METADATA.XML alone: a SubmitObjectsRequest of ebRIM 3.0 or
// 2.1, by itself or inside another request. No document is looked for. The warnings
// are those of the file; each entry has its own.
//
// It fails with fault.Invalid "xdm-metadata-malformed" or a reason of package markup.
func ReadMetadata(r io.Reader) (set *Set, warnings []string, err error) {
	amp := newAmpersands(io.LimitReader(r, metadataMax+1))
	objects, err := readObjects(amp)
	if err != nil {
		return nil, nil, err
	}
	s := &Set{}
	if amp.repaired {
		s.warn("xdm-ampersand-bare")
	}
	if err := s.readObjects(objects); err != nil {
		return nil, nil, err
	}
	return s, s.warnings, nil
}

func (s *Set) warn(reason string) { s.warnings = note(s.warnings, reason) }

// readObjects sorts the objects of a file into a set and its documents.
func (s *Set) readObjects(objects []*object) error {
	ids := map[string]*Entry{}
	hasSet := false
	for _, o := range objects {
		switch o.kind {
		case "ExtrinsicObject":
			if strings.EqualFold(o.attrs["objectType"], typeOnDemand) {
				s.warn("xdm-object-ignored") // an on-demand entry has no content
				continue
			}
			e := readEntry(o)
			if e.EntryUUID != "" && ids[e.EntryUUID] != nil {
				return invalid("xdm-metadata-malformed", "two documents with one id")
			}
			ids[e.EntryUUID] = e
			s.Documents = append(s.Documents, e)
		case "RegistryPackage":
			if !o.isNode(nodeSet) && o.identifier(setUniqueID) == "" {
				continue // a folder
			}
			if hasSet {
				return invalid("xdm-metadata-malformed", "two submission sets in one file")
			}
			hasSet = true
			s.readSet(o)
		case "Association":
			s.Associations = append(s.Associations, readAssociation(o))
		}
	}
	if !hasSet {
		s.warn("xdm-no-submission-set")
	}
	for _, a := range s.Associations {
		if e := ids[a.Source]; e != nil && strings.HasSuffix(a.Type, "RPLC") && a.Target != "" {
			e.Replaces = append(e.Replaces, a.Target)
		}
	}
	return nil
}

func (s *Set) readSet(o *object) {
	s.UniqueID, s.SourceID = o.identifier(setUniqueID), o.identifier(setSourceID)
	s.PatientID = o.identifier(setPatientID)
	s.Patient = parsePatient(s.PatientID)
	s.Title, s.Comments = o.name, o.text
	s.Submitted = parseTime(o.slot("submissionTime"))
	s.ContentType = firstCode(o, setContentType)
	s.Authors = readAuthors(o, setAuthor)
	s.Recipients = o.slots["intendedRecipient"]
}

// readAssociation takes the two ends and the last word of the type, which was a plain
// word in ebRIM 2.1 and is a URN now.
func readAssociation(o *object) Association {
	kind := o.attrs["associationType"]
	kind = kind[strings.LastIndexByte(kind, ':')+1:]
	return Association{Type: strings.ToUpper(kind), Source: o.attrs["sourceObject"], Target: o.attrs["targetObject"]}
}

func readEntry(o *object) *Entry {
	e := &Entry{
		EntryUUID: o.attrs["id"], LogicalID: o.attrs["lid"], Version: o.attrs["version"],
		UniqueID:  o.identifier(entryUniqueID),
		PatientID: o.identifier(entryPatientID), SourcePatientID: o.slot("sourcePatientId"),
		SourcePatient: parseSourcePatient(o.slots["sourcePatientInfo"]),
		MIME:          mediaType(o.attrs["mimeType"]),
		Status:        o.attrs["status"], Title: o.name, Comments: o.text, Language: o.slot("languageCode"),
		Class: firstCode(o, entryClass), Type: firstCode(o, entryType), Format: firstCode(o, entryFormat),
		Facility: firstCode(o, entryFacility), Practice: firstCode(o, entryPractice),
		Confidentiality: readCodes(o, entryConfidentiality), Events: readCodes(o, entryEvent),
		Authors: readAuthors(o, entryAuthor), LegalAuthenticator: parsePerson(o.slot("legalAuthenticator")),
		Created: parseTime(o.slot("creationTime")), Start: parseTime(o.slot("serviceStartTime")), Stop: parseTime(o.slot("serviceStopTime")),
		Hash: strings.ToLower(o.slot("hash")), Size: -1,
		RepositoryID: o.slot("repositoryUniqueId"), ReferenceIDs: o.slots[slotReferences],
		URI: joinURI(o.slots["URI"]),
	}
	if size := o.slot("size"); size != "" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 {
			n = 0 // no document has that size: a mismatch, not a silence
		}
		e.Size = n
	}
	e.readPatient()
	e.warnings()
	return e
}

// readPatient takes patientId and, where none can be read, a sourcePatientId that is
// an INS: some writers give the national identity as the local one.
func (e *Entry) readPatient() {
	e.Patient = parsePatient(e.PatientID)
	if source := parsePatient(e.SourcePatientID); e.Patient.IsZero() && source.isINS() {
		e.Patient = source
		e.warn("xdm-patient-id-missing")
	}
}

// warnings notes what is missing or unread and does not matter for integrity.
func (e *Entry) warnings() {
	for _, row := range []struct {
		odd    bool
		reason string
	}{
		{e.UniqueID == "", "xdm-unique-id-missing"},
		{e.Hash == "", "xdm-hash-missing"},
		{e.Size < 0, "xdm-size-missing"},
		{e.Patient.IsZero(), "xdm-patient-unknown"},
		{e.Title == "", "xdm-title-missing"},
		{e.Type.Code == "", "xdm-type-missing"},
		{e.Created.At.IsZero(), "xdm-time-unread"},
		{e.Start.Raw != "" && e.Start.At.IsZero() || e.Stop.Raw != "" && e.Stop.At.IsZero(), "xdm-time-unread"},
	} {
		if row.odd {
			e.warn(row.reason)
		}
	}
}

// mediaType takes the parameters off a media type, and its capitals.
func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	return strings.ToLower(strings.TrimSpace(v))
}

// joinURI puts together a URI that was cut into numbered values, "1|…", "2|…"
// (IHE ITI TF-3 4.2.3.2.27).
func joinURI(values []string) string {
	if len(values) == 0 {
		return ""
	}
	var b strings.Builder
	for i := range values {
		for _, v := range values {
			if rest, ok := strings.CutPrefix(v, strconv.Itoa(i+1)+"|"); ok {
				b.WriteString(rest)
			}
		}
	}
	if b.Len() == 0 {
		return values[0]
	}
	return b.String()
}

func readCodes(o *object, scheme string) []Code {
	var codes []Code
	for _, c := range o.classifications(scheme) {
		codes = append(codes, Code{Code: c.attrs["nodeRepresentation"], System: c.slot("codingScheme"), Display: c.name})
	}
	return codes
}

func firstCode(o *object, scheme string) Code {
	if codes := readCodes(o, scheme); len(codes) > 0 {
		return codes[0]
	}
	return Code{}
}

func readAuthors(o *object, scheme string) []Author {
	var authors []Author
	for _, c := range o.classifications(scheme) {
		a := Author{Person: parsePerson(c.slot("authorPerson"))}
		for _, v := range c.slots["authorInstitution"] {
			if v != "" {
				a.Institutions = append(a.Institutions, parseInstitution(v))
			}
		}
		a.Roles = parseCodes(c.slots["authorRole"])
		// ebRIM 2.1 files spell it authorSpeciality.
		a.Specialties = parseCodes(append(c.slots["authorSpecialty"], c.slots["authorSpeciality"]...))
		authors = append(authors, a)
	}
	return authors
}
