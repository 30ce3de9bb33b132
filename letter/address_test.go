package letter_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/letter"
)

func TestParseAddressList(t *testing.T) {
	t.Parallel()
	end := letter.Address{}
	for _, c := range []struct {
		raw  string
		want []letter.Address
	}{
		{"", nil},
		{" ,, ; () <>", nil},
		{"a@b.example", []letter.Address{{"", "a", "b.example"}}},
		{"A  \"B\" (c) D <a@b.example>", []letter.Address{{"A B D", "a", "b.example"}}},
		{"\"A, B\"\r\n <a@b.example> , c@d.example", []letter.Address{{"A, B", "a", "b.example"}, {"", "c", "d.example"}}},
		{"\"a@b\"@c.example", []letter.Address{{"", "a@b", "c.example"}}},
		{"a@b.example (The (real) Name)", []letter.Address{{"The (real) Name", "a", "b.example"}}},
		{"\"open <a@b.example>", []letter.Address{{"", "open <a@b.example>", "MISSING_DOMAIN"}}},
		{"<a@b.example", []letter.Address{{"", "a", "b.example"}}},
		{"@b.example", []letter.Address{{"", "MISSING_MAILBOX", "b.example"}}},
		{"<@r.example:a@b.example>", []letter.Address{{"", "a", "b.example"}}},
		{"Nobody <>", []letter.Address{{"Nobody", "MISSING_MAILBOX", "MISSING_DOMAIN"}}},
		{"G:;", []letter.Address{{"", "G", ""}, end}},
		{"G: a@b.example, H: c@d.example;", []letter.Address{{"", "G", ""}, {"", "a", "b.example"}, {"", "H: c", "d.example"}, end}},
		{"a@b.example; c@d.example", []letter.Address{{"", "a", "b.example"}, {"", "c", "d.example"}}},
		{"a\x00b@c.example", []letter.Address{{"", "a b", "c.example"}}},
	} {
		got, err := letter.ParseAddressList(c.raw, 100)
		if err != nil {
			t.Errorf("%q: %v", c.raw, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.raw, diff)
		}
	}
}

// TestParseAddressListLimit holds that what fits is returned with the error.
func TestParseAddressListLimit(t *testing.T) {
	t.Parallel()
	list, err := letter.ParseAddressList("a@b, c@d, e@f", 2)
	if reason(err) != "letter-too-many-addresses" || len(list) != 2 {
		t.Errorf("got %d, %v", len(list), err)
	}
	if list, err := letter.ParseAddressList(strings.Repeat("x@y,", 2), 2); err != nil || len(list) != 2 {
		t.Errorf("got %d, %v", len(list), err)
	}
}

func TestEnvelopeOf(t *testing.T) {
	t.Parallel()
	e, err := letter.EnvelopeOf([]byte("From: a@b.example\r\nSubject: x\r\n y\r\n\r\nTo: body@b.example\r\n"))
	from := []letter.Address{{Mailbox: "a", Host: "b.example"}}
	want := &letter.Envelope{Subject: "x y", From: from, Sender: from, ReplyTo: from}
	if diff := cmp.Diff(want, e); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := letter.EnvelopeOf([]byte("To: " + strings.Repeat("a,", 1001) + "\r\n")); reason(err) != "letter-too-many-addresses" {
		t.Errorf("got %v", err)
	}
}

func FuzzParseAddressList(f *testing.F) {
	for _, s := range []string{
		"a@b.example", "\"A, B\" <a@b.example>, c@d.example (C)", "G: a@b, <@r:c@d>;, x", "((\\)", "\"\\", "<a@b> <c@d> e:f:g;", "a\r\n\tb @ c . d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		const most = 50
		list, err := letter.ParseAddressList(raw, most)
		if len(list) > most || err == nil && len(list) > len(raw)+1 {
			t.Fatalf("%d addresses of %d octets", len(list), len(raw))
		}
		inGroup := false
		for _, a := range list {
			switch {
			case a.GroupStart():
				if inGroup {
					t.Fatal("a group in a group")
				}
				inGroup = true
			case a.GroupEnd():
				if !inGroup {
					t.Fatal("an end without a group")
				}
				inGroup = false
			case a.Mailbox == "" || a.Host == "":
				t.Fatalf("half an address: %q", a)
			}
			if strings.ContainsAny(a.Name+a.Mailbox+a.Host, "\r\n\x00") {
				t.Fatalf("line end in %q", a)
			}
		}
		if inGroup && err == nil {
			t.Fatal("a group without an end")
		}
	})
}
