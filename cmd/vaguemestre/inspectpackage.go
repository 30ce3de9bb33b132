package main

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/letter"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// setFacts is a submission set of a package, as its METADATA.XML says.
type setFacts struct {
	Part         string             `json:"part,omitempty"`
	Folder       string             `json:"folder"`
	ID           string             `json:"id,omitempty"`
	SourceID     string             `json:"sourceID,omitempty"`
	PatientID    string             `json:"patientID,omitempty"`
	Title        string             `json:"title,omitempty"`
	Comments     string             `json:"comments,omitempty"`
	Submitted    *time.Time         `json:"submitted,omitempty"`
	ContentType  *codeFacts         `json:"contentType,omitempty"`
	Authors      []authorFacts      `json:"authors,omitempty"`
	Recipients   []string           `json:"recipients,omitempty"`
	Entries      []entryFacts       `json:"entries,omitempty"`
	Associations []associationFacts `json:"associations,omitempty"`
}

// entryFacts is what the metadata say of one document, before the document itself was
// asked.
type entryFacts struct {
	EntryUUID       string   `json:"entryUUID,omitempty"`
	ID              string   `json:"id,omitempty"`
	URI             string   `json:"uri,omitempty"`
	Name            string   `json:"name"`
	Octets          int64    `json:"octets"`
	Hash            string   `json:"hash,omitempty"`
	Size            *int64   `json:"size,omitempty"`
	Status          string   `json:"status,omitempty"`
	PatientID       string   `json:"patientID,omitempty"`
	SourcePatientID string   `json:"sourcePatientID,omitempty"`
	SourcePatient   []string `json:"sourcePatientInfo,omitempty"`
	RepositoryID    string   `json:"repositoryID,omitempty"`
	References      []string `json:"references,omitempty"`
	Warnings        []remark `json:"warnings,omitempty"`
}

type associationFacts struct {
	Type   string `json:"type"`
	Source string `json:"source"`
	Target string `json:"target"`
}

// sets notes the submission sets of a package that opens; of one that does not, the
// lot has the reason.
func (r *report) sets(part string, octets io.ReaderAt, size int64) {
	p, err := xdm.Open(octets, size, xdm.Limits{})
	if err != nil {
		return
	}
	for i := range p.Sets {
		r.Sets = append(r.Sets, setOf(part, &p.Sets[i]))
	}
}

func setOf(part string, s *xdm.Set) setFacts {
	f := setFacts{
		Part: part, Folder: s.Folder, ID: s.UniqueID, SourceID: s.SourceID, PatientID: s.PatientID, Title: s.Title, Comments: s.Comments,
		Submitted: timeOf(s.Submitted.At), Recipients: s.Recipients,
	}
	if !s.ContentType.IsZero() {
		c := codeFacts(s.ContentType)
		f.ContentType = &c
	}
	for _, a := range s.Authors {
		f.Authors = append(f.Authors, authorFacts{
			Person: strings.TrimSpace(a.Person.Given + " " + a.Person.Family), PersonID: a.Person.ID,
			Role: firstCode(a.Roles), Specialty: firstCode(a.Specialties),
			Institution: firstInstitution(a.Institutions).Name, InstitutionID: firstInstitution(a.Institutions).ID,
		})
	}
	for _, e := range s.Documents {
		entry := entryFacts{
			EntryUUID: e.EntryUUID, ID: e.UniqueID, URI: e.URI, Name: e.Name, Octets: e.Octets, Hash: e.Hash, Status: e.Status,
			PatientID: e.PatientID, SourcePatientID: e.SourcePatientID, SourcePatient: e.SourcePatient.Raw,
			RepositoryID: e.RepositoryID, References: e.ReferenceIDs, Warnings: remarks(e.Warnings),
		}
		if e.Size >= 0 {
			entry.Size = &e.Size
		}
		f.Entries = append(f.Entries, entry)
	}
	for _, a := range s.Associations {
		f.Associations = append(f.Associations, associationFacts(a))
	}
	return f
}

func firstCode(codes []xdm.Code) string {
	if len(codes) == 0 {
		return ""
	}
	return firstText(codes[0].Display, codes[0].Code)
}

func firstInstitution(list []xdm.Institution) xdm.Institution {
	if len(list) == 0 {
		return xdm.Institution{}
	}
	return list[0]
}

// packages notes the submission sets of a letter's packages.
func (r *report) packages(f io.ReaderAt, s *letter.Structure, found *filing.Findings) error {
	for _, a := range found.Attachments {
		if a.Kind != filing.Package || a.Size < 0 {
			continue
		}
		part, ok := s.Find(pathOf(a.Part))
		if !ok {
			continue
		}
		if err := r.decoded(a.Part, part.Decoder(io.NewSectionReader(f, part.Body.Start, part.Body.Size()))); err != nil {
			return err
		}
	}
	return nil
}

// decoded notes the sets of one part. Its octets lie in an encrypted file meanwhile.
func (r *report) decoded(part string, octets io.Reader) (err error) {
	spool, err := seal.NewSpool("")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	n, err := io.Copy(spool, octets)
	if err != nil {
		return err
	}
	r.sets(part, spool, n)
	return nil
}

// pathOf reads a part number as IMAP counts, "2.1".
func pathOf(part string) []int {
	var path []int
	for n := range strings.SplitSeq(part, ".") {
		if i, err := strconv.Atoi(n); err == nil {
			path = append(path, i)
		}
	}
	return path
}
