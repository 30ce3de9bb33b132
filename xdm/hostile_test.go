package xdm_test

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// Where a vector is refused.
const (
	byOpen     = "open"
	byDocument = "document"
	// later: the package is sound, and what is wrong with it this package cannot see.
	later = "later"
	never = "never"
)

// vectors says for each hostile archive who refuses it and why. For those that open,
// why names who does: the identity checks and the document checks of filing.
var vectors = map[string]struct{ by, why string }{
	"control-valid-xdm": {never, "filed once"},

	"count-lie":              {byOpen, "zip-too-many-entries"},
	"crc-bad":                {byOpen, "zip-crc"},
	"deflate-stored-endless": {byOpen, "zip-malformed"}, // 0.5 MB of empty blocks, and no last one
	"dir-with-data":          {byOpen, "zip-special-entry"},
	"dup-case":               {byOpen, "zip-duplicate-name"},
	"dup-meta":               {byOpen, "zip-duplicate-name"},
	"dup-name":               {byOpen, "zip-duplicate-name"},
	"eicar-nested":           {byOpen, "zip-nested"},
	"encrypted":              {byOpen, "zip-encrypted"},
	"entries-9000":           {byOpen, "zip-too-many-entries"},
	"fifo-setuid":            {byOpen, "zip-special-entry"},
	"hash-mismatch":          {byDocument, "xdm-size-mismatch"}, // states a wrong size and a wrong hash
	"meta-xxe":               {byOpen, "xml-dtd"},
	"method-12-14":           {byOpen, "zip-method"},
	"multidisk":              {byOpen, "zip-malformed"},
	"nested-42":              {byOpen, "xdm-no-metadata"}, // archives only: nothing to inflate them for
	"no-cd":                  {byOpen, "zip-malformed"},
	"overlap":                {byOpen, "zip-too-many-entries"}, // and zip-overlap: see TestBombsWithoutTheFirstLimit
	"path-absolute":          {byOpen, "zip-path"},
	"path-colon-ads":         {byOpen, "zip-path"},
	"path-ctrl":              {byOpen, "zip-path"},
	"path-deep":              {byOpen, "zip-path"},
	"path-dot-segments":      {byOpen, "zip-path"},
	"path-dotdot":            {byOpen, "zip-path"},
	"path-dotdot-deep":       {byOpen, "zip-path"},
	"path-drive":             {byOpen, "zip-path"},
	"path-fullwidth":         {byOpen, "zip-path"},
	"path-nul":               {byOpen, "zip-path"},
	"path-pct":               {byOpen, "zip-path"},
	"path-trailing-space":    {byOpen, "zip-path"},
	"prefix-polyglot-pdf":    {byOpen, "zip-ambiguous"},
	"quoted-overlap":         {byOpen, "zip-too-many-entries"},
	"ratio-300mb":            {byOpen, "zip-too-large"},
	"size-lie":               {byOpen, "zip-malformed"},
	"symlink-abs":            {byOpen, "zip-special-entry"},
	"symlink-dir-write":      {byOpen, "zip-special-entry"},
	"symlink-doc":            {byOpen, "zip-special-entry"},
	"trailing":               {byOpen, "zip-ambiguous"},
	"two-eocd":               {byOpen, "zip-ambiguous"},
	"unicode-path-extra":     {byOpen, "zip-ambiguous"},
	"unlisted-doc":           {byOpen, "xdm-document-unlisted"},
	"uri-http":               {byOpen, "xdm-uri"},
	"uri-missing":            {byOpen, "xdm-document-missing"},
	"uri-traversal":          {byOpen, "xdm-uri"},
	"zip64-lie":              {byOpen, "zip-too-large"},

	"eicar":              {later, "the document is no CDA: the test virus alone"},
	"mime-lie":           {later, "the document is no CDA: a program"},
	"ins-comment":        {later, "the CDA's matricule has a tab at its end: not the metadata's, and malformed"},
	"other-patient-both": {later, "metadata and CDA name a patient who is not the recipient"},
	"other-patient-cda":  {later, "the CDA names another patient than the metadata"},
	// Its identifier is its own, not the control's: only a runner that gives both one
	// identifier can see the vault refuse it.
	"uniqueid-reuse": {later, "the vault knows the identifier with other octets"},
}

// TestHostileArchives opens every hostile archive within the limits of the manifest:
// 64 MiB of memory and 2 s of processor. It is not parallel, to measure itself alone.
func TestHostileArchives(t *testing.T) {
	seen := 0
	for _, file := range corpus(t, "hostile/zip/*.zip") {
		name := strings.TrimSuffix(filepath.Base(file), ".zip")
		want, ok := vectors[name]
		if !ok {
			t.Errorf("%s: an unknown vector: look at it and say in the table what happens where", name)
			continue
		}
		seen++
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var by string
		resident, cpu := measure(t, func() { by, err = refuse(raw) })
		if by != want.by && (by != never || want.by != later) {
			t.Errorf("%s: refused by %s (%v), want %s", name, by, err, want.by)
		}
		if err != nil && fault.Reason(err) != want.why {
			t.Errorf("%s: %v, want %s", name, err, want.why)
		}
		if resident > 64<<20 || cpu > 2*time.Second {
			t.Errorf("%s: took %d KiB and %v", name, resident>>10, cpu)
		}
	}
	if seen != len(vectors) {
		t.Errorf("%d vectors of %d were there", seen, len(vectors))
	}
}

// refuse says who refuses an archive, and with what.
func refuse(raw []byte) (by string, err error) {
	p, err := xdm.Open(bytes.NewReader(raw), int64(len(raw)), xdm.Limits{})
	if err != nil {
		return byOpen, err
	}
	for _, e := range p.Documents() {
		if _, err := read(p, e); err != nil {
			return byDocument, err
		}
	}
	return never, nil
}

// read reads a document whole.
func read(p *xdm.Package, e *xdm.Entry) ([]byte, error) {
	r, err := p.Document(e)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// measure returns by how much the resident memory peaked over its start, and the
// processor time taken.
func measure(t *testing.T, f func()) (resident int64, cpu time.Duration) {
	t.Helper()
	// 5 resets the peak (proc_pid_clear_refs(5)).
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Logf("the peak of memory is not reset: %v", err)
	}
	before, start := status(t, "VmRSS"), processor(t)
	f()
	return status(t, "VmHWM") - before, processor(t) - start
}

func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// status reads a size from /proc/self/status.
func status(t *testing.T, field string) int64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s", field)
	return 0
}

// TestBombsWithoutTheFirstLimit shows that each wall holds without the one before it:
// the bombs are opened with that many entries allowed, then of any size, then of any
// ratio.
func TestBombsWithoutTheFirstLimit(t *testing.T) {
	t.Parallel()
	const any = math.MaxInt64
	for _, row := range []struct {
		vector string
		limits xdm.Limits
		want   string
	}{
		{"overlap", xdm.Limits{Entries: 10_000}, "zip-ratio"},
		{"overlap", xdm.Limits{Entries: 10_000, Ratio: any}, "zip-too-large"},
		{"overlap", xdm.Limits{Entries: 10_000, Ratio: any, Total: any}, "zip-overlap"},
		{"quoted-overlap", xdm.Limits{Entries: 10_000}, "zip-too-large"},
		{"quoted-overlap", xdm.Limits{Entries: 10_000, Ratio: any, Total: any}, "zip-overlap"},
		{"ratio-300mb", xdm.Limits{One: any, Total: any}, "zip-ratio"},
		{"ratio-300mb", xdm.Limits{One: any}, "zip-ratio"},
		{"zip64-lie", xdm.Limits{One: any, Total: any}, "zip-ratio"},
		{"zip64-lie", xdm.Limits{One: any, Total: any, Ratio: any}, "zip-ambiguous"},
	} {
		raw, err := os.ReadFile(corpus(t, "hostile/zip/"+row.vector+".zip")[0])
		if err != nil {
			t.Fatal(err)
		}
		_, err = xdm.Open(bytes.NewReader(raw), int64(len(raw)), row.limits)
		if got := fault.Reason(err); got != row.want {
			t.Errorf("%s within %+v: %v, want %s", row.vector, row.limits, err, row.want)
		}
	}
}
