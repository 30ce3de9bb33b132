package letter_test

import (
	"testing"

	"github.com/vaguemestre/vaguemestre/letter"
)

// TestSections holds the part numbers of RFC 3501 6.4.5 on a letter that has every
// kind of nesting.
func TestSections(t *testing.T) {
	t.Parallel()
	data := fixtures(t)["enclosed_messages"]
	s := walk(t, data)
	const none = "no such section"
	for _, c := range []struct {
		path []int
		want letter.Section
		text string
	}{
		{[]int{1, 1}, letter.Whole, "un"},
		{[]int{1, 2}, letter.Whole, "<b>un</b>"},
		{[]int{1, 2}, letter.MIME, "Content-Type: text/html\r\n\r\n"},
		{[]int{1}, letter.MIME, "Content-Type: message/rfc822\r\n\r\n"},
		{[]int{2, 1}, letter.Whole, "Subject: troisieme\r\n\r\nfin"},
		{[]int{2, 1}, letter.Header, "Subject: troisieme\r\n\r\n"},
		{[]int{2, 1}, letter.Text, "fin"},
		{[]int{2, 1, 1}, letter.Whole, "fin"},
		{[]int{2}, letter.Text, "Subject: troisieme\r\n\r\nfin"},
		{nil, letter.Whole, data},
		{nil, letter.Header, data[:s.HeaderSize]},
		{nil, letter.Text, data[s.HeaderSize:]},
		{nil, letter.MIME, none},
		{[]int{0}, letter.Whole, none},
		{[]int{3}, letter.Whole, none},
		{[]int{-1}, letter.Whole, none},
		{[]int{1, 3}, letter.Whole, none},
		{[]int{1, 1, 1}, letter.Whole, none},
		{[]int{1, 1}, letter.Header, none},
		{[]int{1, 1}, letter.Text, none},
		{[]int{2, 2}, letter.Whole, none},
		{[]int{2, 1, 1, 1}, letter.Whole, none},
		{[]int{2, 1, 1}, letter.Header, none},
		{[]int{1}, letter.Section(9), none},
	} {
		got := none
		if r, found := s.Section(c.path, c.want); found {
			got = data[r.Start:r.End]
		}
		if got != c.text {
			t.Errorf("section %v %d: got %q, want %q", c.path, c.want, got, c.text)
		}
	}
	single := walk(t, "Subject: x\r\n\r\nalone")
	if p, found := single.Find([]int{1}); !found || p != &single.Root {
		t.Error("a letter that is no multipart is its own part 1")
	}
}
