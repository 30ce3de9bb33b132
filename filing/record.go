package filing

import (
	"encoding/json"
	"time"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
)

// RecordPurpose is what the record of a letter's filing is sealed for, with the
// letter's session key and under the message's id.
const RecordPurpose = "filing"

// Outcome is what became of one attachment.
type Outcome string

// The outcomes. Inert is an attachment that was never to be filed.
const (
	Filed     Outcome = "filed"
	Known     Outcome = "known"   // it is in the vault already: one more origin
	Copy      Outcome = "copy"    // of a document that came beside it
	Kept      Outcome = "refused" // it stays an attachment; Reason says why
	Added     Outcome = "added"   // to the agenda
	Updated   Outcome = "updated"
	Cancelled Outcome = "cancelled"
	Stale     Outcome = "stale" // the agenda knows something newer
	Inert     Outcome = ""
)

// Record is what became of a letter's attachments, for the letter's reader. It is
// kept sealed (see [dmp.NoteFiling]).
type Record struct {
	At time.Time `json:"at"`
	// Reason keeps everything out: "letter-ambiguous", "filing-failed"; empty for none.
	Reason string `json:"reason,omitempty"`
	// Attachments are those that were looked at, in the order of the letter.
	Attachments []Entry `json:"attachments,omitempty"`
}

// Entry is what became of one attachment.
type Entry struct {
	// Part is the part's number as IMAP counts, "2.1".
	Part    string  `json:"part"`
	Name    string  `json:"name,omitempty"`
	Kind    Kind    `json:"kind"`
	Outcome Outcome `json:"outcome,omitempty"`
	// Reason is why it was not filed or applied, Code what its sender was told.
	Reason string `json:"reason,omitempty"`
	Code   int    `json:"code,omitempty"`
	// Warnings are reason ids of what was odd and kept nothing out.
	Warnings []string `json:"warnings,omitempty"`
	// Documents are those that it brought, in the vault now.
	Documents []Brought `json:"documents,omitempty"`
}

// Brought is one document of an attachment.
type Brought struct {
	ID       dmp.DocumentID `json:"id"`
	Title    string         `json:"title,omitempty"`
	New      bool           `json:"new,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
}

// ReadRecord reads an opened record; nil is an empty one. It fails with
// fault.Internal "filing-record-broken".
func ReadRecord(plain []byte) (Record, error) {
	var r Record
	if len(plain) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(plain, &r); err != nil {
		return r, fault.New(fault.Internal, "filing-record-broken") // the cause may quote the content
	}
	return r, nil
}
