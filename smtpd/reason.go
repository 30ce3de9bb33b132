package smtpd

// The reason ids of what the door itself refuses. Each has a reply (reply.go),
// but for those that a connection ends with when nobody listens any more.
const (
	// Lines.
	reasonLineEnd  = "command-line-end"
	reasonLineNUL  = "command-nul"
	reasonLineLong = "command-too-long"
	reasonSASLLong = "sasl-too-long"

	// Commands.
	reasonUnknown   = "command-unknown"
	reasonNotHere   = "command-not-here"
	reasonMalformed = "command-malformed"
	reasonOrder     = "command-order"
	reasonErrors    = "commands-bad"
	reasonChatter   = "commands-idle"

	// TLS and the beginning of a connection.
	reasonEarly     = "early-talker"
	reasonTLS       = "tls-required"
	reasonTLSLogin  = "login-in-clear"
	reasonTLSInject = "plaintext-after-starttls"
	reasonHandshake = "tls-handshake"
	reasonPeerFull  = "connections-per-peer"
	reasonFull      = "connections-total"

	// Envelope.
	reasonSender       = "sender-malformed"
	reasonAddress      = "address-malformed"
	reasonUTF8         = "address-needs-smtputf8"
	reasonParam        = "parameter-unknown"
	reasonParamBad     = "parameter-malformed"
	reasonParamNotHere = "parameter-not-here"
	reasonRecipients   = "recipients-too-many"

	// Content.
	reasonPipelining  = "content-before-354"
	reasonContentLine = "content-line-end"
	reasonContentNUL  = "content-nul"
	reasonContentDot  = "content-dot"
	reasonContentEnd  = "content-false-end"
	reasonTooLarge    = "letter-too-large"
	reasonEndless     = "letter-endless"
	reasonChunk       = "chunk-malformed"
	reasonChunks      = "chunks-too-many"
	reasonAborted     = "transaction-aborted"

	// Login.
	reasonLoginFirst     = "login-required"
	reasonLoginNotHere   = "login-not-here"
	reasonLoginAgain     = "login-again"
	reasonLoginMechanism = "login-mechanism"
	reasonLoginFailed    = "login-failed"
	reasonLoginDown      = "login-unavailable"
	reasonLogins         = "logins-too-many"
	reasonSASL           = "sasl-malformed"
	reasonSASLCancelled  = "sasl-cancelled"

	// Ends of a connection.
	reasonSilent      = "peer-silent"
	reasonSlow        = "peer-slow"
	reasonTransaction = "transaction-too-long"
	reasonGone        = "peer-gone"
	reasonDeaf        = "peer-not-reading"
	reasonClosing     = "closing"
	reasonInternal    = "internal"
)
