// Package leaf shows a document inside a page: what a clinical document says of itself,
// its originals (PDF, pictures) and its narrative, as the rooms of letters and of
// documents both need it. It also holds the arguments of package ui's parts as types,
// and says what octets are.
//
//	held, err := leaf.Hold(part, limit)          // decoded, in memory or sealed on disk
//	kind := leaf.Sniff(held)                     // by its octets, never by its name
//	d := leaf.Read(held, held.Size, words, leaf.Place{Base: "/messages/x/parts/2"})
//	…{{template "leaf-document" .Data.Leaf}}
//
// # A document on a page
//
//	┌ original   PDF or picture in a frame, with links: phones open it by the link
//	├ facts      what it is, whose, by whom, of when
//	├ warnings   in words
//	└ narrative  rendered by package cda from its closed list of elements
//
// The octets of an original have an address below the document's own: the place where
// the document is, a dot, and "e" with the number of the file in it ("2.e0").
//
// # Invariants
//
//   - Only octets that are PDF, JPEG, PNG or plain text by themselves are shown
//     (spec mssante 7.12); everything else is handed out for keeping.
//   - Nothing decoded is on disk in clear, and nothing large is in memory.
//   - A document that cannot be read is shown as one sentence; it is never blank, and
//     the file stays within reach.
//
// # What it does not do
//
// It decides on no access and opens nothing: it is given octets. The page that shows a
// leaf says where each piece is fetched from.
package leaf
