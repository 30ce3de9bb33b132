package letter_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/letter"
)

// walked is everything that a walker says of a letter.
type walked struct {
	Structure *letter.Structure
	Err       string
	Header    string
	Preview   string
}

// walkChunks reads data in chunks of the sizes that next gives.
func walkChunks(data []byte, l letter.Limits, next func() int) walked {
	w := letter.NewWalker(l)
	for rest := data; len(rest) > 0; {
		n := min(len(rest), max(1, next()))
		// A copy: the walker may keep nothing of what it was given.
		w.Write(bytes.Clone(rest[:n]))
		rest = rest[n:]
	}
	s, err := w.Close()
	return walked{s, fmt.Sprint(err), string(w.Header()), w.Preview()}
}

// checkChunks compares several ways to cut a letter.
func checkChunks(t *testing.T, data []byte, l letter.Limits, seed uint64) {
	t.Helper()
	want := walkChunks(data, l, func() int { return len(data) })
	random := rand.New(rand.NewPCG(seed, 0))
	for name, next := range map[string]func() int{
		"one":    func() int { return 1 },
		"random": func() int { return 1 + random.IntN(100) },
		"mixed":  func() int { return 1 << random.IntN(14) },
	} {
		if diff := cmp.Diff(want, walkChunks(data, l, next)); diff != "" {
			t.Fatalf("chunks of %s octets (-whole +chunks):\n%s", name, diff)
		}
	}
}

// checkRanges holds the invariants of the offset map.
func checkRanges(t *testing.T, s *letter.Structure, size int64) {
	t.Helper()
	if s.Size != size || s.Root.Header.Start != 0 || s.Root.Body.End != size || s.HeaderSize != s.Root.Header.End {
		t.Fatalf("letter of %d octets: %+v", size, s)
	}
	if s.Root.Envelope == nil {
		t.Fatal("no envelope")
	}
	checkPart(t, &s.Root)
}

func checkPart(t *testing.T, p *letter.Part) {
	t.Helper()
	if p.Header.Start > p.Header.End || p.Header.End != p.Body.Start || p.Body.Start > p.Body.End {
		t.Fatalf("header %v and body %v do not touch", p.Header, p.Body)
	}
	if p.Type == "" || p.Subtype == "" || p.Encoding == "" || p.Lines < 0 || p.Lines > p.Size() {
		t.Fatalf("part %+v", p)
	}
	at := p.Body.Start
	for i := range p.Children {
		c := &p.Children[i]
		if c.Header.Start < at || c.Body.End > p.Body.End {
			t.Fatalf("child %d at %v-%v is not in %d-%d", i, c.Header.Start, c.Body.End, at, p.Body.End)
		}
		at = c.Body.End
		checkPart(t, c)
	}
	if m := p.Message(); m != nil && (m.Header.Start != p.Body.Start || m.Body.End != p.Body.End || m.Envelope == nil) {
		t.Fatalf("enclosed message %v %v is not the body %v", m.Header, m.Body, p.Body)
	}
}

// TestChunksDoNotMatter holds that a letter may come in pieces of any size.
func TestChunksDoNotMatter(t *testing.T) {
	t.Parallel()
	letters := fixtures(t)
	letters["long lines"] = longLines()
	letters["bare ends"] = "From: a@b.example\nX: a\rb\r\r\n\nx\r\r\ny\rz\n--b\r"
	small := letter.Limits{HardLine: 40, Header: 400, Depth: 3, Parts: 5, Fields: 8, Unfolded: 120}
	for name, data := range letters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(5) {
				checkChunks(t, []byte(data), letter.Limits{}, seed)
				checkChunks(t, []byte(data), small, seed)
			}
			checkRanges(t, walk(t, data), int64(len(data)))
		})
	}
}

// longLines returns a letter whose lines are longer than what is looked at whole,
// one of them beginning as a boundary.
func longLines() string {
	long := strings.Repeat("x", 9000)
	return "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"content-: " + long + "\r\n--b\r\n\r\n--b" + strings.Repeat(" ", 9000) + "\r\nbegin 644 " + long + "\r\n" + long + "\r\r\n" +
		"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUJD", 4096) + "\r\n" +
		"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("=4a", 4096) + "\n--b--\r\n" + long
}

// TestLimits breaks each limit once, and holds that the letter just below stands.
func TestLimits(t *testing.T) {
	t.Parallel()
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String()
	}
	repeat := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		reason      string
		l           letter.Limits
		good, wrong string
	}{
		{"letter-header-too-large", letter.Limits{Header: 100}, "A: " + strings.Repeat("x", 90) + "\r\n\r\n", "A: " + strings.Repeat("x", 90) + "\r\nB: y\r\n\r\n"},
		{"letter-too-many-fields", letter.Limits{}, repeat("X-%d: y\r\n", 1000) + "\r\n", repeat("X-%d: y\r\n", 1001) + "\r\n"},
		{"letter-line-too-long", letter.Limits{}, "A:" + strings.Repeat("x", 8190) + "\r\n\r\n", "A:" + strings.Repeat("x", 8191) + "\r\n\r\n"},
		{"letter-field-too-long", letter.Limits{Unfolded: 100}, "A:" + repeat(" x%d\r\n", 10) + "\r\n", "A:" + repeat(" x%d\r\n", 30) + "\r\n"},
		{"letter-too-deep", letter.Limits{}, nested(19), nested(20)},
		{"letter-too-many-parts", letter.Limits{}, nested(1) + repeat("\r\n%d\r\n--b0\r\n", 998), nested(1) + repeat("\r\n%d\r\n--b0\r\n", 999)},
		{"letter-too-many-params", letter.Limits{}, "Content-Type: a/b" + repeat(";\r\n p%d=1", 100) + "\r\n\r\n", "Content-Type: a/b" + repeat(";\r\n p%d=1", 101) + "\r\n\r\n"},
		{"letter-too-many-continuations", letter.Limits{}, "Content-Type: a/b" + repeat(";\r\n p*%d=1", 100) + "\r\n\r\n", "Content-Type: a/b" + repeat(";\r\n p*%d=1", 101) + "\r\n\r\n"},
		{"letter-too-many-addresses", letter.Limits{}, "To: " + repeat("a%d@b,\r\n ", 1000) + "\r\n\r\n", "To: " + repeat("a%d@b,\r\n ", 1001) + "\r\n\r\n"},
		{"letter-structure-too-large", letter.Limits{Kept: 100}, "Subject: " + strings.Repeat("x", 99) + "\r\n\r\n", "Subject: " + strings.Repeat("x", 101) + "\r\n\r\n"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			t.Parallel()
			w := letter.NewWalker(c.l)
			w.Write([]byte(c.good))
			if _, err := w.Close(); err != nil {
				t.Errorf("just below the limit: %v", err)
			}
			w = letter.NewWalker(c.l)
			w.Write([]byte(c.wrong))
			s, err := w.Close()
			if !fault.Is(err, fault.Invalid) || fault.Reason(err) != c.reason {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			// What is left is still a map of all octets.
			checkRanges(t, s, int64(len(c.wrong)))
			if len(s.Root.Children) != 0 {
				t.Error("an opaque letter has parts")
			}
			checkChunks(t, []byte(c.wrong), c.l, 1)
		})
	}
}

// TestLimitsAreAllTested holds that LimitReasons lists what TestLimits breaks.
func TestLimitsAreAllTested(t *testing.T) {
	t.Parallel()
	if got, want := len(letter.LimitReasons()), 10; got != want {
		t.Errorf("%d limits, %d tested", got, want)
	}
}

// TestMemoryIsBounded pushes far more octets than the walker may keep.
func TestMemoryIsBounded(t *testing.T) {
	head := topFields + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	chunk := []byte(strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 400))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := letter.NewWalker(letter.Limits{})
	w.Write([]byte(head))
	for range 2000 {
		w.Write(chunk)
	}
	s, err := w.Close()
	runtime.ReadMemStats(&after)
	if err != nil || s.Size != int64(len(head)+2000*len(chunk)) {
		t.Fatalf("got %d octets, %v", s.Size, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 256<<10 {
		t.Errorf("%d octets allocated for a letter of %d", got, s.Size)
	}
}
