package record

import (
	"bytes"
	"net/http"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// statusOf reads answer=. It fails with fault.Invalid "answer-malformed".
func statusOf(answer string) (agenda.Status, error) {
	switch answer {
	case "accept":
		return agenda.Accepted, nil
	case "decline":
		return agenda.Declined, nil
	case "tentative":
		return agenda.Tentative, nil
	}
	return "", fault.New(fault.Invalid, "answer-malformed")
}

// answer serves POST /agenda/{event}/answer: one letter to the organizer, and the
// answer in the agenda, in one transaction. A version that is not the one of now is
// refused: the answer was to something else.
func (m *room) answer(v *ui.Visit, r *http.Request) (ui.Answer, error) {
	e, err := m.Reading.Event(r.Context(), v.Reader, agenda.EventID(r.PathValue("event")))
	if err != nil {
		return nil, err
	}
	status, err := statusOf(r.PostFormValue("answer"))
	if err != nil {
		return nil, err
	}
	if err := answerable(v, e); err != nil {
		return nil, err
	}
	if seen := r.PostFormValue("version"); seen != "" && seen != e.Version {
		return nil, fault.New(fault.Conflict, "event-changed")
	}
	if err := m.say(v, r, e, status); err != nil {
		return nil, err
	}
	return ui.Redirect{To: eventPath(e.ID), Notice: "notice.event-" + string(status)}, nil
}

// say sends the answer (RFC 5546 3.2.3, RFC 6047).
func (m *room) say(v *ui.Visit, r *http.Request, e reading.Event, status agenda.Status) error {
	by := v.Reader
	letter := agenda.Letter{
		From: by.Box.Address, FromName: v.Person.Name, To: e.Organizer.Address, ToName: e.Organizer.Name,
		Method: agenda.Answers, Status: status, Event: e.Event, Date: v.Now.In(v.Words.Zone), Zone: v.Words.Zone,
	}
	var text bytes.Buffer
	if _, err := letter.WriteTo(&text); err != nil {
		return err
	}
	noted, err := m.Reading.Answering(by, e)
	if err != nil {
		return err
	}
	_, err = m.Office.Send(r.Context(), delivery.Sending{
		By: by.By, Box: by.Box, Keys: by.Keys, To: []identity.Address{e.Organizer.Address},
		Letter: &text, Conn: by.Conn, Remote: by.Remote,
		Also: func(tx *store.Tx, _ string) error {
			if err := noted(tx); err != nil {
				return err
			}
			return agenda.Answer(tx, agenda.SpaceID(by.Box.Space), e.ID, e.Version, status)
		},
	})
	return err
}
