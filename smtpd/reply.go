package smtpd

import (
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Reply is one SMTP reply: code, enhanced code (RFC 3463) and a short English text.
type Reply struct {
	// Code is the three-digit code; 0 says nothing at all.
	Code int
	// Enhanced is the enhanced status code; zero prints none (greeting, 354).
	Enhanced [3]int
	// Text is ASCII on one line. It never holds a cause or anything the peer sent.
	Text string
}

// reply makes a Reply from its code and the printed form of class.subject.detail.
func reply(code, subject, detail int, text string) Reply {
	return Reply{Code: code, Enhanced: [3]int{code / 100, subject, detail}, Text: text}
}

// String returns the reply as it goes on the wire, without CRLF.
func (r Reply) String() string { return string(r.appendTo(nil)) }

// appendTo appends the reply without CRLF.
func (r Reply) appendTo(out []byte) []byte {
	out = strconv.AppendInt(out, int64(r.Code), 10)
	out = append(out, ' ')
	if r.Enhanced != [3]int{} {
		for i, n := range r.Enhanced {
			out = strconv.AppendInt(out, int64(n), 10)
			out = append(out, ". "[i/2])
		}
	}
	return append(out, r.Text...)
}

// ReplyTo returns what a peer is told about an error, from the fault's reason id
// if the table has it, else from the reason's family when the refusal is final,
// else from the kind. An error that is no fault is our own failure: 451 4.3.0.
// The reason id of a refusal stands at the end of the text; causes stay here.
func ReplyTo(err error) Reply {
	kind, reason := fault.KindOf(err), fault.Reason(err)
	if r, ok := replyFor(reason); ok {
		return r
	}
	r, ok := familyReply(reason)
	switch kind {
	case fault.Invalid:
		if !ok {
			r = reply(554, 6, 0, "Not acceptable")
		}
	case fault.NotFound:
		if !ok {
			r = reply(550, 1, 1, "No such box")
		}
	case fault.Denied:
		if !ok {
			r = reply(550, 7, 1, "Not allowed")
		}
	case fault.OverQuota:
		return reply(452, 3, 1, "A limit is reached, try again later")
	default: // Conflict, Transient, Internal
		return reply(451, 3, 0, "Try again later")
	}
	r.Text += " (" + reason + ")"
	return r
}

// refusal returns the reply of one of the door's own reasons.
func refusal(reason string) Reply {
	r, _ := replyFor(reason)
	return r
}

// replyFor is the table: reason id to reply, its own line each. A reason that is
// not listed has none.
func replyFor(reason string) (Reply, bool) {
	r, ok := houseReply(reason)
	if !ok {
		r, ok = doorReply(reason)
	}
	if ok && r.Code != 0 {
		r.Text += " (" + reason + ")"
	}
	return r, ok
}

// houseReply lists the reasons of the houses and works (spec mssante 1.13; RFC 3463).
func houseReply(reason string) (Reply, bool) {
	switch reason {
	// Trust space.
	case "sender-not-of-this-operator":
		return reply(550, 7, 1, "The certificate does not speak for this sender domain"), true
	case "recipient-outside-trust-space":
		return reply(550, 7, 1, "The recipient is outside the trust space"), true
	case "correspondent-unknown":
		return reply(550, 7, 1, "You may write only to who wrote to you"), true // spec mssante 7.4
	case "correspondent-closed":
		return reply(550, 7, 1, "The correspondent has closed the exchange"), true // spec mssante 7.6
	case "patient-to-patient":
		return reply(550, 7, 1, "Patients do not write to each other here"), true // spec mssante 7.4
	case "peer-not-listed", "sender-peer-unknown", "null-sender-peer-unknown":
		return reply(554, 7, 1, "The certificate's subject is not in the whitelist"), true
	case "relay-denied":
		return reply(550, 7, 1, "This domain's boxes are not here"), true
	case "null-sender-not-a-report":
		return reply(550, 7, 1, "The null sender is for reports only"), true
	case "sender-not-of-this-box", "from-not-of-this-box":
		return reply(550, 7, 1, "Send under the address of your own box"), true
	case "revocation-unknown":
		return reply(451, 7, 0, "The certificate's revocation state is unknown, try again later"), true
	case "whitelist-unavailable":
		return reply(451, 7, 0, "The trust list is not at hand, try again later"), true
	case "too-many-hops":
		return reply(554, 4, 6, "Too many hops"), true // RFC 5321 6.3
	case "too-many-recipients":
		return envelopeReply(reasonRecipients)
	case "too-fast":
		return reply(451, 7, 1, "Too fast, try again later"), true
	case "login-first":
		return loginReply(reasonLoginFirst)

	// Boxes.
	case "box-unknown":
		return reply(550, 1, 1, "No such box"), true
	case "box-closed", "box-suspended", "box-opposed":
		return reply(550, 2, 1, "The box takes no letters"), true
	case "store-full", "blob-full":
		return reply(452, 3, 1, "No room to store letters, try again later"), true // RFC 5321 4.2.2
	case "box-full", "letters-limit", "folder-full":
		return reply(452, 2, 2, "The box is full"), true
	case "box-announced", "box-busy":
		return reply(450, 2, 1, "The box takes no letters yet, try again later"), true
	}
	return Reply{}, false
}

// familyReply answers final refusals whose reason is not listed by the reason's
// first word.
func familyReply(reason string) (Reply, bool) {
	family, _, _ := strings.Cut(reason, "-")
	switch family {
	case "certificate", "operator":
		return reply(554, 7, 1, "The client certificate is not accepted"), true
	case "letter":
		return reply(554, 6, 0, "The letter is not acceptable"), true
	case "from", "sender", "recipient", "correspondent":
		return reply(550, 7, 1, "Not allowed"), true
	case "address":
		return reply(501, 1, 3, "The address is malformed"), true
	case "box":
		return reply(550, 2, 1, "The box takes no letters"), true
	}
	return Reply{}, false
}

// doorReply lists the door's own reasons.
func doorReply(reason string) (Reply, bool) {
	switch reason {
	case reasonLineEnd:
		return reply(500, 5, 2, "Only CRLF ends a command line"), true
	case reasonLineNUL:
		return reply(500, 5, 2, "A command line holds no NUL"), true
	case reasonLineLong:
		return reply(500, 5, 2, "Command line too long"), true
	case reasonSASLLong:
		return reply(500, 5, 6, "Authentication line too long"), true // RFC 4954 4
	case reasonUnknown:
		return reply(500, 5, 1, "Unknown command"), true
	case reasonNotHere:
		return reply(502, 5, 1, "Command not implemented"), true
	case reasonMalformed:
		return reply(501, 5, 4, "Malformed command"), true
	case reasonOrder:
		return reply(503, 5, 1, "Not now"), true
	case reasonErrors:
		return reply(421, 7, 0, "Too many bad commands"), true
	case reasonChatter:
		return reply(421, 7, 0, "Too many commands without a letter"), true

	case reasonEarly:
		return reply(554, 5, 1, "You spoke before the greeting"), true
	case reasonTLS:
		return reply(530, 7, 0, "STARTTLS first"), true // RFC 3207 4
	case reasonTLSLogin:
		return reply(538, 7, 11, "Encryption is required to log in"), true // RFC 4954 6
	case reasonTLSInject:
		return reply(554, 5, 1, "You spoke between STARTTLS and its reply"), true
	case reasonPeerFull:
		return reply(421, 7, 0, "Too many connections from your address"), true
	case reasonFull:
		return reply(421, 3, 2, "Too many connections, try again later"), true
	case reasonHandshake, reasonGone, reasonDeaf:
		return Reply{}, true
	}
	if r, ok := envelopeReply(reason); ok {
		return r, true
	}
	if r, ok := contentReply(reason); ok {
		return r, true
	}
	return loginReply(reason)
}

// envelopeReply lists the reasons of MAIL and RCPT.
func envelopeReply(reason string) (Reply, bool) {
	switch reason {
	case reasonSender:
		return reply(501, 1, 7, "The sender's address is malformed"), true
	case reasonAddress:
		return reply(501, 1, 3, "The address is malformed"), true
	case reasonUTF8:
		return reply(553, 6, 7, "Such an address needs SMTPUTF8"), true // RFC 6531 3.5
	case reasonParam:
		return reply(555, 5, 4, "Unknown parameter"), true // RFC 5321 4.1.1.11
	case reasonParamBad:
		return reply(501, 5, 4, "Malformed parameter"), true
	case reasonParamNotHere:
		return reply(504, 5, 4, "Parameter value not implemented"), true
	case reasonRecipients:
		// RFC 5321 4.5.3.1.10: 452 lets the client split; 552 would lose mail.
		return reply(452, 5, 3, "Too many recipients"), true
	}
	return Reply{}, false
}

// contentReply lists the reasons of DATA and BDAT, and those that end a connection.
func contentReply(reason string) (Reply, bool) {
	switch reason {
	case reasonPipelining:
		return reply(554, 5, 1, "Content was sent before 354"), true
	case reasonContentLine:
		return reply(550, 5, 2, "A line of the letter does not end with CRLF"), true
	case reasonContentNUL:
		return reply(550, 5, 2, "The letter holds a NUL"), true
	case reasonContentDot:
		return reply(550, 5, 2, "A line of the letter begins with a lone dot"), true
	case reasonContentEnd:
		return reply(550, 5, 2, "A line of the letter looks like its end"), true
	case reasonTooLarge, reasonEndless:
		return reply(552, 3, 4, "The letter is too large"), true // RFC 1870 6.1
	case reasonChunk:
		return reply(501, 5, 4, "Malformed BDAT"), true
	case reasonChunks:
		return reply(552, 3, 4, "Too many chunks"), true
	case reasonAborted:
		return reply(554, 5, 0, "Transaction aborted"), true

	case reasonSilent, reasonTransaction:
		return reply(421, 4, 2, "Timeout"), true
	case reasonSlow:
		return reply(421, 4, 2, "Too slow"), true
	case reasonClosing:
		return reply(421, 3, 2, "Closing, try again later"), true
	case reasonInternal:
		return reply(451, 3, 0, "Try again later"), true
	}
	return Reply{}, false
}

// loginReply lists the reasons of AUTH (RFC 4954 6).
func loginReply(reason string) (Reply, bool) {
	switch reason {
	case reasonLoginFirst:
		return reply(530, 7, 0, "Log in first"), true
	case reasonLoginNotHere:
		return reply(502, 5, 1, "No login here"), true
	case reasonLoginAgain:
		return reply(503, 5, 1, "Already logged in"), true
	case reasonLoginMechanism:
		return reply(504, 5, 4, "Unknown authentication mechanism"), true
	case reasonLoginFailed:
		return reply(535, 7, 8, "Login failed"), true
	case reasonLoginDown:
		return reply(454, 7, 0, "Login is not possible now, try again later"), true
	case reasonLogins:
		return reply(421, 7, 0, "Too many failed logins"), true
	case reasonSASL:
		return reply(501, 5, 2, "Malformed authentication exchange"), true
	case reasonSASLCancelled:
		return reply(501, 7, 0, "Authentication cancelled"), true
	}
	return Reply{}, false
}
