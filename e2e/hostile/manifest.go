package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/demo"
)

// manifest is MANIFEST.json.
type manifest struct {
	Identities map[string]string `json:"identities"`
	Limits     struct {
		MaxMS    int64 `json:"max_ms"`
		MaxRSSMB int64 `json:"max_rss_mb"`
	} `json:"global_limits"`
	Vectors []vector `json:"vectors"`
	all     []vector // those of other kinds too
	dir     string
}

// vector is one entry of the manifest with its script.
type vector struct {
	File       string   `json:"file"`
	Class      string   `json:"cls"`
	Title      string   `json:"title"`
	Target     string   `json:"target"`
	Invariants []string `json:"invariants"`
	Marker     string   `json:"marker"`
	Expect     struct {
		Outcome string  `json:"outcome"`
		Code    string  `json:"code"`
		MaxS    float64 `json:"max_s"`
		MaxMS   int64   `json:"max_ms"`
		Then    string  `json:"then"`
	} `json:"expect"`
	script script
	cases  []attempt // of a vector that lists cases
	raw    []byte    // of a vector that is a file
}

// kind is the first element of the vector's path.
func (v vector) kind() string {
	kind, _, _ := strings.Cut(v.File, "/")
	return kind
}

// carried reports whether the vector is a file that a letter carries.
func (v vector) carried() bool { return slices.Contains([]string{"zip", "xml", "ics"}, v.kind()) }

// listed reports whether the vector is a list of cases for the web.
func (v vector) listed() bool { return v.kind() == "web" }

// script is the vector's own file.
type script struct {
	Name   string                       `json:"name"`
	Steps  []map[string]json.RawMessage `json:"steps"`
	Assert struct {
		Delivered       *int    `json:"delivered"`
		MaxDelivered    *int    `json:"max_delivered"`
		SmuggledSubject string  `json:"smuggled_subject"`
		BodyB64         *string `json:"body_b64"`
	} `json:"assert_"`
}

// control reports whether the vector is legal mail that has to be accepted.
func (v vector) control() bool { return strings.HasPrefix(v.Expect.Outcome, "accept") }

// fits reports whether the vector is a file that has to be filed.
func (v vector) fits() bool {
	return v.Expect.Outcome == "accept-filed" || v.Expect.Outcome == "accept-shown"
}

// holds reports whether the vector lists the invariant.
func (v vector) holds(name string) bool { return slices.Contains(v.Invariants, name) }

// name is the file's base name without its ending.
func (v vector) name() string { return strings.TrimSuffix(filepath.Base(v.File), ".json") }

// readManifest reads the vectors of dir whose first path element is in kinds.
func readManifest(dir string, kinds []string) (*manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, "MANIFEST.json"))
	if err != nil {
		return nil, err
	}
	m := new(manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("MANIFEST.json: %w", err)
	}
	m.all = slices.Clone(m.Vectors)
	m.Vectors = slices.DeleteFunc(m.Vectors, func(v vector) bool {
		return !slices.Contains(kinds, v.kind())
	})
	m.dir = dir
	for i, v := range m.Vectors {
		if m.Vectors[i], err = m.read(v); err != nil {
			return nil, err
		}
	}
	if m.Limits.MaxMS == 0 {
		m.Limits.MaxMS = 5000
	}
	if m.Limits.MaxRSSMB == 0 {
		m.Limits.MaxRSSMB = 64
	}
	return m, nil
}

// read returns a vector with its file.
func (m *manifest) read(v vector) (vector, error) {
	data, err := os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(v.File)))
	if err != nil {
		return v, err
	}
	if v.carried() {
		v.raw = data
		return v, nil
	}
	var into any = &v.script
	if v.listed() {
		into = &struct{ Cases *[]attempt }{&v.cases}
	}
	if err := json.Unmarshal(data, into); err != nil {
		return v, fmt.Errorf("%s: %w", v.File, err)
	}
	return v, nil
}

// mapping replaces the manifest's identities by the demo's people.
type mapping struct{ replacer *strings.Replacer }

// newMapping maps the addresses first, then the domains, longest first, so that
// other local parts of a mapped domain follow their domain.
func newMapping(ids map[string]string, f *fixture) mapping {
	onto := map[string]string{
		"dr": f.hospital.Boxes[0].Address, "dr2": f.city.Boxes[0].Address,
		"pat": f.patients.Boxes[0].Address, "pat2": f.patients.Boxes[1].Address,
		"hosp": f.hospital.Domains[0], "lab": f.city.Domains[0], "pdom": f.patients.Domains[0],
	}
	var pairs [][2]string
	for id, to := range onto {
		if from := ids[id]; from != "" {
			pairs = append(pairs, [2]string{from, to})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return len(b[0]) - len(a[0])
	})
	var flat []string
	for _, p := range pairs {
		flat = append(flat, p[0], p[1])
	}
	return mapping{strings.NewReplacer(flat...)}
}

var bdatLine = regexp.MustCompile(`(?i)^BDAT ([0-9]+)((?: LAST)?)\r\n`)

// text maps what a script sends. Where the identities inside a chunk change its
// length, the chunk's announced size follows.
func (m mapping) text(s string) string {
	at := strings.Index(strings.ToUpper(s), "BDAT ")
	if at < 0 {
		return m.replacer.Replace(s)
	}
	head, rest := s[:at], s[at:]
	match := bdatLine.FindStringSubmatch(rest)
	if match == nil {
		return m.replacer.Replace(s)
	}
	size, err := strconv.Atoi(match[1])
	chunk := rest[len(match[0]):]
	if err != nil || size > len(chunk) {
		return m.replacer.Replace(s)
	}
	mapped := m.replacer.Replace(chunk[:size])
	line := rest[:len("BDAT ")] + strconv.Itoa(len(mapped)) + match[2] + "\r\n"
	return m.replacer.Replace(head) + line + mapped + m.text(chunk[size:])
}

// operatorOf finds the target's operator and host:port.
func (f *fixture) target(v vector) (addr string, implicit bool, err error) {
	switch v.Target {
	case "operator-mx":
		return f.patients.MX, false, nil
	case "submission":
		return f.hospital.Submission, false, nil
	case "submissions":
		return f.hospital.Submissions, true, nil
	}
	return "", false, fmt.Errorf("no listener plays the target %q", v.Target)
}

// fixture is the running demo as the vectors see it.
type fixture struct {
	ready                    demo.Ready
	hospital, city, patients demo.Operator
	// fictitious are the people of the folder's own controls, by kind of vector;
	// strangers the others whom its files name.
	fictitious map[string]demo.Person
	strangers  []demo.Person
}
