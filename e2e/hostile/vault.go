package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// filed holds the vault against what the vector allows.
func (c *court) filed(t *trial) error {
	n := len(t.fresh)
	if t.v.kind() == "ics" {
		if n > 0 {
			return errors.New("not-filed: an invitation became a document")
		}
		return nil
	}
	failed := t.notice.Code != ""
	switch {
	case n > 1:
		return fmt.Errorf("single-owner: one file became %d documents", n)
	case t.v.Expect.Outcome == "accept-filed" && (n != 1 || failed):
		return fmt.Errorf("accept-filed: %d new documents, the sender was told %q %s", n, t.notice.Disposition, t.notice.Reason)
	case t.v.holds("not-filed") && n != 0:
		return errors.New("not-filed: there is a new document")
	case n == 0 && !failed:
		return fmt.Errorf("not-filed: nothing was filed, and the sender was told %q", t.notice.Disposition)
	case n == 1 && failed:
		return fmt.Errorf("not-filed: there is a new document, and the sender was told %q", t.notice.Disposition)
	case t.v.holds("single-owner"):
		if err := c.untouched(); err != nil {
			return err
		}
	}
	for _, d := range t.facts.Documents {
		if d.Outcome == "refused" && d.Reason == "" {
			return errors.New("audit: the letter does not tell why its document was kept out")
		}
	}
	switch {
	case n == 0:
		t.note("not filed: %s", t.notice.Reason)
	case !t.v.fits():
		t.note("filed")
	}
	if t.v.holds("av") {
		t.scanned()
	}
	return nil
}

// scanned tells whether a scanner flagged the file. What was not filed for another
// reason was not flagged.
func (t *trial) scanned() {
	for _, word := range []string{"virus", "malware", "infected", "scan"} {
		if strings.Contains(strings.ToLower(t.notice.Reason), word) {
			return
		}
	}
	t.note("av: not checked, nothing here scans yet")
}

// original holds that what was filed is what was sent, and that its page says what an
// independent reader finds in it.
func (c *court) original(t *trial, d document, page string) error {
	if t.v.kind() != "xml" {
		return nil
	}
	got, _, err := t.space.ask("/documents/"+d.ID+"/original", "", c.limit(t.v))
	if err != nil {
		return err
	}
	if !same(got.Body, t.data) {
		return fmt.Errorf("bytes: the document came back as %d octets, %d were sent", len(got.Body), len(t.data))
	}
	words, err := narrative(t.data)
	if err != nil {
		t.note("an independent reader does not read it (%v): what is shown is not compared", err)
		return nil
	}
	for _, word := range words {
		if !strings.Contains(page, word) {
			return fmt.Errorf("bytes: the page of the document lacks %q", clip(word))
		}
	}
	return nil
}

// narrative reads the words of a document's sections, as XML says. Elements of other
// vocabularies are left out, since nobody has to show them, and so are the direction
// marks that nobody should obey.
func narrative(text []byte) ([]string, error) {
	const hl7 = "urn:hl7-org:v3"
	d := xml.NewDecoder(bytes.NewReader(text))
	var path []xml.Name
	var words []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words, nil
		}
		if err != nil {
			return nil, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			path = append(path, e.Name)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			at := slices.Index(path, xml.Name{Space: hl7, Local: "section"})
			foreign := slices.ContainsFunc(path, func(n xml.Name) bool { return n.Space != hl7 })
			if at < 0 || foreign || !slices.Contains(path[at:], xml.Name{Space: hl7, Local: "text"}) {
				continue
			}
			for _, word := range strings.FieldsFunc(string(e), func(r rune) bool { return r <= ' ' || bidi(r) || r == 0xFEFF }) {
				if len(words) < 1000 {
					words = append(words, word)
				}
			}
		}
	}
}
