package demo

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/xml"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

//go:embed discharge.xml
var dischargeTemplate string //nolint:gochecknoglobals // the compiler fills it

// sample is where a real discharge letter lies when the samples are there.
const sample = "cda-fr/LDL-SES_2022.01.xml"

// discharge is a discharge letter (LDL-SES, CDA R2 level 3) about a patient of the
// cast, and where it comes from: a sample whose INS and traits are rewritten, or
// one of our own.
func discharge(p Person, at time.Time) (document []byte, source string, err error) {
	for _, dir := range []string{os.Getenv("CORPUS_DIR"), filepath.Join("..", "shared", "data")} {
		if dir == "" {
			continue
		}
		if data, err := os.ReadFile(filepath.Join(dir, sample)); err == nil {
			return rewritten(data, p, at), "sample " + filepath.Base(sample), nil
		}
	}
	document, err = composed(p, at)
	return document, "composed by the demo", err
}

// composed fills the letter of our own.
func composed(p Person, at time.Time) ([]byte, error) {
	t, err := template.New("discharge").Parse(dischargeTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]string{
		"ID": documentID(), "Time": dtm(at), "Admitted": dtm(at.AddDate(0, 0, -4)),
		"INSOID": escaped(p.INSOID), "INS": escaped(p.INS), "Family": escaped(p.Family), "Given": escaped(strings.ToUpper(p.Given)),
		"Sex": escaped(p.Sex), "Birth": strings.ReplaceAll(p.BirthDate, "-", ""),
	})
	return b.Bytes(), err
}

// rewritten puts the patient's INS and traits, a fresh id and the date into a
// sample; the rest stays as its author wrote it.
func rewritten(data []byte, p Person, at time.Time) []byte {
	text := string(data)
	begin, end := strings.Index(text, "<recordTarget"), strings.Index(text, "</recordTarget>")
	if begin < 0 || end < begin {
		return data
	}
	head, patient, rest := text[:begin], text[begin:end], text[end:]
	id := regexp.MustCompile(`<id root="[^"]*"\s*/>`)
	head = replaceFirst(id, head, fmt.Sprintf(`<id root="%s"/>`, documentID()))
	head = replaceFirst(regexp.MustCompile(`<effectiveTime value="[^"]*"/>`), head, fmt.Sprintf(`<effectiveTime value="%s"/>`, dtm(at)))
	for pattern, with := range map[string]string{
		`<id\s[^>]*1\.2\.250\.1\.213\.1\.4\.10"[^>]*/>`:                        fmt.Sprintf(`<id extension="%s" root="%s"/>`, escaped(p.INS), escaped(p.INSOID)),
		`<family qualifier="BR">[^<]*`:                                         `<family qualifier="BR">` + escaped(p.Family),
		`<family qualifier="CL">[^<]*`:                                         `<family qualifier="CL">` + escaped(p.Family),
		`<given>[^<]*</given>\s*(<!--[^>]*-->)?\s*<given qualifier="BR">[^<]*`: `<given>` + escaped(p.Given) + `</given><given qualifier="BR">` + escaped(p.Given),
		`<given qualifier="CL">[^<]*`:                                          `<given qualifier="CL">` + escaped(p.Given),
		`<administrativeGenderCode code="[^"]*" displayName="[^"]*"`:           `<administrativeGenderCode code="` + escaped(p.Sex) + `"`,
		`<birthTime value="[^"]*"`:                                             `<birthTime value="` + strings.ReplaceAll(p.BirthDate, "-", "") + `"`,
	} {
		patient = replaceFirst(regexp.MustCompile(pattern), patient, with)
	}
	return []byte(head + patient + rest)
}

// replaceFirst replaces the first match only.
func replaceFirst(re *regexp.Regexp, s, with string) string {
	at := re.FindStringIndex(s)
	if at == nil {
		return s
	}
	return s[:at[0]] + with + s[at[1]:]
}

// documentID makes an OID below 2.25 from a random UUID (ITU-T X.667).
func documentID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails on supported systems
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return "2.25." + new(big.Int).SetBytes(b[:]).String()
}

// idOf is the id of a document that discharge made.
func idOf(document []byte) string {
	found := regexp.MustCompile(`<id root="([^"]*)"`).FindSubmatch(document)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// dtm is a time as CDA writes it (HL7 TS), with its offset.
func dtm(t time.Time) string { return t.Format("20060102150405-0700") }

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}
