package node_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/node"
)

//nolint:gochecknoglobals // a flag of the test binary
var update = flag.Bool("update", false, "write the sample configuration file anew")

func sample(t testing.TB) string {
	t.Helper()
	data, err := node.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheSampleFileIsTheOneThatTheProgramWrites(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "docs", "vaguemestre.sample.toml")
	want := sample(t)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // a page of documentation
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go test ./node -update writes it (-want +got)\n%s", diff)
	}
	if _, err := node.Parse(got, "/etc/vaguemestre"); err != nil {
		t.Errorf("the sample does not pass its own check: %v", err)
	}
}

func TestEveryKeyOfTheSampleIsExplained(t *testing.T) {
	t.Parallel()
	lines := strings.Split(sample(t), "\n")
	for i, line := range lines {
		if strings.Contains(line, " = ") && !strings.HasPrefix(line, "#") && (i == 0 || !strings.HasPrefix(lines[i-1], "#")) {
			t.Errorf("line %d has no comment: %s", i+1, line)
		}
	}
}

func TestAConfigurationIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	c, err := node.Parse([]byte(sample(t)+"[workers.routes]\n\"ville.mss.example\" = [\"mx.ville.mss.example\", \"10.0.0.1:25\"]\n"), "/etc")
	if err != nil {
		t.Fatal(err)
	}
	again, err := node.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	back, err := node.Parse(again, "/etc")
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	twice, err := node.Marshal(back)
	if err != nil || !bytes.Equal(again, twice) {
		t.Errorf("%v (-once +twice)\n%s", err, cmp.Diff(string(again), string(twice)))
	}
	if back.Workers.Routes["ville.mss.example"][1] != "10.0.0.1:25" || back.Trust.Every != c.Trust.Every {
		t.Errorf("got %+v", back)
	}
}

func TestErrorsNameTheLineAndWhatToDo(t *testing.T) {
	t.Parallel()
	good := sample(t)
	line := func(key string) int { // of a key that stands alone in its line
		for i, l := range strings.Split(good, "\n") {
			if strings.HasPrefix(l, key) {
				return i + 1
			}
		}
		t.Fatalf("%s is not in the sample", key)
		return 0
	}
	for _, c := range []struct {
		name, old, now string
		line           int
		want           []string
	}{
		{"a key with a letter too much", "mx = ", "mxx = ", line("mx"), []string{`unknown key "listen.mxx"`, `did you mean "listen.mx"?`}},
		{"an unknown table", "[workers]", "[worker]", line("[workers]"), []string{`unknown key "worker"`, `did you mean "workers"?`}},
		{"a key like no other", "mx = ", "zzzzzzzzzzzz = ", line("mx"), []string{`unknown key "listen.zzzzzzzzzzzz"`}},
		{"a text for a truth", "relay = true", "relay = 'yes'", line("relay"), nil},
		{"no end of a text", "kind = 'professional'", "kind = 'professional", line("kind"), nil},
		{"a duration without unit", "every = '1h0m0s'", "every = '60'", line("every"), []string{`"90s" or "24h"`}},
		{"a negative duration", "every = '1h0m0s'", "every = '-1h'", line("every"), []string{"trust.every is -1h0m0s"}},
		{"a kind that is none", "'professional'", "'hospital'", line("kind"), []string{`operator.kind is "hospital"`, `"professional" or "patient"`}},
		{"a name with a space", "'chu-riviere'", "'CHU Riviere'", line("name"), []string{"operator.name"}},
		{"a host that is none", "'mx.chu-riviere.mss.example'", "'mx'", line("host"), []string{`operator.host is "mx"`}},
		{"a domain that is none", "['chu-riviere.mss.example']", "['chu_riviere']", line("domains"), []string{`"chu_riviere"`}},
		{"a store of another kind", "'sqlite:/var/lib/vaguemestre/store.db'", "'mysql://root:secret@db'", line("store"), []string{"storage.store has another form", "postgres://"}},
		{"a store that comes later", "'file:/var/lib/vaguemestre/blobs'", "'s3:bucket'", line("blob"), []string{"storage.blob names s3:, which is not built yet"}},
		{"a bus that comes later", "'mem:'", "'redis://localhost'", line("bus"), []string{"storage.bus names redis:, which is not built yet"}},
		{"a door without port", "':25'", "'localhost'", line("mx"), []string{`listen.mx is "localhost"`}},
		{"a certificate without its key", "key = '/etc/vaguemestre/web.key'", "key = ''", line("cert = '/etc/vaguemestre/web"), []string{"web.cert and web.key go together"}},
		{"a name with a scheme", "'espace.chu", "'https://espace.chu", line("hosts"), []string{"web.hosts holds", "without https://"}},
		{"a subject that is none", "'CN=signature", "'signature", line("signer_dn"), []string{"trust.signer_dn"}},
		{"a negative limit", "connections = 0", "connections = -1", line("connections = "), []string{"limits.connections is -1"}},
		{"a letter over 4 GiB", "max_size = 0", "max_size = 4294967296", line("max_size"), []string{"limits.max_size is 4294967296"}},
		{"a level that is none", "level = ''", "level = 'loud'", line("level"), []string{`log.level is "loud"`}},
	} {
		if !strings.Contains(good, c.old) {
			t.Errorf("%s: %q is not in the sample", c.name, c.old)
			continue
		}
		_, err := node.Parse([]byte(strings.Replace(good, c.old, c.now, 1)), "/etc")
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		for _, want := range append(c.want, fmt.Sprintf("line %d", c.line)) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in %q", c.name, want, err)
			}
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a password is printed: %v", c.name, err)
		}
	}
}

func TestEverythingThatIsWrongIsToldAtOnceAndInOrder(t *testing.T) {
	t.Parallel()
	var first string
	for range 20 { // maps have no order of their own
		_, err := node.Parse([]byte("[operator]\nkind = 'x'\nhost = 'y'\n[workers.routes]\n'a b' = ['c']\n"), "/etc")
		if fault.Reason(err) != "config-incomplete" {
			t.Fatalf("got %v", err)
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Fatalf("another order:\n%s\n%s", first, err)
		}
	}
	lines := strings.Split(first, "\n")
	for i, want := range []string{"line 2: operator.kind", "line 3: operator.host", "line 5: workers.routes.a b"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d of the answer is %q, want %q", i, lines[i], want)
		}
	}
	for _, missing := range []string{"operator.name", "operator.domains", "storage.store", "storage.blob", "storage.platform_key", "certificate.cert", "trust.roots", "trust.whitelist"} {
		if !strings.Contains(first, "\n"+missing+" ") {
			t.Errorf("%s is not missed in\n%s", missing, first)
		}
	}
}

func TestAFileIsLoadedWithItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "vaguemestre.toml")
	if err := os.WriteFile(file, []byte(strings.Replace(sample(t), "file = ''", "file = 'logs/node.jsonl'", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := node.Load(file)
	if err != nil || c.LogFile() != filepath.Join(dir, "logs", "node.jsonl") {
		t.Errorf("log %q, %v", c.LogFile(), err)
	}
	if _, err := node.Load(filepath.Join(dir, "other.toml")); fault.Reason(err) != "config-missing" {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample(f)))
	f.Add([]byte("[operator]\nname = \"a\"\ndomains = [\"b\"]\n"))
	f.Add([]byte("operator = { name = \"x\", kind = \"patient\" }\n[[listen]]\n"))
	f.Add([]byte("\"a.b\".c = 1\n[workers.routes]\nx = [\"y\", \"z:1\"]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := node.Parse(data, "/etc")
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("another kind of error: %v", err)
			}
			return
		}
		again, err := node.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := node.Parse(again, "/etc"); err != nil {
			t.Errorf("what is written cannot be read: %v\n%s", err, again)
		}
	})
}
