package markup_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/markup"
)

// corpus returns a folder of the sample corpora. Without them the test is skipped,
// unless CORPUS=required.
func corpus(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("CORPUS_DIR")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	dir := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return dir
}

// TestSampleDocumentsAreRead reads every French clinical document of the corpora,
// texts over 16 KiB kept back, and each of those again from its place.
func TestSampleDocumentsAreRead(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"cda-fr", "cda-fr-versions"} {
		names, err := filepath.Glob(filepath.Join(corpus(t, folder), "*"))
		if err != nil || len(names) == 0 {
			t.Fatal(err, len(names))
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := walk(t, string(data), markup.Limits{})
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", filepath.Base(name), err)
			}
			if cut, err := walk(t, string(data), markup.Limits{Text: 16 << 10}); !errors.Is(err, io.EOF) || cut != whole {
				t.Errorf("%s: with long texts kept back: %v, %d octets of text, want %d", filepath.Base(name), err, len(cut), len(whole))
			}
		}
	}
}

// TestHostileVectorsAreBounded holds the reason of each vector that is refused for
// its form, and time and memory for all.
func TestHostileVectorsAreBounded(t *testing.T) {
	want := map[string]string{
		"billion-laughs": "xml-dtd", "quadratic": "xml-dtd", "param-laughs": "xml-dtd",
		"big-attr-1mb": "xml-tag-too-long", "big-depth-45k": "xml-too-deep",
		"big-name-1mb": "xml-name-too-long", "big-ns-20k": "xml-too-many-attributes",
		"big-pi-100k":    "xml-too-large",
		"enc-double-bom": "xml-encoding", "enc-ebcdic": "xml-encoding", "enc-latin1-bytes": "xml-encoding",
		"enc-nul": "xml-encoding", "enc-surrogate": "xml-encoding", "enc-utf16-nobom": "xml-encoding",
		"enc-utf16le-bom": "xml-encoding", "enc-utf7": "xml-encoding", "enc-xml11": "xml-encoding",
		"enc-ws-before": "xml-malformed",
		"sem-attr-dup":  "xml-malformed", "sem-prefix-colon": "xml-malformed",
		"sem-truncated": "xml-malformed", "sem-two-roots": "xml-malformed",
	}
	names, err := filepath.Glob(filepath.Join(corpus(t, "hostile/xml"), "*.xml"))
	if err != nil || len(names) == 0 {
		t.Fatal(err, len(names))
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(filepath.Base(name), ".xml")
		reason, refused := want[base]
		if strings.HasPrefix(base, "dtd-") {
			reason, refused = "xml-dtd", true
		}
		delete(want, base)
		before, began := allocated(), time.Now()
		_, err = walkQuietly(markup.NewReader(f, markup.Limits{}))
		f.Close()
		if refused && fault.Reason(err) != reason || !refused && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want %q", base, err, reason)
		}
		// Everything allocated on the way, collected or not; the biggest vector is 1 MB.
		if grew := allocated() - before; grew > 64<<20 {
			t.Errorf("%s: %d MiB allocated", base, grew>>20)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: %v", base, took)
		}
	}
	if len(want) > 0 {
		t.Errorf("vectors not found: %v", want)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func walkQuietly(r *markup.Reader) (n int, err error) {
	for {
		if _, err := r.Token(); err != nil {
			return n, err
		}
		n++
	}
}

// pattern repeats a text up to a size without holding it.
type pattern struct {
	text string
	left int64
}

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.text)
	n = int(min(int64(n), p.left))
	p.left -= int64(n)
	return n, nil
}

// TestMemoryDoesNotGrowWithTheDocument reads 64 MiB of base64, comments and CDATA.
func TestMemoryDoesNotGrowWithTheDocument(t *testing.T) {
	const size = 64 << 20
	for _, row := range []struct{ open, text, end string }{
		{"<a>", strings.Repeat("QUJDREVG", 512), "</a>"},
		{"<a><!--", strings.Repeat("comment ", 512), "--></a>"},
		{"<a><?pi ", strings.Repeat("comment ", 512), "?></a>"},
		{"<a><![CDATA[", strings.Repeat("comment ", 512), "]]></a>"},
	} {
		source := io.MultiReader(strings.NewReader(row.open), &pattern{row.text, size}, strings.NewReader(row.end))
		before := allocated()
		if _, err := walkQuietly(markup.NewReader(source, markup.Limits{})); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", row.open, err)
		}
		if grew := allocated() - before; grew > 16<<20 {
			t.Errorf("%s: %d KiB allocated", row.open, grew>>10)
		}
	}
}
