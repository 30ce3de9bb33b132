package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/demo"
)

// known are the files that an operator's folder may hold.
var known = regexp.MustCompile(`^(vaguemestre\.toml|(roots|issuers|operator)\.pem|operator\.key|platform\.key|log\.jsonl|store\.db(-wal|-shm|\.lock)?|blobs/.*|trust/.*|spool/.*)$`)

// confined holds that no file was made outside of the places that we make: a name
// taken from a package would show.
func (c *court) confined() error {
	for _, dir := range c.w.dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err == nil && !known.MatchString(filepath.ToSlash(rel)) {
				err = fmt.Errorf("path-confined: a file that nobody expects: %s", rel)
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// inside holds that the server talks to loopback only.
func (w *witness) inside() error {
	ours := map[string]bool{}
	dir := fmt.Sprintf("/proc/%d/fd", w.run.pid())
	fds, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, fd := range fds {
		if target, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && strings.HasPrefix(target, "socket:[") {
			ours[strings.Trim(target, "socket:[]")] = true
		}
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue // this kernel has no such table
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 10 || !ours[fields[9]] {
				continue
			}
			remote, _, _ := strings.Cut(fields[2], ":")
			local := []string{"00000000", "0100007F", strings.Repeat("0", 32), "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
			if !slices.Contains(local, remote) {
				f.Close()
				return fmt.Errorf("no-fetch: the server is connected to %s", remote)
			}
		}
		f.Close()
	}
	return nil
}

// fictitious reads the patient whom the vectors of documents name from the
// folder's own control.
func fictitious(dir string, all []vector) (demo.Person, bool) {
	for _, v := range all {
		if v.Expect.Outcome != "accept-filed" || !strings.HasPrefix(v.File, "xml/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(v.File)))
		if err != nil {
			continue
		}
		first := func(pattern string) string {
			if m := regexp.MustCompile(pattern).FindSubmatch(text); m != nil {
				return string(m[1])
			}
			return ""
		}
		birth := first(`<birthTime value="(\d{8})`)
		p := demo.Person{
			Kind: "PATIENT", Name: "Patient fictif", INSOID: first(`<patientRole><id root="([^"]+)"`), INS: first(`<patientRole><id [^>]*extension="([^"]+)"`),
			Family: first(`<family[^>]*>([^<]+)`), Given: first(`<given[^>]*>([^<]+)`), Sex: first(`<administrativeGenderCode code="([^"]+)"`),
		}
		if len(birth) == 8 && p.INS != "" {
			p.BirthDate = birth[:4] + "-" + birth[4:6] + "-" + birth[6:]
			return p, true
		}
	}
	return demo.Person{}, false
}

// people writes the file of --people: one patient at the operator of patients.
func people(file string, p demo.Person, domain string) error {
	p.Address = "fictif@" + domain
	data, err := json.Marshal([]demo.Person{p})
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
