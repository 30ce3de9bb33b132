package outcome_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vaguemestre/vaguemestre/outcome"
)

// start is when the letters of these tests were accepted.
var start = time.Date(2025, 11, 21, 9, 0, 0, 0, time.UTC)

func fact(what outcome.What, minutes int) outcome.Fact {
	return outcome.Fact{What: what, At: start.Add(time.Duration(minutes) * time.Minute)}
}

func refused(code string, minutes int) outcome.Fact {
	f := fact(outcome.Refused, minutes)
	f.Code = code
	return f
}

func TestStatusOfOneLetterAfterAnother(t *testing.T) {
	t.Parallel()
	accepted, relayed := fact(outcome.Accepted, 0), fact(outcome.Relayed, 1)
	for name, c := range map[string]struct {
		facts []outcome.Fact
		want  outcome.State
	}{
		"nothing": {nil, outcome.State{}},
		"on its way": {
			[]outcome.Fact{accepted, relayed},
			outcome.State{What: outcome.Relayed, At: relayed.At},
		},
		"held, then sent": {
			[]outcome.Fact{accepted, fact(outcome.Held, 1), fact(outcome.Relayed, 20)},
			outcome.State{What: outcome.Relayed, At: start.Add(20 * time.Minute)},
		},
		"taken, then returned by a DSN": {
			[]outcome.Fact{accepted, relayed, refused("5.1.1", 2)},
			outcome.State{What: outcome.Refused, Code: "5.1.1", At: start.Add(2 * time.Minute)},
		},
		"given up, then delivered after all": {
			[]outcome.Fact{accepted, fact(outcome.Expired, 2880), fact(outcome.Delivered, 2900)},
			outcome.State{What: outcome.Delivered, At: start.Add(2900 * time.Minute)},
		},
		"delivered, and a failure that arrives later": {
			[]outcome.Fact{accepted, fact(outcome.Delivered, 3), refused("5.2.2", 9)},
			outcome.State{What: outcome.Delivered, At: start.Add(3 * time.Minute)},
		},
		"expired and refused": {
			[]outcome.Fact{accepted, fact(outcome.Expired, 9), refused("5.2.1", 3)},
			outcome.State{What: outcome.Refused, Code: "5.2.1", At: start.Add(3 * time.Minute)},
		},
		"delivered, read, not integrated": {
			[]outcome.Fact{accepted, fact(outcome.Delivered, 3), refused("902", 5), fact(outcome.Read, 60)},
			outcome.State{What: outcome.Refused, Code: "902", At: start.Add(5 * time.Minute)},
		},
		"not integrated, then integrated by hand": {
			[]outcome.Fact{accepted, refused("902", 5), fact(outcome.Integrated, 90)},
			outcome.State{What: outcome.Integrated, At: start.Add(90 * time.Minute)},
		},
		"an HL7 error": {
			[]outcome.Fact{fact(outcome.Filed, 5), refused("204", 6)},
			outcome.State{What: outcome.Refused, Code: "204", At: start.Add(6 * time.Minute)},
		},
		"a number that is no integration code": {
			[]outcome.Fact{fact(outcome.Delivered, 5), refused("550", 6)},
			outcome.State{What: outcome.Delivered, At: start.Add(5 * time.Minute)},
		},
		"refused twice": {
			[]outcome.Fact{refused("5.2.2", 6), refused("4.2.2", 5), refused("4.2.1", 5)},
			outcome.State{What: outcome.Refused, Code: "4.2.1", At: start.Add(5 * time.Minute)},
		},
		"answered without ever being opened": {
			[]outcome.Fact{accepted, relayed, fact(outcome.Answered, 50)},
			outcome.State{What: outcome.Answered, At: start.Add(50 * time.Minute)},
		},
	} {
		if got := outcome.Status(c.facts); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// facts draws what may happen to a letter, plausible or not.
func facts() *rapid.Generator[outcome.Fact] {
	return rapid.Custom(func(t *rapid.T) outcome.Fact {
		f := fact(rapid.SampledFrom([]outcome.What{
			outcome.Accepted, outcome.Held, outcome.Relayed, outcome.Expired, outcome.Refused, outcome.Delivered,
			outcome.Noticed, outcome.Read, outcome.Filed, outcome.Integrated, outcome.Answered,
		}).Draw(t, "what"), rapid.IntRange(0, 20).Draw(t, "minutes"))
		if f.What == outcome.Refused {
			f.Code = rapid.SampledFrom([]string{"5.1.1", "4.2.2", "box-closed", "902", "906", "100", "207"}).Draw(t, "code")
		}
		f.Evidence.Text = rapid.SampledFrom([]string{"", "250 ok", "550 no"}).Draw(t, "text")
		return f
	})
}

// TestStatusDependsOnTheSetAlone: neither order nor repetition matters; the status
// is one of the facts; another fact never takes back what was proven.
func TestStatusDependsOnTheSetAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfN(facts(), 1, 12).Draw(t, "facts")
		status := outcome.Status(set)
		if status.What == "" {
			t.Fatalf("no status for %v", set)
		}
		isFact := func(f outcome.Fact) bool {
			return f.What == status.What && f.Code == status.Code && f.At.Equal(status.At)
		}
		if !slices.ContainsFunc(set, isFact) {
			t.Fatalf("status %v is none of the facts %v", status, set)
		}
		shuffled := rapid.Permutation(append(set, rapid.SliceOf(rapid.SampledFrom(set)).Draw(t, "again")...)).Draw(t, "order")
		if got := outcome.Status(shuffled); got != status {
			t.Fatalf("in another order: got %v, want %v", got, status)
		}
		more := append(slices.Clone(set), facts().Draw(t, "one more"))
		after := outcome.Status(more)
		if status.Settled() && !after.Settled() {
			t.Fatalf("settled as %v, then %v", status, after)
		}
		// Halves first, then together: the highest of both.
		cut := rapid.IntRange(0, len(set)).Draw(t, "cut")
		parts := []outcome.Fact{}
		for _, half := range [][]outcome.Fact{set[:cut], set[cut:]} {
			if s := outcome.Status(half); s.What != "" {
				parts = append(parts, outcome.Fact{What: s.What, Code: s.Code, At: s.At})
			}
		}
		if got := outcome.Status(parts); got != status {
			t.Fatalf("by halves: got %v, want %v", got, status)
		}
	})
}

// TestDeliveryOutranksItsFailures, whatever else is said and in whatever order.
func TestDeliveryOutranksItsFailures(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfN(facts(), 0, 8).Draw(t, "facts")
		set = append(set, fact(outcome.Delivered, rapid.IntRange(0, 20).Draw(t, "minutes")))
		status := outcome.Status(set)
		if status.What == outcome.Expired || status.What == outcome.Refused && len(status.Code) != 3 {
			t.Fatalf("delivered, and yet %v", status)
		}
	})
}
