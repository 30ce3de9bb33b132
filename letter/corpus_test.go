package letter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/letter"
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

// crlf ends every line with CRLF.
func crlf(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

// eachLetter runs f on each file of a corpus folder.
func eachLetter(t *testing.T, folder string, f func(t *testing.T, name string, data []byte)) {
	t.Helper()
	dir := corpus(t, folder)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		f(t, e.Name(), data)
	}
}

// TestCorpusStructures walks real letters, as they are and with CRLF: the map is
// sound, the cut does not matter, it survives its storage, and the fields add up
// to the header.
func TestCorpusStructures(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"eml", "eml-direct", "imip-eml"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			total, clean, limited := 0, 0, 0
			eachLetter(t, folder, func(t *testing.T, name string, data []byte) {
				for _, form := range [][]byte{data, crlf(data)} {
					checkChunks(t, form, letter.Limits{}, 1)
					checkStored(t, form)
				}
				got := walkChunks(crlf(data), letter.Limits{}, func() int { return 4096 })
				total++
				switch {
				case got.Err != "<nil>":
					limited++
					t.Logf("%s: %s", name, got.Err)
				case len(got.Structure.Ambiguities) == 0:
					clean++
				}
			})
			t.Logf("%s: %d letters, %d without ambiguity, %d over a limit", folder, total, clean, limited)
			if clean*2 < total {
				t.Errorf("%d of %d letters are called ambiguous", total-clean, total)
			}
		})
	}
}

// checkStored holds what does not depend on the letter's content.
func checkStored(t *testing.T, data []byte) {
	t.Helper()
	w := letter.NewWalker(letter.Limits{})
	w.Write(data)
	s, err := w.Close()
	checkRanges(t, s, int64(len(data)))
	checkMarshal(t, s)
	if err != nil {
		return
	}
	if got, want := string(w.Header()), string(data[:s.HeaderSize]); got != want {
		t.Fatalf("header %q, want %q", got, want)
	}
	var joined []byte
	for f := range letter.FieldsOf(data[:s.HeaderSize]) {
		joined = append(joined, f.Raw...)
	}
	if rest := data[len(joined):s.HeaderSize]; !bytes.HasPrefix(data, joined) || len(bytes.TrimRight(rest, "\r\n")) > 0 {
		t.Fatalf("fields %q do not add up to the header", joined)
	}
}

// TestCorpusAgainstStandardLibrary compares the parts of well-formed multiparts
// with what mime/multipart finds: their number and each one's octets.
func TestCorpusAgainstStandardLibrary(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, folder := range []string{"eml", "eml-direct", "imip-eml"} {
		eachLetter(t, folder, func(t *testing.T, name string, data []byte) {
			data = crlf(data)
			w := letter.NewWalker(letter.Limits{})
			w.Write(data)
			s, err := w.Close()
			if err != nil {
				return
			}
			want, sound := standardParts(data)
			if !sound || slices.ContainsFunc(s.Ambiguities, divided) {
				return
			}
			if name == "malformed_000.eml" { // the boundary ":foo" makes "--:foo" a field there
				return
			}
			compared++
			if len(want) != len(s.Root.Children) {
				t.Errorf("%s: %d parts, mime/multipart finds %d", name, len(s.Root.Children), len(want))
				return
			}
			for i, p := range s.Root.Children {
				if m := p.Message(); m != nil && m.Size() == 0 {
					want[i] = append(want[i], "\r\n"...) // a header keeps its line end
				}
				if got := data[p.Body.Start:p.Body.End]; !bytes.Equal(got, want[i]) {
					t.Errorf("%s part %d: %d octets, mime/multipart finds %d", name, i+1, len(got), len(want[i]))
				}
			}
		})
	}
	t.Logf("%d multiparts compared", compared)
	if compared < 50 {
		t.Errorf("only %d letters compared", compared)
	}
}

// divided reports whether a verdict leaves open where parts begin and end.
func divided(reason string) bool {
	return reason == "mime-type-repeated" || strings.HasPrefix(reason, "mime-boundary-")
}

// standardParts returns the bodies of the top parts as the standard library reads
// them; false if it finds the letter malformed or not multipart.
func standardParts(data []byte) (parts [][]byte, sound bool) {
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return nil, false
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" {
		return nil, false
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts, true
		}
		if err != nil {
			return nil, false
		}
		body, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		parts = append(parts, body)
	}
}

// hostileManifest is the part of hostile/MANIFEST.json that is used here.
type hostileManifest struct {
	Vectors []struct {
		File   string `json:"file"`
		Class  string `json:"cls"`
		Expect struct {
			MaxMS int `json:"max_ms"`
		} `json:"expect"`
	} `json:"vectors"`
}

// TestHostileLetters walks the hostile letters. Each one made to be ambiguous gets
// a verdict or breaks a limit; forged senders are no author; all within the time
// that the manifest gives, five seconds by default.
func TestHostileLetters(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "hostile")
	text, err := os.ReadFile(filepath.Join(dir, "MANIFEST.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m hostileManifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	walkedOnes := 0
	for _, v := range m.Vectors {
		name, isLetter := strings.CutPrefix(v.File, "eml/")
		if !isLetter {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, "eml", name))
		if err != nil {
			t.Fatal(err)
		}
		walkedOnes++
		limit := 5 * time.Second
		if v.Expect.MaxMS > 0 {
			limit = time.Duration(v.Expect.MaxMS) * time.Millisecond
		}
		start := time.Now()
		got := walkChunks(data, letter.Limits{}, func() int { return 4096 })
		if took := time.Since(start); took > limit {
			t.Errorf("%s took %v", name, took)
		}
		checkRanges(t, got.Structure, int64(len(data)))
		checkMarshal(t, got.Structure)
		if v.Class == "eml.ambiguity" && got.Err == "<nil>" && len(got.Structure.Ambiguities) == 0 {
			t.Errorf("%s has no verdict", name)
		}
		if want, known := hostileReasons()[strings.TrimSuffix(name, ".eml")]; known &&
			!slices.Contains(append(got.Structure.Ambiguities, got.Err), want) {
			t.Errorf("%s: got %v %v, want %s", name, got.Structure.Ambiguities, got.Err, want)
		}
	}
	if walkedOnes == 0 {
		t.Error("the manifest names no letter")
	}
}

// hostileReasons is the reason that each hostile letter was made for.
func hostileReasons() map[string]string {
	return map[string]string{
		"amb-b64-junk": "base64-junk", "amb-b64-nul": "octet-nul", "amb-b64-url": "name-executable",
		"amb-binhex": "content-binhex", "amb-bound-2231": "mime-boundary-continued",
		"amb-bound-dup-param": "mime-boundary-repeated", "amb-bound-empty": "mime-boundary-empty",
		"amb-bound-long": "mime-boundary-too-long", "amb-bound-nonascii": "mime-boundary-octets",
		"amb-bound-prefix": "mime-boundary-prefix", "amb-ct-missing-type": "mime-type-malformed",
		"amb-ct-space-slash": "mime-type-malformed", "amb-cte-comment": "mime-comment",
		"amb-cte-space": "mime-encoding-malformed", "amb-cte-trail": "mime-encoding-malformed",
		"amb-cte-x": "mime-encoding-unknown", "amb-dup-ct": "mime-type-repeated",
		"amb-dup-cte2": "mime-encoding-repeated", "amb-external-body": "mime-external-body",
		"amb-external-local": "mime-external-body", "amb-header-end-ws": "header-blank-fold",
		"amb-mime-version-missing": "mime-version-missing", "amb-name-mismatch": "name-content-mismatch",
		"amb-no-close": "mime-boundary-unclosed", "amb-plain-b64": "name-executable",
		"amb-preamble": "mime-preamble", "amb-qp": "name-executable",
		"amb-qp-lower": "quoted-printable-lower-case", "amb-rfc822-b64": "mime-encoded-message",
		"amb-tnef": "content-tnef", "amb-uuencode": "content-uuencode",
		"amb-zip-no-ext": "name-content-mismatch",
		"hdr-bare-cr":    "octet-bare-cr", "hdr-no-colon": "header-line-malformed",
		"hdr-1mb-line": "letter-line-too-long", "hdr-20k": "letter-too-many-fields",
		"hdr-fold-100k": "letter-field-too-long", "refs-100k": "letter-field-too-long",
		"rfc2231-flood": "letter-field-too-long", "addr-100k": "letter-field-too-long",
		"ew-100k": "letter-line-too-long", "group-nest": "letter-line-too-long",
		"nest-1000": "letter-too-deep", "nest-mixed-kinds": "letter-too-deep",
		"nest-rfc822-500": "letter-too-deep", "parts-100k": "letter-too-many-parts",
		"parts-attach-20k": "letter-too-many-parts",
	}
}

// TestHostileAuthors holds which of the hostile senders is an author. The others
// name exactly one address, and their trick is in the name shown beside it.
func TestHostileAuthors(t *testing.T) {
	t.Parallel()
	dir := corpus(t, "hostile/eml")
	for name, want := range map[string]string{
		"two-from": "from-twice", "two-from-other-order": "from-twice", "from-case": "from-twice",
		"from-space-colon": "from-twice", "from-folded": "from-several", "from-comment": "from-malformed",
		"from-route": "from-malformed", "from-truncate": "from-malformed",
		"from-bidi": "", "from-display-addr": "", "from-encoded-addr": "", "from-homoglyph": "",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := letter.Author(data)
		if got := reason(err); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if want == "" && a.Local() != "dr.martin" {
			t.Errorf("%s: another author", name)
		}
	}
}
