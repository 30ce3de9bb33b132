package main

import (
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/filing"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/letter"
)

// report is what inspect prints of one file. Its JSON is a stable interface: fields
// are added, never renamed. Fields that would be empty are left out, but for
// documents, filed, reason and why.
type report struct {
	File string `json:"file"`
	// Kind is xdm, cda, letter, calendar, pdf or unknown; Size is in octets.
	Kind string `json:"kind"`
	Size int64  `json:"size"`
	// Error says why the file could not be read at all.
	Error *remark `json:"error,omitempty"`
	// Reason keeps out everything that the file holds.
	Reason string `json:"reason,omitempty"`
	Why    string `json:"why,omitempty"`
	// Assumed is what was taken for granted to judge.
	Assumed *assumed `json:"assumed,omitempty"`
	// Patient is whom the documents name.
	Patient *patientFacts `json:"patient,omitempty"`
	// Lots are what is filed as a whole or not at all; a document names its lot by its
	// place here.
	Lots      []lotFacts      `json:"lots,omitempty"`
	Documents []documentFacts `json:"documents"`
	Events    []eventFacts    `json:"events,omitempty"`
	Letter    *letterFacts    `json:"letter,omitempty"`
	Sets      []setFacts      `json:"submissionSets,omitempty"`
	Header    *headerFacts    `json:"header,omitempty"`
	Warnings  []remark        `json:"warnings,omitempty"`
}

// remark is a reason id with its sentence.
type remark struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// verdict says what becomes of something.
type verdict struct {
	Filed  bool   `json:"filed"`
	Reason string `json:"reason"`
	Why    string `json:"why"`
}

type assumed struct {
	// Sender is taken for authenticated, Recipient for whose box it is.
	Sender    string `json:"sender,omitempty"`
	Recipient string `json:"recipient,omitempty"`
}

type patientFacts struct {
	OID        string `json:"oid,omitempty"`
	Matricule  string `json:"matricule,omitempty"`
	KeyRight   *bool  `json:"keyRight,omitempty"` // of an INS
	BirthName  string `json:"birthName,omitempty"`
	UsedName   string `json:"usedName,omitempty"`
	Given      string `json:"given,omitempty"`
	BirthDate  string `json:"birthDate,omitempty"`
	Sex        string `json:"sex,omitempty"`
	BirthPlace string `json:"birthPlace,omitempty"`
}

type lotFacts struct {
	Kind string `json:"kind"`
	Part string `json:"part,omitempty"`
	Name string `json:"name,omitempty"`
	verdict
	// Code and Label are what the sender's machine receipt says (spec dmp 4.4).
	Code     int      `json:"code,omitempty"`
	Label    string   `json:"label,omitempty"`
	Warnings []remark `json:"warnings,omitempty"`
}

type codeFacts struct {
	Code    string `json:"code"`
	System  string `json:"system,omitempty"`
	Display string `json:"display,omitempty"`
}

type authorFacts struct {
	Person        string `json:"person,omitempty"`
	PersonID      string `json:"personID,omitempty"`
	Role          string `json:"role,omitempty"`
	Specialty     string `json:"specialty,omitempty"`
	Institution   string `json:"institution,omitempty"`
	InstitutionID string `json:"institutionID,omitempty"`
}

type institutionFacts struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type documentFacts struct {
	Lot int `json:"lot"`
	verdict
	ID                 string        `json:"id"`
	Title              string        `json:"title"`
	Type               *codeFacts    `json:"type,omitempty"`
	Class              *codeFacts    `json:"class,omitempty"`
	Category           string        `json:"category,omitempty"`
	Format             *codeFacts    `json:"format,omitempty"`
	MIME               string        `json:"mime,omitempty"`
	Language           string        `json:"language,omitempty"`
	Created            *time.Time    `json:"created,omitempty"`
	Start              *time.Time    `json:"start,omitempty"`
	Stop               *time.Time    `json:"stop,omitempty"`
	Authors            []authorFacts `json:"authors,omitempty"`
	LegalAuthenticator *authorFacts  `json:"legalAuthenticator,omitempty"`
	Patient            *patientFacts `json:"patient,omitempty"`
	Facility           *codeFacts    `json:"facility,omitempty"`
	Practice           *codeFacts    `json:"practice,omitempty"`
	Confidentiality    []codeFacts   `json:"confidentiality,omitempty"`
	Events             []codeFacts   `json:"events,omitempty"`
	Comments           string        `json:"comments,omitempty"`
	EntryUUID          string        `json:"entryUUID,omitempty"`
	LogicalID          string        `json:"logicalID,omitempty"`
	SetID              string        `json:"setID,omitempty"`
	Version            string        `json:"version,omitempty"`
	Replaces           []string      `json:"replaces,omitempty"`
	Size               int64         `json:"size"`
	SHA1               string        `json:"sha1,omitempty"`
	Warnings           []remark      `json:"warnings,omitempty"`
}

type eventFacts struct {
	verdict
	UID         string       `json:"uid"`
	Instance    string       `json:"instance,omitempty"`
	Method      string       `json:"method,omitempty"`
	Sequence    int64        `json:"sequence"`
	Stamp       *time.Time   `json:"stamp,omitempty"`
	Start       *time.Time   `json:"start,omitempty"`
	End         *time.Time   `json:"end,omitempty"`
	AllDay      bool         `json:"allDay,omitempty"`
	Floating    bool         `json:"floating,omitempty"`
	Zone        string       `json:"zone,omitempty"`
	Rule        string       `json:"rule,omitempty"`
	State       string       `json:"state,omitempty"`
	Summary     string       `json:"summary"`
	Location    string       `json:"location,omitempty"`
	Description string       `json:"description,omitempty"`
	Organizer   partyFacts   `json:"organizer"`
	Attendees   []partyFacts `json:"attendees,omitempty"`
	Warnings    []remark     `json:"warnings,omitempty"`
}

type partyFacts struct {
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
	Status  string `json:"status,omitempty"`
}

type headerFacts struct {
	Level     string           `json:"level"`
	Templates []string         `json:"templates,omitempty"`
	SetID     string           `json:"setID,omitempty"`
	Custodian institutionFacts `json:"custodian"`
	Embedded  []embeddedFacts  `json:"embedded,omitempty"`
}

type embeddedFacts struct {
	// Type is what the octets are, Declared what the document says.
	Type     string `json:"type"`
	Declared string `json:"declared,omitempty"`
	Size     int64  `json:"size"`
	Body     bool   `json:"body,omitempty"`
}

// fail notes why a file could not be read at all.
func (r *report) fail(reason string, err error) *report {
	r.Error = &remark{ID: reason, Text: sentence(reason)}
	if err != nil {
		r.Error.Text += " (" + err.Error() + ")"
	}
	return r
}

func (r *report) warn(reason string) {
	r.Warnings = append(r.Warnings, remark{reason, sentence(reason)})
}

// take notes what was found, each lot held against the one patient whom they name.
func (r *report) take(found *filing.Findings) {
	owner := named(found)
	if owner.Matricule != "" {
		r.Patient = &patientFacts{
			OID: owner.OID, Matricule: owner.Matricule, KeyRight: keyRight(owner.OID, owner.Matricule),
			BirthName: owner.BirthName, Given: owner.Given, BirthDate: owner.BirthDate, Sex: owner.Sex,
		}
	}
	found.Hold(somebody(owner))
	if found.Reason != "" {
		r.Reason, r.Why = found.Reason, sentence(found.Reason)
	}
	for _, a := range found.Ambiguities {
		r.warn(a)
	}
	for i := range found.Lots {
		r.lot(i, &found.Lots[i], found.Attachments[found.Lots[i].Attachment])
	}
	for i := range found.Invitations {
		r.invitation(&found.Invitations[i])
	}
}

// named is whom the first lot that names an INS names, else what the first lot says.
func named(found *filing.Findings) filing.Identity {
	for i := range found.Lots {
		if l := found.Lots[i].Identity; l.Matricule != "" {
			return l
		}
	}
	if len(found.Lots) > 0 {
		return found.Lots[0].Identity
	}
	return filing.Identity{}
}

// somebody fills up an identity with traits that nobody has: the owner of a box has all
// of them, so what the documents do not say has its reason.
func somebody(who filing.Identity) filing.Identity {
	const unknown = "?"
	if who.Matricule == "" {
		who.OID, who.Matricule = identity.INSNIR, unknown
	}
	for _, trait := range []*string{&who.BirthName, &who.Given, &who.BirthDate, &who.Sex} {
		*trait = firstText(*trait, unknown)
	}
	return who
}

func (r *report) lot(i int, l *filing.Lot, a filing.Attachment) {
	v := judged(l.Reason, "filed")
	if l.Kind == filing.PDF && v.Filed {
		v.Why = sentence("filed-for-owner")
	}
	facts := lotFacts{Kind: string(l.Kind), Part: a.Part, Name: a.Name, verdict: v, Warnings: remarks(l.Warnings)}
	if a.Part == "" {
		facts.Name = "" // that of the file
	}
	if code := l.Code(); code != 0 {
		facts.Code, facts.Label = int(code), code.Label()
	}
	r.Lots = append(r.Lots, facts)
	for j := range l.Documents {
		d := documentOf(l.Documents[j].Document)
		d.Lot, d.verdict = i, v
		r.Documents = append(r.Documents, d)
	}
}

// judged is the verdict of a reason.
func judged(reason, filed string) verdict {
	if reason == "" {
		return verdict{Filed: true, Why: sentence(filed)}
	}
	return verdict{Reason: reason, Why: sentence(reason)}
}

func documentOf(d dmp.Document) documentFacts {
	f := documentFacts{
		ID: d.UniqueID, Title: d.Title, Type: codeOf(d.Type), Class: codeOf(d.Class), Category: string(d.Category),
		Format: codeOf(d.Format), MIME: d.MIME, Language: d.Language,
		Created: timeOf(d.Created), Start: timeOf(d.Start), Stop: timeOf(d.Stop),
		Facility: codeOf(d.Facility), Practice: codeOf(d.Practice), Confidentiality: codesOf(d.Confidentiality), Events: codesOf(d.Events),
		Comments: d.Comments, EntryUUID: d.EntryUUID, LogicalID: d.LogicalID, SetID: d.SetID, Version: d.Version, Replaces: d.Replaces,
		Size: d.Size, SHA1: d.SHA1, Warnings: remarks(d.Warnings),
	}
	// As the vault does it: both are functions of the type.
	if known, ok := dmp.Classify(d.Type.Code); ok {
		f.Class, f.Category = codeOf(known.Class), firstText(f.Category, string(known.Category))
	}
	for _, a := range d.Authors {
		f.Authors = append(f.Authors, authorFacts(a))
	}
	if d.LegalAuthenticator != (dmp.Author{}) {
		a := authorFacts(d.LegalAuthenticator)
		f.LegalAuthenticator = &a
	}
	if s := d.SourcePatient; s != (dmp.Snapshot{}) {
		f.Patient = &patientFacts{
			OID: s.OID, Matricule: s.Matricule, KeyRight: keyRight(s.OID, s.Matricule), BirthName: s.BirthName, UsedName: s.UsedName,
			Given: s.Given, BirthDate: s.BirthDate, Sex: s.Sex, BirthPlace: s.BirthPlace,
		}
	}
	return f
}

// keyRight says whether an INS has the right key, nil for another identifier.
func keyRight(oid, matricule string) *bool {
	i, err := identity.ReadINS(oid, matricule)
	if err != nil {
		return nil
	}
	right := i.KeyRight()
	return &right
}

func codeOf(c dmp.Code) *codeFacts {
	if c == (dmp.Code{}) {
		return nil
	}
	f := codeFacts(c)
	return &f
}

func codesOf(codes []dmp.Code) []codeFacts {
	var out []codeFacts
	for _, c := range codes {
		out = append(out, codeFacts(c))
	}
	return out
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (r *report) invitation(v *filing.Invite) {
	applied := judged(v.Reason, "applied")
	if v.Message == nil || len(v.Message.Events) == 0 {
		r.Events = append(r.Events, eventFacts{verdict: applied})
		return
	}
	for _, w := range v.Message.Warnings {
		r.warn(w)
	}
	for _, e := range v.Message.Events {
		facts := eventFacts{
			verdict: applied, UID: e.UID, Instance: e.RecurrenceID, Method: v.Message.Method, Sequence: e.Sequence,
			Stamp: timeOf(e.Stamp), Start: timeOf(e.Start), End: timeOf(e.End), AllDay: e.AllDay, Floating: e.Floating, Zone: e.Zone,
			Rule: e.Rule, State: e.State, Summary: e.Summary, Location: e.Location, Description: e.Description,
			Organizer: partyOf(e.Organizer), Warnings: remarks(e.Warnings),
		}
		for _, p := range e.Attendees {
			facts.Attendees = append(facts.Attendees, partyOf(p))
		}
		r.Events = append(r.Events, facts)
	}
}

func partyOf(p agenda.Party) partyFacts {
	return partyFacts{Address: p.Raw, Name: p.Name, Status: p.PartStat}
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// letterFacts is what the letter itself says.
type letterFacts struct {
	From        []partyFacts      `json:"from"`
	To          []partyFacts      `json:"to"`
	Subject     string            `json:"subject"`
	Date        string            `json:"date,omitempty"`
	MessageID   string            `json:"messageID,omitempty"`
	Attachments []attachmentFacts `json:"attachments,omitempty"`
}

// attachmentFacts is one part that may be a document or an invitation.
type attachmentFacts struct {
	Part     string `json:"part"`
	Name     string `json:"name,omitempty"`
	Declared string `json:"declared,omitempty"`
	Kind     string `json:"kind"`
	Size     int64  `json:"size,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Why      string `json:"why,omitempty"`
}

func (r *report) letterFacts(s *letter.Structure, found *filing.Findings) {
	e := s.Root.Envelope
	r.Letter = &letterFacts{
		From: parties(e.From), To: parties(e.To), Subject: letter.DecodeWords(e.Subject), Date: e.Date, MessageID: s.MessageID,
	}
	for _, a := range found.Attachments {
		facts := attachmentFacts{Part: a.Part, Name: a.Name, Declared: a.Declared, Kind: string(a.Kind), Size: max(a.Size, 0), Reason: a.Reason}
		if facts.Reason == "" && a.Lot >= 0 {
			facts.Reason = found.Lots[a.Lot].Reason
		}
		if facts.Reason != "" {
			facts.Why = sentence(facts.Reason)
		}
		r.Letter.Attachments = append(r.Letter.Attachments, facts)
	}
}

func parties(list []letter.Address) []partyFacts {
	out := []partyFacts{}
	for _, a := range list {
		if !a.GroupStart() && !a.GroupEnd() {
			out = append(out, partyFacts{Address: a.Mailbox + "@" + a.Host, Name: letter.DecodeWords(a.Name)})
		}
	}
	return out
}
