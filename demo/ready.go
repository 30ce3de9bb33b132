package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Ready says where everything listens and who is who: a stable interface for
// programs that test the demo from outside. Host and port are joined as
// "127.0.0.1:2525"; file names are absolute.
type Ready struct {
	Authority Authority  `json:"authority"`
	Operators []Operator `json:"operators"`
}

// Authority is the sandbox authority of the trust space.
type Authority struct {
	// CAFile holds the root, in PEM; it verifies every listener.
	CAFile string `json:"ca_file"`
	// WhitelistURL serves the signed whitelist, over TLS.
	WhitelistURL string `json:"whitelist_url"`
	// CRLURL serves the revocation list of the organisations CA, over HTTP.
	CRLURL string `json:"crl_url"`
}

// Operator is one operator of the trust space and its boxes.
type Operator struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"` // "professional" or "patient"
	Domains     []string `json:"domains"`
	MX          string   `json:"mx"`
	Submission  string   `json:"submission"`
	Submissions string   `json:"submissions"`
	IMAP        string   `json:"imap"`
	IMAPS       string   `json:"imaps"`
	HTTPS       string   `json:"https"`
	CertFile    string   `json:"operator_cert_file"`
	KeyFile     string   `json:"operator_key_file"`
	Boxes       []Person `json:"boxes"`
}

// Person is a box and whoever holds it.
type Person struct {
	Address string `json:"address"`
	Kind    string `json:"kind"` // "PER", "ORG", "APP", "CAB" or "PATIENT"
	// Name is the display name; Family the birth name, Given the first birth given name.
	Name   string `json:"name"`
	Family string `json:"family"`
	Given  string `json:"given"`
	Login  string `json:"login"`
	// Password is an app password; empty for APP boxes.
	Password string `json:"password"`
	// CertFile and KeyFile are PEM files (leaf, then intermediates; key unencrypted); empty for patients.
	CertFile string `json:"cert_file"`
	KeyFile  string `json:"key_file"`
	// What follows is for patients only.
	WebLogin    string `json:"web_login"`
	WebPassword string `json:"web_password"`
	INS         string `json:"ins"`
	INSOID      string `json:"ins_oid"`
	BirthDate   string `json:"birth_date"` // YYYY-MM-DD
	Sex         string `json:"sex"`        // "M" or "F"
}

// writeJSON writes v to file atomically, readable by the owner alone.
func writeJSON(file string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // harmless once renamed
	_, err = tmp.Write(append(data, '\n'))
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	return os.Rename(tmp.Name(), file)
}
