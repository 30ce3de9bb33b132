package dmp_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/fault"
)

// Whatever a sender writes into metadata, it is refused by reason or brought within
// bounds, once for all: metadata that were prepared stay as they are.
func FuzzMetadata(f *testing.F) {
	f.Add("1.2.3", "urn:uuid:0f0e0d0c-0b0a-4908-8706-050403020100", "1.2.2", "Titre", "11490-0")
	f.Add("urn:oid:", "Document01", "\x00", strings.Repeat("é", 1025), "")
	f.Add("0F0E0D0C-0b0a-4908-8706-050403020100", "\xff", "urn:oid:urn:oid:1.2", "\u202e", "E1762")
	f.Add(" urn:oid: 1.2 ", "urn:uuid:", "urn:uuid:0F0E0D0C-0b0a-4908-8706-050403020100", "", "99")
	f.Fuzz(func(t *testing.T, id, entry, replaces, title, code string) {
		d := dmp.Document{
			UniqueID: id, EntryUUID: entry, Replaces: []string{replaces, id}, Title: title,
			Type: dmp.Code{Code: code, Display: title}, Authors: []dmp.Author{{Person: title, PersonID: entry}},
		}
		once, err := dmp.Prepared(d)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		twice, err := dmp.Prepared(once)
		if err != nil || twice.UniqueID != once.UniqueID || twice.Title != once.Title || len(twice.Replaces) != len(once.Replaces) {
			t.Errorf("prepared again: %v", err)
		}
		for _, text := range []string{once.Title, once.Type.Display, once.Authors[0].Person} {
			if len(text) > 2<<10 || !utf8.ValidString(text) {
				t.Errorf("a text of %d octets", len(text))
			}
		}
		if once.UniqueID == "" || once.Category == "" {
			t.Error("a document without identifier or category")
		}
		if name, ok := dmp.CleanUUID(entry); ok {
			if again, ok := dmp.CleanUUID(" " + strings.ToUpper(name[len("urn:uuid:"):])); !ok || again != name {
				t.Errorf("%q is %q in another spelling", name, again)
			}
		}
	})
}
