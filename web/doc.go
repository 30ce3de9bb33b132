// Package web is the HTTP door: a patient's space in the browser, and the same facts as
// JSON for programs.
//
//	s, err := web.New(web.Parts{…}, web.Options{Name: "chu", Host: "mes.chu.example"})
//	srv := &http.Server{Handler: s, MaxHeaderBytes: 16 << 10, …}
//	srv.RegisterOnShutdown(s.Drain) // streams end, so that Shutdown need not wait
//	srv.ServeTLS(listener, "", "")  // the cookies are for TLS only
//
// # Rooms
//
// The door composes rooms, each with its routes, pages and words (package ui):
//
//	web          the hall: coming in, home, settings, help, /live, /healthz
//	web/message  letters: inbox, letter, answer, what became of a sent letter
//	web/record   documents, agenda, history of accesses
//	web/leaf     a document as it is shown inside a letter and inside the vault
//	web/ui       what they share: visit, route, answers, parts, words, stylesheet
//
// # The way of a request
//
//	harden      the headers that every answer has
//	guard       Host is ours (421), no foreign origin (403)
//	matches     a route answers path (404) and method (405)
//	resume      the session of __Host-session, if it goes on; its keys
//	            no session: 401 with the sign-in page, or as JSON; never a redirect
//	readBody    bounded (413), a form (415), not compressed
//	Route.Serve the room; opens letters and documents through package reading only
//	kit.Answer  a page in its shell, JSON, a file, events; a fault by one table
//
// Hall's own routes (the others are in the rooms' documentation):
//
//	GET  /                       home; the sign-in page for strangers (200)
//	POST /login                  web_login, web_password, code: 303 to /, or 401, 429
//	POST /logout                 ends the session here and in the browser
//	POST /language               fr or en, kept in a cookie
//	GET  /settings …             language, password, second factor, devices
//	GET  /live                   events: "change" (read the page again), "over"
//	GET  /more /help /accessibility /privacy /status
//	GET  /healthz                200 while the node can read its store, else 503
//	GET  /static/NAME.DIGEST.EXT kept for ever by browsers
//
// # Coming in
//
// A sign-in always makes a new session; an older one of the same browser ends. When a
// second factor is on, the first step waits in __Host-ticket: login and password sealed
// under the works key, for five minutes, so that no page has a password in it and any
// node takes the second step. No parameter says where to go afterwards.
//
// # Invariants
//
//   - Every route is public or refuses a stranger, with 401; a test takes them from the
//     table.
//   - An item of somebody else is answered as one that nobody has: 404, the same body
//     but for the number of the request. A test tries every route with every kind of
//     another patient's items.
//   - A GET changes nothing that a person did not ask for; what changes something is a
//     POST, and no page of another origin can send one.
//   - Whatever is somebody's is "no-store, private".
//   - Host, X-Forwarded-*, Referer and the like decide nothing and make no link.
//   - A stream keeps nobody signed in: it looks whether the session goes on, and ends
//     with it.
//   - No log line has a path, a query, a login or a text of a form: the route's pattern
//     and the request's number.
//
// # What it does not do
//
// It checks no password and releases no key (package porter), opens and decides nothing
// (package reading), and sends no mail (package delivery). It speaks no FHIR or CalDAV.
//
// # Implementation notes
//
// Templates are parsed once for each language, with the words bound to it; a page is
// drawn whole before its first octet is sent, so that an error is a page too. Streams
// hold no transaction: each poke of the bus costs one read of the inbox's counters. At
// most six streams a session and 10,000 in all are open, and two uploads a session and
// 200 in all (429).
//
// What the door itself refuses, of another site's pages, of too much, of items that are
// not one's own, is a leaf "web.refused" in the audit log, one a minute for each of the
// same.
package web
