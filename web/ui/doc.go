// Package ui is what the rooms of the web door share: the visit, the route, the kinds
// of answers, the shell and the parts that pages are made of, the words in French and
// English, and how a fault is told.
//
// A room is a value; the door composes rooms:
//
//	func Room(parts Parts) ui.Room {
//		return ui.Room{
//			Name: "record", Pages: pages, Words: words,
//			Routes: []ui.Route{{
//				Pattern: "GET /documents/{id}", Section: "documents",
//				Names: map[string]string{"id": "document"},
//				Serve: func(v *ui.Visit, r *http.Request) (ui.Answer, error) {
//					doc, err := parts.Reading.Document(r.Context(), v.Reader, …)
//					if err != nil {
//						return nil, err // a fault: the door makes a page or JSON of it
//					}
//					return ui.Page{Template: "document", Title: "document.title", Data: view, JSON: facts}, nil
//				},
//			}},
//		}
//	}
//
// # How a page is made
//
//	room's template   {{define "document"}}   dot: View {Visit, Data, Section, Unread, …}
//	      │ executed first, in its own buffer
//	      v
//	shell             {{define "shell"}} part/shell.html: bar, nav, <main>, status, foot
//	  or door         {{define "door"}}  part/door.html: sign-in, errors, strangers
//	  or frame        {{define "frame"}} a bare document for a sandboxed frame
//
// A page's template writes one <h1> and what stands below it. It uses the parts of
// part/*.html: {{template "row" dict "Href" … "Title" … "Icon" "report"}}. The comment
// above each part lists what its dict may have. What should be swapped when something
// new comes in has an id and the attribute data-live.
//
// Templates may call: t, rich (words with HTML), number, size, date, day, weekday,
// month, monthshort, clock (a time), when, short, moment, dayhead (now and a time),
// machine, dayno, stamp, icon, asset, initials, dict, list.
//
// # Invariants
//
//   - What is said is in the catalogues of both languages; package uitest holds it.
//   - No inline style or script anywhere: the policy has no 'unsafe-inline' but for
//     mail inside a sandboxed frame.
//   - An unknown item, somebody else's item and an unknown page are told alike: 404
//     "not-found".
//   - What a file says it is decides nothing: what a browser would run is handed out as
//     octets, under a policy in which nothing runs.
//   - A redirect stays at this door, whatever it is asked.
//   - Words never come from an error's text.
//
// # What it does not do
//
// It knows no session, cookie of a session, host name or origin: package web guards
// the door. It opens no letter: package reading does.
package ui
