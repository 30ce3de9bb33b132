package letter

import (
	"io"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// Handling is what a disposition notification says became of a letter (RFC 8098
// 3.2.6.2).
type Handling string

// The handlings. Displayed says that a person opened the letter, Processed that
// a machine dealt with it without showing it to anybody.
const (
	Displayed  Handling = "displayed"
	Processed  Handling = "processed"
	Dispatched Handling = "dispatched"
	Deleted    Handling = "deleted"
)

// Integration is the code of an integration that failed: those of the application
// (spec mssante 6.10, dmp 4.4). Zero is a success.
type Integration int

// The codes.
const (
	IntegrationVersion       Integration = 900 // a form that is not supported
	IntegrationAuthor        Integration = 901 // the author may not
	IntegrationPatient       Integration = 902 // no such patient here
	IntegrationINSMissing    Integration = 903 // no INS in the document
	IntegrationINSDiffers    Integration = 904 // the identity is another one
	IntegrationINSIncomplete Integration = 905 // the identity lacks a part
	IntegrationOther         Integration = 906
)

// Extension is one extension field of a notification (RFC 8098 3.3).
type Extension struct{ Name, Value string }

// MDN is a message disposition notification (RFC 8098) to somebody who asked what
// became of a letter, or the answer of a machine that integrates documents (spec
// mssante 6.9): multipart/report with a text in French and English, the fields for
// machines, and the letter or its header.
//
// It is sent with the null reverse path (RFC 8098 3), never about another report,
// and never on its own to an address that differs from the letter's reverse path
// (RFC 8098 2.1): all three are the caller's to keep. Its own octets are US-ASCII
// unless From or To is not.
type MDN struct {
	// From is the box whose letter it was, or the operator's own address; Name is
	// shown beside it, empty for none.
	From identity.Address
	Name string
	// To is the address that asked.
	To identity.Address
	// Reporter is the host name of the reporting server.
	Reporter string
	// MessageID is that of the notification, angle brackets included; empty makes one.
	MessageID string
	// Date is when the notification is written.
	Date time.Time
	// Subject is that of the letter, decoded; what the notification says is put
	// before it.
	Subject string
	// OriginalType and Original are ORCPT decoded from xtext, "rfc822" and the
	// address; empty if the sender gave none.
	OriginalType, Original string
	// Final is the recipient as this operator knows it.
	Final identity.Address
	// OriginalID is the Message-ID of the letter; empty, or no message id, for none.
	OriginalID string
	// Handling is what became of the letter; Displayed if it is none of those known.
	Handling Handling
	// Manual says that the recipient agreed to this very notification, else it was
	// sent without asking (RFC 8098 3.2.6.1).
	Manual bool
	// Code says with Processed why documents were not integrated; zero: they were.
	Code Integration
	// Reasons are stable reason ids or sentences for machines, each one Error field
	// (RFC 8098 3.2.7). They must hold no health data.
	Reasons []string
	// French and English say in whole sentences what happened and what to do; a
	// text by Handling and Code stands in for an empty one.
	French, English string
	// Extensions are further fields for machines; one whose name is no field name,
	// or is that of a field written here, is left out.
	Extensions []Extension
	// Letter reads the letter from its first octet; nil leaves the third
	// part out. Full returns the whole letter, else its header alone.
	Letter io.Reader
	Full   bool
}
