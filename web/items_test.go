package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/agenda"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/store"
)

// items are identifiers of what somebody has, by the kinds of Route.Names.
type items map[string]string

// everything gives a patient one of each kind of item: a letter with an attachment, a
// document, an invitation, a letter sent in answer, and a session.
func (w *world) everything(h deliverytest.Holder, name string) (items, *browser) {
	w.t.Helper()
	w.letter(name, mixed(name))
	b := w.signedIn(name)
	type devices struct{ Devices []struct{ ID string } }
	sessions := facts[devices](w.t, b.json("/settings"))
	from := h.Address.String()
	to := "dr.berrahal@" + deliverytest.City
	if err := deliverytest.Send(w.Submit(h), from, []string{to}, deliverytest.Text(from, "Merci")); err != nil {
		w.t.Fatal(err)
	}
	inbox := w.Inbox(h)
	return items{
		"letter": string(inbox[len(inbox)-1].ID), "part": "2", "session": sessions.Devices[0].ID,
		"outcome": string(w.Story(h).ID), "document": w.document(h), "event": w.event(h),
		"category": string(dmp.Other), "month": "2026-11", "folder": "inbox",
	}, b
}

// mixed is a letter with an attachment.
func mixed(name string) string {
	return strings.ReplaceAll("From: Dr Salima Berrahal <dr.berrahal@"+deliverytest.City+">\nTo: <"+name+"@"+deliverytest.Patients+">\n"+
		"Subject: Votre retour\nDate: Thu, 19 Nov 2026 09:12:00 +0100\nMessage-ID: <"+name+".1@"+deliverytest.City+">\n"+
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nBonjour,\n"+
		"--b\nContent-Type: text/plain; name=note.txt\nContent-Disposition: attachment; filename=note.txt\n\nUne note.\n--b--\n", "\n", "\r\n")
}

// document files a document for a patient.
func (w *world) document(h deliverytest.Holder) string {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	vault := dmp.Vault{Space: dmp.SpaceID(h.Space), Key: ring.Vault(), Works: w.Works, Blobs: w.Blobs}
	sealed, err := vault.Seal(context.Background(), dmp.Document{
		UniqueID: "1.2.3." + string(h.ID), Title: "Analyses de sang", MIME: "text/plain", Created: time.Date(2026, 11, 18, 9, 0, 0, 0, time.UTC),
		Authors: []dmp.Author{{Institution: "Laboratoire des Quais"}},
	}, dmp.Origin{Kind: dmp.ByDepot, From: "Laboratoire des Quais"}, strings.NewReader("Hémoglobine 12"))
	if err != nil {
		w.t.Fatal(err)
	}
	var results []dmp.Result
	w.Write(func(tx *store.Tx) (err error) {
		results, err = dmp.File(tx, []*dmp.Sealed{sealed})
		return err
	})
	trace, err := dmp.NewTrace(ring.Vault(), dmp.SpaceID(h.Space), dmp.Access{
		Who: "Laboratoire des Quais", WhoKind: "service", What: dmp.DocumentFiled, Object: string(results[0].ID),
		Title: "Analyses de sang", Why: dmp.Filing, Via: "depot",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Write(func(tx *store.Tx) error { return dmp.Note(tx, trace) })
	return string(results[0].ID)
}

// event puts an invitation into a patient's agenda.
func (w *world) event(h deliverytest.Holder) string {
	w.t.Helper()
	ring := w.Ring(h)
	defer ring.Zero()
	at := w.clock.Now().Add(13 * 24 * time.Hour).Truncate(24 * time.Hour).Add(13*time.Hour + 15*time.Minute)
	sealed, err := agenda.Seal(ring.Letters(), agenda.SpaceID(h.Space), agenda.Event{
		UID: "visite@" + deliverytest.City, Method: agenda.Request, Stamp: w.clock.Now(), Start: at, End: at.Add(30 * time.Minute),
		Summary: "Visite de suivi", Location: "Hôpital de Valbrume",
		Organizer: agenda.Party{Address: deliverytest.Address(w.t, "dr.berrahal@"+deliverytest.City)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Write(func(tx *store.Tx) error { _, err := agenda.Accept(tx, w.Works, sealed); return err })
	var id string
	w.Read(func(tx *store.Tx) error {
		rows, err := agenda.List(tx, agenda.SpaceID(h.Space), 1)
		if err == nil && len(rows) == 1 {
			id = string(rows[0].ID)
		}
		return err
	})
	return id
}

func TestItemsAreThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, _ := w.everything(w.patient("jeanne"), "jeanne")
	for kind, id := range got {
		if id == "" {
			t.Errorf("no %s", kind)
		}
	}
}
