package node

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Config is a node's configuration file. File names in it are relative to the
// file's own folder.
type Config struct {
	Operator    OperatorConfig    `toml:"operator" comment:"Who we are."`
	Storage     StorageConfig     `toml:"storage" comment:"Where things are kept. The defaults need nothing but a disk; PostgreSQL, S3 and Redis take their place by these three lines."`
	Certificate CertificateConfig `toml:"certificate" comment:"The operator's certificate of the trust space."`
	Trust       TrustConfig       `toml:"trust" comment:"The trust space."`
	Listen      ListenConfig      `toml:"listen" comment:"What this node opens, as host:port. An empty line leaves a door shut."`
	Web         WebConfig         `toml:"web" comment:"The patients' space on the web; it opens with listen.https at an operator of patients."`
	Workers     WorkersConfig     `toml:"workers" comment:"What this node does besides. Workers need the platform key."`
	Limits      LimitsConfig      `toml:"limits" comment:"Zero means the default."`
	Log         LogConfig         `toml:"log"`

	dir   string
	lines map[string]int // of the keys that the file sets, from 1
}

// OperatorConfig names the operator.
type OperatorConfig struct {
	Name           string   `toml:"name" comment:"Short name without spaces, for logs and the audit log's origin."`
	Kind           string   `toml:"kind" comment:"\"professional\" or \"patient\"."`
	Host           string   `toml:"host" comment:"The host name in greetings and trace fields; the certificate must hold it."`
	Domains        []string `toml:"domains" comment:"The domains whose boxes live here. Reports come from postmaster@ the first one."`
	PasswordsAlone bool     `toml:"passwords_alone" comment:"Let professionals in with an app password and no certificate. Leave it false."`
}

// StorageConfig says where things are kept.
type StorageConfig struct {
	Store       string `toml:"store" comment:"sqlite:PATH or postgres://…"`
	Blob        string `toml:"blob" comment:"file:DIR (s3: comes later)."`
	Bus         string `toml:"bus" comment:"mem: (redis: comes later). Empty: mem:"`
	Spool       string `toml:"spool" comment:"Folder for attachments while they are unpacked: unlinked, encrypted files. Empty: the system's."`
	PlatformKey string `toml:"platform_key" comment:"The key that wraps all others; made with mode 0600 when missing. Back it up apart from the rest."`
}

// CertificateConfig names the operator's certificate.
type CertificateConfig struct {
	Cert string `toml:"cert" comment:"PEM: leaf, then intermediates."`
	Key  string `toml:"key" comment:"PEM."`
}

// TrustConfig describes the trust space.
type TrustConfig struct {
	Roots      string   `toml:"roots" comment:"PEM: the anchors of IGC-Santé."`
	Issuers    string   `toml:"issuers" comment:"PEM: the issuing authorities that are accepted."`
	State      string   `toml:"state" comment:"Folder for the last good whitelist and CRLs."`
	Whitelist  string   `toml:"whitelist" comment:"https URL of the signed whitelist."`
	SignerDN   string   `toml:"signer_dn" comment:"Subject of the whitelist's signer."`
	CRLs       []string `toml:"crls" comment:"http URLs of the CRLs: first the root's, then one per issuer, in the order of the files."`
	Every      Duration `toml:"every" comment:"Time between two looks at whitelist and CRLs."`
	FailClosed Duration `toml:"fail_closed" comment:"Age at which an old whitelist is no longer relied on; zero: never."`
}

// ListenConfig names the listeners.
type ListenConfig struct {
	MX          string `toml:"mx" comment:"SMTP from other operators: STARTTLS, mutual TLS. Port 25."`
	Submission  string `toml:"submission" comment:"SMTP from people: STARTTLS. Port 587."`
	Submissions string `toml:"submissions" comment:"SMTP from people: TLS. Port 465."`
	IMAP        string `toml:"imap" comment:"STARTTLS. Port 143."`
	IMAPS       string `toml:"imaps" comment:"TLS. Port 993."`
	HTTPS       string `toml:"https" comment:"The web: the patients' space, a status page, health checks. Port 443."`
}

// WebConfig adjusts the web door.
type WebConfig struct {
	Hosts []string `toml:"hosts" comment:"Names under which people reach it, besides operator.host; a request for any other is refused. \"name\" or \"name:port\"."`
	Cert  string   `toml:"cert" comment:"PEM that browsers trust: leaf, then intermediates. Empty: the operator's certificate, of an authority that browsers do not know."`
	Key   string   `toml:"key" comment:"PEM."`
	Help  string   `toml:"help" comment:"Where people get help, shown on each page: a telephone number and hours."`
}

// WorkersConfig says what a node does besides its doors.
type WorkersConfig struct {
	Relay     bool                `toml:"relay" comment:"Carry letters to other operators."`
	Filing    bool                `toml:"filing" comment:"File documents into vaults and invitations into agendas, at an operator of patients."`
	Node      string              `toml:"node" comment:"A name that no other node of the operator has: jobs that this node left when it was killed are taken up at once. Empty: after half a minute."`
	Sequencer bool                `toml:"sequencer" comment:"Number audit leaves and sign checkpoints. One node works at a time."`
	Routes    map[string][]string `toml:"routes,omitempty" comment:"domain = [\"host name\", \"host:port\"]: instead of the DNS's MX."`
}

// LimitsConfig bounds what peers may do.
type LimitsConfig struct {
	MaxSize            int64 `toml:"max_size" comment:"Largest letter in octets, encoded. Default 26214400."`
	ConnectionsPerPeer int   `toml:"connections_per_peer" comment:"Connections from one address to one door. Default 64."`
	Connections        int   `toml:"connections" comment:"Connections to one door. Default 10000."`
	Inline             int   `toml:"inline" comment:"Largest sealed body kept in its row, in octets. Default 131072."`
}

// LogConfig says where the log goes.
type LogConfig struct {
	File  string `toml:"file" comment:"One JSON object a line; empty: standard error."`
	Level string `toml:"level" comment:"debug, info, warn or error. Default info."`
}

// Load reads and checks a configuration file. Errors tell the line and what to do.
func Load(file string) (*Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "config-missing", err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	return Parse(data, dir)
}

// Parse reads a configuration whose relative file names are below dir.
func Parse(data []byte, dir string) (*Config, error) {
	c := &Config{dir: dir}
	dec := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return nil, fault.Wrap(fault.Invalid, "config-malformed", explained(err))
	}
	c.lines = keyLines(data)
	return c, c.Check()
}

// path returns a file name of the configuration as an absolute one.
func (c *Config) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// url returns a "scheme:path" of the configuration with an absolute path.
func (c *Config) url(u string) string {
	for _, scheme := range []string{"sqlite:", "file:"} {
		if rest, ok := strings.CutPrefix(u, scheme); ok {
			return scheme + c.path(rest)
		}
	}
	return u
}
