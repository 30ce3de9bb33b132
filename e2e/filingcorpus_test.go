package e2e_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/vaguemestre/vaguemestre/cda"
	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
	"github.com/vaguemestre/vaguemestre/xdm"
)

// specimen is a file of the corpora, and the letter that carries it.
type specimen struct {
	file string // "cda-fr/LDL-SES_2022.01.xml"
	// who is the patient whom it names; without an INS or other identifier, nobody.
	who demo.Person
	// attached is the file as it goes into the letter, how says in which form.
	attached wiretest.Attachment
	how      string
	// documents are the octets that have to be in the vault.
	documents [][]byte
	parcel    parcel
}

// specimens reads the French documents, every third one to be attached as it is and
// the others in a package, and the packages as they are.
func specimens(t *testing.T) (all []*specimen) {
	t.Helper()
	for _, folder := range []string{"cda-fr", "cda-fr-versions", "xdm"} {
		entries, err := os.ReadDir(corpus(t, folder))
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range entries {
			octets, err := os.ReadFile(filepath.Join(corpus(t, folder), e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			s := &specimen{file: folder + "/" + e.Name()}
			if folder == "xdm" {
				s.packed(t, octets)
			} else {
				s.clinical(t, octets, i%3 == 1)
			}
			all = append(all, s)
		}
	}
	return all
}

// clinical makes a specimen of a CDA document.
func (s *specimen) clinical(t *testing.T, octets []byte, alone bool) {
	t.Helper()
	d, err := cda.Read(bytes.NewReader(octets), int64(len(octets)), cda.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", s.file, err)
	}
	s.who, s.documents = named(d.Patient), [][]byte{octets}
	s.attached, s.how = bare(octets), "text/xml"
	if alone {
		return
	}
	s.how = "IHE_XDM.zip"
	s.attached = zipped(t, xdm.Patient{OID: s.who.INSOID, Matricule: s.who.INS}, xdm.Content{
		Body: bytes.NewReader(octets), Entry: xdm.Entry{
			UniqueID: d.UniqueID(), MIME: "text/xml", Title: d.Title, Language: d.Language, Size: -1,
			Type:    xdm.Code{Code: d.Type.Code, System: d.Type.System, Display: d.Type.Display},
			Created: xdm.Time{At: d.Effective.Time},
		},
	})
}

// packed makes a specimen of a package; the patient is the one of its metadata, else
// of a document in it.
func (s *specimen) packed(t *testing.T, octets []byte) {
	t.Helper()
	s.attached, s.how = wiretest.Attachment{Type: "application/zip", Name: "IHE_XDM.zip", Data: octets}, "as it is"
	p, err := xdm.Open(bytes.NewReader(octets), int64(len(octets)), xdm.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", s.file, err)
	}
	who := p.Patient()
	s.who = demo.Person{INSOID: who.OID, INS: who.Matricule}
	for _, e := range p.Documents() {
		r, err := p.Document(e)
		if err != nil {
			t.Fatalf("%s: %v", s.file, err)
		}
		inside, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", s.file, err)
		}
		s.documents = append(s.documents, inside)
		if s.who.Family == "" {
			from := e.SourcePatient
			s.who.Family, s.who.Given, s.who.BirthDate, s.who.Sex = from.Family, from.Given, from.BirthDate, from.Sex
		}
		if d, err := cda.Read(bytes.NewReader(inside), int64(len(inside)), cda.Limits{}); err == nil && s.who.INS == "" {
			s.who = named(d.Patient)
		}
	}
}

// named is the person whom a document names: by INS, else by its first identifier.
func named(p cda.Patient) demo.Person {
	who := demo.Person{Family: p.BirthName, Given: p.BirthGiven, BirthDate: p.BirthDate, Sex: p.Sex}
	if oid, matricule, ok := p.INS(); ok {
		who.INSOID, who.INS = oid, matricule
	} else if len(p.IDs) > 0 {
		who.INSOID, who.INS = p.IDs[0].Root, p.IDs[0].Extension
	}
	return who
}

// casts makes a patient for each identity that the specimens name. An operator has one
// person an INS: samples that give one INS to several people are cast for several
// operators. Each specimen then knows its patient's address.
func casts(all []*specimen) (people [][]demo.Person, of [][]*specimen) {
	made := make(map[string]demo.Person) // by identity
	place := make(map[string]int)        // which operator, by identity
	twins := make(map[string]int)        // how many people have the INS
	for _, s := range all {
		key := strings.ToUpper(fmt.Sprintf("%v", s.who))
		if _, known := made[key]; !known {
			n := 0
			if s.who.INS != "" {
				pair := s.who.INSOID + "^" + s.who.INS
				n, twins[pair] = twins[pair], twins[pair]+1
			}
			for len(people) <= n {
				people, of = append(people, nil), append(of, nil)
			}
			p := s.who
			p.Kind, p.Name = "PATIENT", strings.TrimSpace(p.Given+" "+p.Family)
			p.Address = fmt.Sprintf("specimen%02d@patient.mes.example", len(made))
			p.WebLogin = fmt.Sprintf("specimen%02d", len(made))
			people[n] = append(people[n], p)
			made[key], place[key] = p, n
		}
		s.who = made[key]
		of[place[key]] = append(of[place[key]], s)
	}
	return people, of
}

// floorFiled is how many have to be filed: all French documents are. The packages from
// elsewhere name their patients without an INS, and most of them say in the metadata
// that the document has another identifier than it has.
const floorFiled = 59

// TestEveryCorpusDocumentIsFiledOrKeptWithAReason sends each document by SMTP to the
// patient whom it names: it is filed, readable and unchanged, or stays in the inbox
// with the reason that its sender is told.
func TestEveryCorpusDocumentIsFiledOrKeptWithAReason(t *testing.T) {
	t.Parallel()
	short(t)
	all := specimens(t)
	people, of := casts(all)
	verdicts := make([][]string, len(of))
	filed := make([]int, len(of))
	t.Run("operators", func(t *testing.T) {
		for i := range of {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				verdicts[i], filed[i] = receive(t, people[i], of[i])
			})
		}
	})
	lines := slices.Concat(verdicts...)
	slices.Sort(lines)
	total := 0
	for i := range filed {
		total += filed[i]
	}
	french := slices.IndexFunc(all, func(s *specimen) bool { return strings.HasPrefix(s.file, "xdm/") })
	t.Logf("%d filed, of %d French documents and %d packages from elsewhere, at %d operators:\n%s",
		total, french, len(all)-french, len(of), strings.Join(lines, "\n"))
	if len(lines) != len(all) {
		t.Errorf("%d of %d specimens have a verdict", len(lines), len(all))
	}
	if total < floorFiled {
		t.Errorf("%d filed, want %d at least", total, floorFiled)
	}
}

// receive sends specimens to their patients and returns one line for each, and how
// many were filed.
func receive(t *testing.T, people []demo.Person, all []*specimen) (lines []string, filed int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.json")
	data, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, "--people", file)
	hospital, patients := w.operator("hospital"), w.operator("patients")
	told := w.notices(hospital, hospital.Boxes[0])
	var parcels []parcel
	for i, s := range all {
		s.parcel = w.letterWith(fmt.Sprintf("specimen %d", i), s.who.Address, s.attached)
		parcels = append(parcels, s.parcel)
	}
	begin := time.Now()
	w.post(parcels...)
	posted := time.Since(begin)
	about := told.await(2*time.Minute, ids(parcels)...)
	t.Logf("%d letters posted in %v, all notifications after %v", len(all), posted, time.Since(begin))
	for _, p := range patients.Boxes {
		if !strings.HasPrefix(p.Address, "specimen") {
			continue
		}
		home := w.space(p)
		letters, vault := home.letters(), home.documents()
		mine := 0
		for i, s := range all {
			if s.who.Address != p.Address {
				continue
			}
			mine++
			n := about[s.parcel.id]
			if len(n) != 1 {
				t.Errorf("%s: %d notifications", s.file, len(n))
				continue
			}
			line, ok := home.judge(s, letters[fmt.Sprintf("specimen %d", i)], n[0], vault)
			lines = append(lines, line)
			if ok {
				filed++
			}
		}
		if n := len(home.received()); n != mine {
			t.Errorf("%d letters in an inbox, %d were sent", n, mine)
		}
	}
	w.again(told, all, about)
	w.quiet()
	return lines, filed
}

// again deposits what was filed once more: the vaults have no document more, and each
// knows both ways in which it came.
func (w *world) again(told *notices, all []*specimen, about map[string][]notice) {
	w.t.Helper()
	depot := "depot@" + w.operator("patients").Domains[0]
	documents := make(map[string]int) // filed, by patient's address
	var parcels []parcel
	for i, s := range all {
		if n := about[s.parcel.id]; len(n) == 1 && n[0].Code == "" {
			parcels = append(parcels, w.letterWith(fmt.Sprintf("depot %d", i), depot, s.attached))
			documents[s.who.Address] += len(s.documents)
		}
	}
	w.post(parcels...)
	answers := told.await(2*time.Minute, ids(parcels)...)
	for _, p := range parcels {
		if n := answers[p.id]; len(n) != 1 || n[0].Code != "" {
			w.t.Errorf("%s: told %+v, want one success", p.id, n)
		}
	}
	for _, p := range w.operator("patients").Boxes {
		if documents[p.Address] == 0 {
			continue
		}
		vault := w.space(p).documents()
		if len(vault) != documents[p.Address] {
			w.t.Errorf("%d documents after the deposits, there were %d", len(vault), documents[p.Address])
		}
		for _, d := range vault {
			if o := d.Origins; len(o) != 2 || o[0].Kind == o[1].Kind {
				w.t.Errorf("%q came as %+v, want a letter and a deposit", d.Title, o)
			}
		}
	}
}

// judge holds what became of a specimen, and says it in a line.
func (s *space) judge(sp *specimen, id string, n notice, vault []listed) (line string, filed bool) {
	s.t.Helper()
	if id == "" {
		s.t.Errorf("%s: the letter is not in the inbox", sp.file)
		return sp.file + ": LOST", false
	}
	l := s.letter(id)
	if n.Code != "" {
		s.kept(id, n.Reason)
		part := s.get("/messages/" + id + "/parts/2?keep=1")
		if !bytes.Equal(part.Body, sp.attached.Data) {
			s.t.Errorf("%s: the attachment that is kept changed", sp.file)
		}
		return fmt.Sprintf("%s (%s): kept, %s %s", sp.file, sp.how, n.Code, n.Reason), false
	}
	if !strings.HasSuffix(n.Disposition, "; processed") || len(l.Documents) != len(sp.documents) {
		s.t.Errorf("%s: told %+v, the letter tells of %d documents", sp.file, n, len(l.Documents))
	}
	for i, d := range l.Documents {
		at := slices.IndexFunc(vault, func(have listed) bool { return have.ID == d.ID })
		if d.Outcome != "filed" || at < 0 || i >= len(sp.documents) {
			s.t.Errorf("%s: %+v, listed %v", sp.file, d, at >= 0)
			continue
		}
		if o := vault[at].Origins; len(o) != 1 || o[0].Letter != id {
			s.t.Errorf("%s: origins %+v, want the letter", sp.file, o)
		}
		s.readable(sp.file, d.ID, sp.documents[i])
	}
	s.get("/messages/" + id)
	return fmt.Sprintf("%s (%s): filed", sp.file, sp.how), true
}

// readable holds that a document's page shows the words of its narrative or a file
// that can be opened, and that the original is octet by octet what was sent.
func (s *space) readable(file, id string, original []byte) {
	s.t.Helper()
	if got := s.get("/documents/" + id + "/original"); !bytes.Equal(got.Body, original) {
		s.t.Errorf("%s: the original has %d octets and changed, %d were sent", file, len(got.Body), len(original))
	}
	page := s.get("/documents/" + id)
	shown := make(map[string]bool)
	for _, word := range wordsOf(visible(page.Body)) {
		shown[word] = true
	}
	told, missing := 0, []string(nil)
	for _, word := range wordsOf(narrative(s.t, original)) {
		if told++; !shown[word] {
			missing = append(missing, word)
		}
	}
	if len(missing) > 0 {
		s.t.Errorf("%s: %d of %d words of the narrative are not shown: %.20q", file, len(missing), told, missing[:min(10, len(missing))])
	}
	var facts struct {
		SHA256   string
		Embedded []struct{ Kind, URL string }
	}
	s.facts("/documents/"+id, &facts)
	if facts.SHA256 != sum(original) {
		s.t.Errorf("%s: another digest", file)
	}
	if told == 0 && len(facts.Embedded) == 0 {
		s.t.Errorf("%s: the page is blank", file)
	}
	for _, e := range facts.Embedded {
		p := s.get(e.URL)
		if p.Code != http.StatusOK || len(p.Body) == 0 || e.Kind == "pdf" && !bytes.HasPrefix(p.Body, []byte("%PDF")) {
			s.t.Errorf("%s: the embedded %s has %d octets", file, e.Kind, len(p.Body))
		}
	}
}

// narrative is the text of the sections' narrative blocks, read with nothing but
// encoding/xml.
func narrative(t *testing.T, document []byte) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(document))
	var b strings.Builder
	var path []string
	inside := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Errorf("narrative: %v", err)
			return b.String()
		}
		switch token := token.(type) {
		case xml.StartElement:
			if inside > 0 || token.Name.Local == "text" && len(path) > 0 && path[len(path)-1] == "section" {
				inside++
			}
			path = append(path, token.Name.Local)
			b.WriteString(gap(token.Name.Local))
		case xml.EndElement:
			path = path[:len(path)-1]
			inside = max(0, inside-1)
			b.WriteString(gap(token.Name.Local))
		case xml.CharData:
			if inside > 0 {
				b.Write(token)
			}
		}
	}
}

// visible is the text of a page.
func visible(page []byte) string {
	z := html.NewTokenizer(bytes.NewReader(page))
	var b strings.Builder
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			b.WriteString(gap(string(name)))
		}
	}
}

// gap is what parts words at the edge of an element: nothing inside a line.
func gap(element string) string {
	switch element {
	case "content", "sub", "sup", "span", "strong", "em", "del", "ins":
		return ""
	}
	return " "
}

// wordsOf are the words of a text, three letters or digits at least.
func wordsOf(text string) []string {
	all := strings.FieldsFunc(html.UnescapeString(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(all, func(word string) bool { return len(word) < 3 })
}
