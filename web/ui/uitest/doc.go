// Package uitest holds rooms of the web door to what package ui promises: words in both
// languages, no markup that the policy forbids, pages that people with a screen reader
// or a keyboard can use, as far as a program sees it, and golden pages.
//
//	func TestWords(t *testing.T) { uitest.Words(t, kit, ".", room) }
//	html := uitest.Draw(t, kit, visit, page)
//	uitest.Sound(t, html)
//	uitest.Golden(t, "letter.html", html, *update)
//
// What a browser alone can see (contrast, focus, size) is tested in e2e.
package uitest
