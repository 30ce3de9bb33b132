package letter

import (
	"io"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
)

// Action is what happened to a recipient (RFC 3464 2.3.3).
type Action string

// The actions. Relayed means that the next server does not promise to report.
const (
	Failed    Action = "failed"
	Delayed   Action = "delayed"
	Delivered Action = "delivered"
	Relayed   Action = "relayed"
	Expanded  Action = "expanded"
)

// Recipient is one recipient's fate in a DSN.
type Recipient struct {
	// Final is the recipient as this operator knows it.
	Final identity.Address
	// OriginalType and Original are ORCPT decoded from xtext, "rfc822" and the
	// address; empty if the sender gave none.
	OriginalType, Original string
	// Action says what happened.
	Action Action
	// Status is the enhanced status code (RFC 3463), such as "5.1.1"; "X.0.0" of the
	// action's class if it is none.
	Status string
	// Diagnostic is the reply of the server that refused; any text, empty for none.
	Diagnostic string
	// Remote is the name of that server; empty for none.
	Remote string
	// LastAttempt is when it was last tried; zero for unknown.
	LastAttempt time.Time
	// RetryUntil is when trying ends, for Delayed.
	RetryUntil time.Time
	// French and English say in whole sentences what happened and what to do; a
	// text by Action stands in for an empty one.
	French, English string
}

// DSN is a delivery status notification (RFC 3464, RFC 3461) to the sender of a
// letter: multipart/report with a text in French and English, the fields for
// machines, and the letter or its header.
//
// It is sent with the null reverse path (RFC 3464 2, RFC 5321 4.5.5), and none is
// ever made for a letter that itself came with the null reverse path; both are the
// caller's to keep. Its own octets are US-ASCII unless To is not; with Full the
// letter goes in as it is, and needs 8BITMIME if it did.
type DSN struct {
	// From is the operator's own postmaster.
	From identity.Address
	// To is the reverse path of the letter.
	To identity.Address
	// Reporter is the host name of the reporting server.
	Reporter string
	// MessageID is that of the DSN, angle brackets included; empty makes one.
	MessageID string
	// Date is when the DSN is written; Arrival when the letter came.
	Date, Arrival time.Time
	// EnvelopeID is ENVID decoded from xtext; empty if the sender gave none.
	EnvelopeID string
	// OriginalID is the Message-ID of the letter, so that clients show both
	// together; empty, or no message id, for none.
	OriginalID string
	// Recipients are those that it reports on; at least one.
	Recipients []Recipient
	// Original reads the letter from its first octet; nil leaves the third part out.
	Original io.Reader
	// Full returns the whole letter (RET=FULL), else its header alone.
	Full bool
}
