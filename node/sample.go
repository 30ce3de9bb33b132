package node

import (
	"bytes"
	"reflect"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Sample returns the sample configuration file: every key, its comment and a
// plausible value. docs/vaguemestre.sample.toml is held to it by a test.
func Sample() ([]byte, error) {
	return Marshal(&Config{
		Operator: OperatorConfig{
			Name: "chu-riviere", Kind: "professional", Host: "mx.chu-riviere.mss.example",
			Domains: []string{"chu-riviere.mss.example"},
		},
		Storage: StorageConfig{
			Store: "sqlite:/var/lib/vaguemestre/store.db", Blob: "file:/var/lib/vaguemestre/blobs", Bus: "mem:",
			PlatformKey: "/etc/vaguemestre/platform.key",
		},
		Certificate: CertificateConfig{Cert: "/etc/vaguemestre/operator.pem", Key: "/etc/vaguemestre/operator.key"},
		Trust: TrustConfig{
			Roots: "/etc/vaguemestre/igc-roots.pem", Issuers: "/etc/vaguemestre/igc-issuers.pem",
			State: "/var/lib/vaguemestre/trust", Whitelist: "https://espacedeconfiance.example/listeblanchemssante.xml",
			SignerDN: "CN=signature.mss.example,OU=318000000000000,O=AUTORITE,ST=Paris (75),C=FR",
			CRLs:     []string{"http://igc.example/root.crl", "http://igc.example/organisations.crl"},
			Every:    Duration(time.Hour),
		},
		Listen: ListenConfig{
			MX: ":25", Submission: ":587", Submissions: ":465", IMAP: ":143", IMAPS: ":993", HTTPS: ":443",
		},
		Web:     WebConfig{Hosts: []string{"espace.chu-riviere.example"}, Cert: "/etc/vaguemestre/web.pem", Key: "/etc/vaguemestre/web.key", Help: "02 61 91 00 42, de 8 h à 20 h"},
		Workers: WorkersConfig{Relay: true, Filing: true, Sequencer: true},
	})
}

// Marshal writes a configuration as a commented file.
func Marshal(c *Config) ([]byte, error) {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).SetIndentTables(false).Encode(c); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// nearest returns the known key that is most like an unknown one, "" if none is.
func nearest(key []string) string {
	best, least := "", 4
	for _, known := range keysOf(reflect.TypeFor[Config](), "") {
		if d := distance(strings.Join(key, "."), known); d < least {
			best, least = known, d
		}
	}
	return best
}

// keysOf lists the dotted keys of a configuration struct.
func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		if name == "" {
			continue
		}
		keys = append(keys, prefix+name)
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(field.Type, prefix+name+".")...)
		}
	}
	return keys
}

// distance is the Levenshtein distance of two short ASCII strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}
