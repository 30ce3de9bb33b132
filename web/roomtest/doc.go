// Package roomtest serves the rooms of the web door without the door: a real operator on
// a database of its own, a patient with released keys, filing that runs when it is told
// to, and one call that asks a room and draws its page. What the door itself does
// (sessions, origins, headers) is tested in package web.
//
//	w := roomtest.New(t)
//	jeanne := w.Patient("jeanne")
//	w.Receive(jeanne, roomtest.Letter("Votre retour", …)) // by SMTP from another operator, then filed
//	a := jeanne.Get("/messages")               // drawn, or the fault
//	a = jeanne.Facts("/messages")              // as JSON
package roomtest
