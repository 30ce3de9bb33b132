package vaguemestre_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vaguemestre/vaguemestre"

// floor is a storey of the house; imports go strictly downward.
type floor int

const (
	ground floor = iota
	house
	work
	door
	roof
	tests // test support: imports anything, imported by tests only
)

var floorNames = [...]string{"ground", "house", "work", "door", "roof", "tests"}

// rooms places every package. A package that is not here fails the test until it
// is placed: that is the moment to think about where it belongs.
var rooms = map[string]floor{
	"cmd/vaguemestre": roof, "node": roof, "demo": roof,
	"smtpd": door, "imapd": door, "imapd/front": door, "imapd/view": door,
	"web": door, "web/ui": door, "web/message": door, "web/record": door, "web/leaf": door,
	"porter": work, "delivery": work, "relay": work, "rounds": work, "lifecycle": work,
	"filing": work, "reading": work,
	"mailbox": house, "certs": house, "trust": house, "account": house,
	"outcome": house, "audit": house, "queue": house, "custody": house,
	"dmp": house, "agenda": house,
	"store": ground, "blob": ground, "seal": ground, "letter": ground,
	"pace": ground, "bus": ground, "identity": ground, "fault": ground,
	"markup": ground, "cda": ground, "xdm": ground,
	"store/migrations": ground,
	"store/storetest":  tests, "delivery/deliverytest": tests, "store/pgtest": ground, "blob/blobtest": tests, "bus/bustest": tests,
	"web/ui/uitest": tests, "web/roomtest": tests,
	"e2e": tests, "wiretest": tests, "e2e/hostile": tests, "bench": roof, "bench/vault": roof,
}

// shared packages may be imported from every floor, their own included.
var shared = []string{"identity", "fault", "markup"}

// homes lists the heavy libraries and the only packages that may import them.
var homes = map[string][]string{
	"github.com/emersion/go-smtp":           {"smtpd", "relay", "bench"},
	"github.com/emersion/go-imap/v2":        {"imapd", "bench"},
	"github.com/ProtonMail/go-crypto":       {"seal"},
	"filippo.io/age":                        {"seal"},
	"modernc.org/sqlite":                    {"store"},
	"github.com/jackc/pgx/v5":               {"store", "store/pgtest"},
	"github.com/pressly/goose/v3":           {"store"},
	"github.com/russellhaering/goxmldsig":   {"trust"},
	"github.com/beevik/etree":               {"trust"},
	"golang.org/x/mod":                      {"audit"},
	"github.com/urfave/cli/v3":              {"cmd/vaguemestre"},
	"github.com/pelletier/go-toml/v2":       {"node", "web/ui"},
	"github.com/emersion/go-sasl":           {"smtpd", "imapd"},
	"github.com/redis/go-redis/v9":          {"bus", "pace"},
	"github.com/minio/minio-go/v7":          {"blob"},
	"github.com/microcosm-cc/bluemonday":    {"web/message"},
	"github.com/emersion/go-webdav":         {"dav"},
	"github.com/jimlambrt/gldap":            {"ldapd"},
	"github.com/go-webauthn/webauthn":       {"porter"},
	"github.com/rogpeppe/go-internal":       {},
	"go.uber.org/goleak":                    {},
	"pgregory.net/rapid":                    {},
	"github.com/google/go-cmp":              {},
	"github.com/emersion/go-message":        {"letter", "imapd"},
	"golang.org/x/time":                     {"pace"},
	"github.com/prometheus/client_golang":   {"node"},
	"github.com/coreos/go-systemd/v22":      {"node"},
	"github.com/pires/go-proxyproto":        {"node"},
	"github.com/smallstep/pkcs7":            {"certs", "web"},
	"github.com/gabriel-vasile/mimetype":    {"dmp"},
	"github.com/teambition/rrule-go":        {"agenda"},
	"github.com/emersion/go-ical":           {"agenda"},
	"github.com/nicksnyder/go-i18n/v2":      {"web/ui"},
	"github.com/pquerna/otp":                {"account"},
	"golang.org/x/crypto":                   {"account"},
	"golang.org/x/net":                      {"web/message"},
	"github.com/boombuler/barcode":          {"web"},
	"github.com/SherClockHolmes/webpush-go": {"relay"},
}

// TestImportsGoDownward holds the import rules of the house: every package is
// placed, nothing imports its own floor or a higher one, and each heavy library
// has one home.
func TestImportsGoDownward(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (file == "tools" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && file != ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(file) != ".go" || path.Dir(filepath.ToSlash(file)) == "." {
			return nil
		}
		pkg := path.Dir(filepath.ToSlash(file))
		found[pkg] = true
		at, placed := rooms[pkg]
		if !placed {
			t.Errorf("%s: package %q has no place in the house: add it to rooms, on the floor where it belongs", file, pkg)
			return nil
		}
		if at == tests || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range parsed.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			checkImport(t, file, pkg, at, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"store", "seal", "letter", "mailbox", "smtpd", "imapd", "cmd/vaguemestre"} {
		if !found[must] {
			t.Errorf("package %s was not seen: does the walk still reach it?", must)
		}
	}
}

func checkImport(t *testing.T, file, pkg string, at floor, name string) {
	t.Helper()
	rest, inside := strings.CutPrefix(name, module+"/")
	switch {
	case inside:
		checkInside(t, file, pkg, at, rest)
	case !strings.Contains(strings.SplitN(name, "/", 2)[0], "."): // standard library
		if at == house && (name == "net/http" || name == "net/smtp") {
			t.Errorf("%s: house %s imports %s: houses speak no protocols", file, pkg, name)
		}
	case slices.Contains(shared, pkg):
		t.Errorf("%s: %s imports the standard library only, not %s", file, pkg, name)
	default:
		for lib, at := range homes {
			if (name == lib || strings.HasPrefix(name, lib+"/")) && !slices.Contains(at, pkg) {
				t.Errorf("%s: %s is imported outside its home %v", file, name, at)
			}
		}
	}
}

func checkInside(t *testing.T, file, pkg string, at floor, target string) {
	t.Helper()
	to, placed := rooms[target]
	switch {
	case !placed:
		t.Errorf("%s: imports %s, which has no place in the house", file, target)
	case slices.Contains(shared, pkg) && target != "fault":
		t.Errorf("%s: %s imports the standard library and fault only, not %s", file, pkg, target)
	case slices.Contains(shared, target):
	case to == tests:
		t.Errorf("%s: imports test support %s", file, target)
	case strings.HasPrefix(target, pkg+"/"): // a room of its own house
	case to == at && sameHouse(pkg, target): // another room of the same house
	case strings.Contains(target, "/") && to != ground:
		t.Errorf("%s: imports %s, a room of another house", file, target)
	case at == roof && to == roof: // cmd over demo over node
	case at == work && target == "delivery": // works may import delivery
	case to >= at:
		t.Errorf("%s: %s (%s) imports %s (%s): imports go strictly downward", file, pkg, floorNames[at], target, floorNames[to])
	}
}

// sameHouse reports whether two rooms belong to one house.
func sameHouse(a, b string) bool {
	house, _, room := strings.Cut(a, "/")
	other, _, otherRoom := strings.Cut(b, "/")
	return room && otherRoom && house == other
}
