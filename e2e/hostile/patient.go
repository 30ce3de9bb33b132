package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/demo"
)

// mostStrangers bounds the people who are added because a vector names them.
const mostStrangers = 8

// clinical is what this runner reads of a clinical document.
type clinical struct {
	XMLName xml.Name `xml:"urn:hl7-org:v3 ClinicalDocument"`
	Records []struct {
		IDs []struct {
			Root      string `xml:"root,attr"`
			Extension string `xml:"extension,attr"`
		} `xml:"id"`
		Families []name `xml:"patient>name>family"`
		Givens   []name `xml:"patient>name>given"`
		Sex      struct {
			Code string `xml:"code,attr"`
		} `xml:"patient>administrativeGenderCode"`
		Birth struct {
			Value string `xml:"value,attr"`
		} `xml:"patient>birthTime"`
	} `xml:"recordTarget>patientRole"`
}

// name is one part of a name.
type name struct {
	Qualifier string `xml:"qualifier,attr"`
	Text      string `xml:",chardata"`
}

// birth is the part that was given at birth, else the first.
func birth(all []name) string {
	for _, n := range all {
		if n.Qualifier == "BR" {
			return n.Text
		}
	}
	if len(all) > 0 {
		return all[0].Text
	}
	return ""
}

// inflated returns the vector's octets, and of an archive what can be read of it, as
// far as this is little.
func (v vector) inflated() [][]byte {
	all := [][]byte{v.raw}
	pack, err := zip.NewReader(bytes.NewReader(v.raw), int64(len(v.raw)))
	if err != nil {
		return all
	}
	for i, f := range pack.File {
		if i == 20 {
			break
		}
		all = append(all, []byte(f.Name))
		r, err := f.Open()
		if err != nil {
			continue
		}
		data, _ := io.ReadAll(io.LimitReader(r, 1<<20)) // what can be read
		r.Close()
		all = append(all, data)
	}
	return all
}

// patientOf reads whom a control's document names.
func patientOf(v vector) (demo.Person, bool) {
	for _, text := range v.inflated() {
		var d clinical
		if xml.Unmarshal(text, &d) != nil || len(d.Records) == 0 || len(d.Records[0].IDs) == 0 {
			continue
		}
		r := d.Records[0]
		p := demo.Person{
			Kind: "PATIENT", Name: "Patient fictif", INSOID: r.IDs[0].Root, INS: r.IDs[0].Extension,
			Family: birth(r.Families), Given: birth(r.Givens), Sex: r.Sex.Code,
		}
		if b := r.Birth.Value; len(b) >= 8 {
			p.BirthDate = b[:4] + "-" + b[4:6] + "-" + b[6:8]
			return p, true
		}
	}
	return demo.Person{}, false
}

var (
	inMetadata = regexp.MustCompile(`([0-9AB]{15})\^\^\^&(?:amp;)?([0-9.]+)&`)
	inHeader   = regexp.MustCompile(`<id root="([0-9.]+)" extension="([0-9AB]{15})"`)
)

// company is who has to be added to the cast for these vectors: the patient of each
// kind's control, and others whom files name under the same authority.
func company(dir string, all []vector) (own map[string]demo.Person, strangers []demo.Person, err error) {
	own = make(map[string]demo.Person)
	var files []vector
	for _, v := range all {
		if v.kind() != "zip" && v.kind() != "xml" {
			continue
		}
		if v.raw, err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(v.File))); err != nil {
			return nil, nil, err
		}
		files = append(files, v)
		if v.Expect.Outcome != "accept-filed" {
			continue
		}
		if p, found := patientOf(v); found {
			own[v.kind()] = p
		}
	}
	seen := make(map[string]bool)
	for _, p := range own {
		seen[p.INSOID+" "+p.INS] = true
	}
	for _, v := range files {
		like, known := own[v.kind()]
		for _, text := range v.inflated() {
			if !known || len(strangers) == mostStrangers {
				break
			}
			for _, id := range slices.Concat(swapped(inMetadata.FindAllSubmatch(text, 10)), inHeader.FindAllSubmatch(text, 10)) {
				p := like
				p.INSOID, p.INS = string(id[1]), string(id[2])
				if key := p.INSOID + " " + p.INS; p.INSOID == like.INSOID && !seen[key] {
					seen[key] = true
					strangers = append(strangers, p)
				}
			}
		}
	}
	return own, strangers, nil
}

// swapped puts the authority first.
func swapped(all [][][]byte) [][][]byte {
	for _, m := range all {
		m[1], m[2] = m[2], m[1]
	}
	return all
}

// people writes the file of --people, with an address for each person.
func people(file, domain string, own map[string]demo.Person, strangers []demo.Person) error {
	var all []demo.Person
	add := func(p demo.Person) string {
		for _, known := range all {
			if known.INS == p.INS && known.INSOID == p.INSOID {
				return known.Address
			}
		}
		p.Address = fmt.Sprintf("fictif%d@%s", len(all)+1, domain)
		all = append(all, p)
		return p.Address
	}
	for kind, p := range own {
		p.Address = add(p)
		own[kind] = p
	}
	for i, p := range strangers {
		strangers[i].Address = add(p)
	}
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// enter finds the added people in the cast, which has their passwords.
func (f *fixture) enter(own map[string]demo.Person, strangers []demo.Person) error {
	find := func(p demo.Person) (demo.Person, error) {
		for _, b := range f.patients.Boxes {
			if strings.EqualFold(b.Address, p.Address) {
				return b, nil
			}
		}
		return p, fmt.Errorf("the cast lacks the patient whom the folder's control names")
	}
	f.fictitious = make(map[string]demo.Person)
	for kind, p := range own {
		var err error
		if f.fictitious[kind], err = find(p); err != nil {
			return err
		}
	}
	for _, p := range strangers {
		p, err := find(p)
		if err != nil {
			return err
		}
		f.strangers = append(f.strangers, p)
	}
	return nil
}
