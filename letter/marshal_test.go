package letter_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

// checkMarshal holds that a structure comes back as it was.
func checkMarshal(t *testing.T, s *letter.Structure) {
	t.Helper()
	got, err := letter.Unmarshal(s.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Fatalf("another structure (-want +got):\n%s", diff)
	}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := walk(t, data)
			checkMarshal(t, s)
			// A name in the table of common words and one that is not are both kept.
			s.Root.Subtype, s.Root.Location = "plain", "not in any table"
			checkMarshal(t, s)
		})
	}
}

// TestMarshalIsCompact holds that the summary row of an ordinary letter stays small.
func TestMarshalIsCompact(t *testing.T) {
	t.Parallel()
	if got := len(walk(t, attachmentLetter(50<<10)).Marshal()); got > 512 {
		t.Errorf("%d octets", got)
	}
}

// TestUnmarshalDamaged holds that damage is an error of ours: each prefix, each
// appended octet, and every version but one.
func TestUnmarshalDamaged(t *testing.T) {
	t.Parallel()
	sound := walk(t, attachmentLetter(1000)).Marshal()
	damaged := [][]byte{append(slices.Clone(sound), 0), append([]byte{2}, sound[1:]...)}
	for n := range sound {
		damaged = append(damaged, sound[:n])
	}
	for _, b := range damaged {
		if _, err := letter.Unmarshal(b); err == nil || fault.Reason(err) != "structure-damaged" || !fault.Is(err, fault.Internal) {
			t.Fatalf("%d octets: %v", len(b), err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(walk(f, data).Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := letter.Unmarshal(b)
		if err != nil {
			return
		}
		// What was accepted is a structure: it marshals to something that reads the same.
		again := s.Marshal()
		checkMarshal(t, s)
		if t2, err := letter.Unmarshal(again); err != nil || !bytes.Equal(t2.Marshal(), again) {
			t.Fatalf("unstable: %v", err)
		}
	})
}
