package agenda_test

import (
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/fault"
)

// TestJudge holds who may change the agenda with what.
func TestJudge(t *testing.T) {
	t.Parallel()
	secretary := "secretariat@hopital-a.mss.test"
	for name, c := range map[string]struct {
		method, calendar string
		sender           string // the doctor if empty
		want             string
	}{
		"request":                  {"REQUEST", calendar("REQUEST", vevent()), "", ""},
		"case of the method":       {"request", calendar("Request", vevent()), "", ""},
		"case of the addresses":    {"REQUEST", calendar("REQUEST", vevent("ATTENDEE:MAILTO:Patient1@Patient.MES.test")), "DR.Martin@hopital-a.mss.test", ""},
		"cancel":                   {"CANCEL", calendar("CANCEL", vevent("SEQUENCE:1")), "", ""},
		"cancel without a date":    {"CANCEL", calendar("CANCEL", vevent("-DTSTART", "-DTEND")), "", ""},
		"cancel for everybody":     {"CANCEL", calendar("CANCEL", vevent("-ATTENDEE")), "", ""},
		"cancel for others":        {"CANCEL", calendar("CANCEL", vevent("ATTENDEE:mailto:"+other)), "", "invite-not-for-me"},
		"series and instances":     {"REQUEST", calendar("REQUEST", vevent("RECURRENCE-ID:20261208T090000Z"), vevent("RRULE:FREQ=WEEKLY")), "", ""},
		"two instances":            {"REQUEST", calendar("REQUEST", vevent("RECURRENCE-ID:20261208T090000Z"), vevent("RECURRENCE-ID:20261215T090000Z")), "", ""},
		"no parameter":             {"", calendar("REQUEST", vevent()), "", "invite-method-missing"},
		"no property":              {"REQUEST", calendar("", vevent()), "", "invite-method-missing"},
		"mismatch":                 {"REQUEST", calendar("PUBLISH", vevent()), "", "invite-method-mismatch"},
		"publish":                  {"PUBLISH", calendar("PUBLISH", vevent()), "", "invite-method-unsupported"},
		"add":                      {"ADD", calendar("ADD", vevent()), "", "invite-method-unsupported"},
		"reply":                    {"REPLY", calendar("REPLY", vevent()), "", "invite-method-unsupported"},
		"counter":                  {"COUNTER", calendar("COUNTER", vevent()), "", "invite-method-unsupported"},
		"unheard of":               {"XYZ", calendar("XYZ", vevent()), "", "invite-method-unsupported"},
		"two methods":              {"REQUEST", calendar("REQUEST", "METHOD:CANCEL", vevent()), "", "invite-ambiguous"},
		"two calendars":            {"REQUEST", calendar("REQUEST", vevent()) + calendar("CANCEL", vevent()), "", "invite-ambiguous"},
		"two starts":               {"REQUEST", calendar("REQUEST", vevent("DTSTART:20261201T090000Z", "DTSTART:20270101T000000Z")), "", "invite-ambiguous"},
		"two organizers":           {"REQUEST", calendar("REQUEST", vevent("ORGANIZER:mailto:"+doctor, "ORGANIZER:mailto:"+other)), "", "invite-ambiguous"},
		"organizers that differ":   {"REQUEST", calendar("REQUEST", vevent(), vevent("RECURRENCE-ID:20261208T090000Z", "ORGANIZER:mailto:"+other)), "", "invite-ambiguous"},
		"two series":               {"REQUEST", calendar("REQUEST", vevent(), vevent()), "", "invite-ambiguous"},
		"unreadable instance":      {"REQUEST", calendar("REQUEST", vevent("RECURRENCE-ID:x")), "", "invite-ambiguous"},
		"unreadable dates":         {"REQUEST", calendar("REQUEST", vevent("EXDATE:x")), "", "invite-ambiguous"},
		"nothing":                  {"REQUEST", calendar("REQUEST"), "", "invite-empty"},
		"a task":                   {"REQUEST", calendar("REQUEST", "BEGIN:VTODO\nUID:1\nEND:VTODO"), "", "invite-empty"},
		"no uid":                   {"REQUEST", calendar("REQUEST", vevent("-UID")), "", "invite-no-uid"},
		"a uid of 2000 octets":     {"REQUEST", calendar("REQUEST", vevent("UID:"+strings.Repeat("a", 2000))), "", "invite-no-uid"},
		"two uids":                 {"REQUEST", calendar("REQUEST", vevent("UID:a"), vevent("UID:b")), "", "invite-several-uids"},
		"no organizer":             {"REQUEST", calendar("REQUEST", vevent("-ORGANIZER")), "", "invite-no-organizer"},
		"organizer without a box":  {"REQUEST", calendar("REQUEST", vevent("ORGANIZER:urn:uuid:1")), "", "invite-no-organizer"},
		"sequence of 2^31":         {"REQUEST", calendar("REQUEST", vevent("SEQUENCE:2147483648")), "", "invite-sequence"},
		"sequence of 2^31-1":       {"REQUEST", calendar("REQUEST", vevent("SEQUENCE:2147483647")), "", ""},
		"sequence below 0":         {"REQUEST", calendar("REQUEST", vevent("SEQUENCE:-1")), "", "invite-sequence"},
		"sequence that is none":    {"REQUEST", calendar("REQUEST", vevent("SEQUENCE:1e3")), "", "invite-sequence"},
		"no start":                 {"REQUEST", calendar("REQUEST", vevent("-DTSTART", "-DTEND")), "", "invite-dates"},
		"no such start":            {"REQUEST", calendar("REQUEST", vevent("DTSTART:20269999T999999Z")), "", "invite-dates"},
		"end before start":         {"REQUEST", calendar("REQUEST", vevent("DTSTART:20261201T090000Z", "DTEND:20001201T090000Z")), "", "invite-dates"},
		"an instance with a rule":  {"REQUEST", calendar("REQUEST", vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T090000Z", "RRULE:FREQ=SECONDLY")), "", "invite-rule"},
		"an instance, a bad rule":  {"REQUEST", calendar("REQUEST", vevent("RECURRENCE-ID:20261201T090000Z", "RRULE:x")), "", "invite-rule"},
		"another sender":           {"REQUEST", calendar("REQUEST", vevent()), other, "invite-sender-not-organizer"},
		"cancel by another":        {"CANCEL", calendar("CANCEL", vevent("ORGANIZER:mailto:"+other)), "", "invite-sender-not-organizer"},
		"the patient themselves":   {"REQUEST", calendar("REQUEST", vevent()), patient, "invite-sender-not-organizer"},
		"the secretary":            {"REQUEST", calendar("REQUEST", vevent(`ORGANIZER;SENT-BY="mailto:`+secretary+`":mailto:`+doctor)), secretary, ""},
		"an unnamed secretary":     {"REQUEST", calendar("REQUEST", vevent()), secretary, "invite-sender-not-organizer"},
		"a secretary elsewhere":    {"REQUEST", calendar("REQUEST", vevent(`ORGANIZER;SENT-BY="mailto:`+other+`":mailto:`+doctor)), other, "invite-sender-not-organizer"},
		"sent by outside":          {"REQUEST", calendar("REQUEST", vevent(`ORGANIZER;SENT-BY="mailto:curieux@outside.example":mailto:`+doctor)), "", ""},
		"by name only":             {"REQUEST", calendar("REQUEST", vevent("ORGANIZER;CN="+doctor+":mailto:"+other)), "", "invite-sender-not-organizer"},
		"for another":              {"REQUEST", calendar("REQUEST", vevent("ATTENDEE:mailto:patient2@patient.mes.test")), "", "invite-not-for-me"},
		"for nobody":               {"REQUEST", calendar("REQUEST", vevent("-ATTENDEE")), "", "invite-not-for-me"},
		"for me among others":      {"REQUEST", calendar("REQUEST", vevent("ATTENDEE:mailto:"+other, "ATTENDEE:mailto:"+patient)), "", ""},
		"for my name only":         {"REQUEST", calendar("REQUEST", vevent("ATTENDEE;CN="+patient+":mailto:"+other)), "", "invite-not-for-me"},
		"one of two is not for me": {"REQUEST", calendar("REQUEST", vevent(), vevent("RECURRENCE-ID:20261208T090000Z", "ATTENDEE:mailto:"+other)), "", "invite-not-for-me"},
		"a zone that nobody knows": {"REQUEST", calendar("REQUEST", vevent("DTSTART;TZID=X:20261201T090000")), "", ""},
		"a rule that nobody knows": {"REQUEST", calendar("REQUEST", vevent("RRULE:x")), "", ""},
	} {
		sender := c.sender
		if sender == "" {
			sender = doctor
		}
		err := agenda.Judge(read(t, c.calendar), c.method, address(t, sender), address(t, patient))
		kind := fault.Invalid
		if c.want == "invite-sender-not-organizer" || c.want == "invite-not-for-me" {
			kind = fault.Denied
		}
		if got := reason(err); got != c.want || err != nil && !fault.Is(err, kind) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
