package trust

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Row is one Domaine of the whitelist: a domain and one subject that may speak
// for it. A domain with several certificates has several rows.
type Row struct {
	// Domain is Nom.
	Domain string
	// Description is free text.
	Description string
	// DN is DNCertificatOperateur, as text.
	DN string
	// Contact and Support are free text.
	Contact, Support string
	// Updated is DateMAJ; the list's date when zero.
	Updated time.Time
}

// List is a whitelist before it is signed.
type List struct {
	// Generated is DateDeGeneration; written in whole seconds.
	Generated time.Time
	// Rows stand in the list in this order.
	Rows []Row
}

// Sign writes the list as XML with an enveloped signature, in the form of the
// real one (spec mssante 1.3, 1.4), for the sandbox authority. The key is RSA
// and belongs to cert, a stamp (ORG_SIGN). Sign takes rows as they are, so that
// tests can sign what Verify refuses.
func Sign(l List, key crypto.Signer, cert *x509.Certificate) ([]byte, error) {
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		return nil, errors.New("sign whitelist: the key is not RSA")
	}
	signer, err := dsig.NewSigningContext(key, [][]byte{cert.Raw})
	if err != nil {
		return nil, fmt.Errorf("sign whitelist: %w", err)
	}
	signer.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signer.Prefix = ""
	signed, err := signer.SignEnveloped(l.tree())
	if err != nil {
		return nil, fmt.Errorf("sign whitelist: %w", err)
	}
	wrapLines(signed)
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8" standalone="no"`)
	doc.SetRoot(signed)
	out, err := doc.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("sign whitelist: %w", err)
	}
	return out, nil
}

// tree returns the list as XML without a signature.
func (l List) tree() *etree.Element {
	root := etree.NewElement("ListeBlancheMSSante")
	root.CreateAttr("xmlns", listNS)
	generated := l.Generated.UTC().Truncate(time.Second)
	root.CreateElement("DateDeGeneration").SetText(generated.Format(time.RFC3339))
	domains := root.CreateElement("ListeDomaines")
	for _, r := range l.Rows {
		updated := r.Updated
		if updated.IsZero() {
			updated = generated
		}
		row := domains.CreateElement("Domaine")
		for _, field := range [][2]string{
			{"Nom", r.Domain},
			{"Description", r.Description},
			{"DNCertificatOperateur", r.DN},
			{"ResponsableContact", r.Contact},
			{"SupportContact", r.Support},
			{"DateMAJ", updated.UTC().Truncate(time.Second).Format(time.RFC3339)},
		} {
			row.CreateElement(field[0]).SetText(field[1])
		}
	}
	return root
}

// wrapLines breaks the base64 of the signature value and of the certificate into
// lines of 76 characters, as the real list has them: with CR LF, which XML writes
// as "&#xD;" and a line feed. Neither is covered by the signature.
func wrapLines(root *etree.Element) {
	for _, path := range []string{"./Signature/SignatureValue", "./Signature/KeyInfo/X509Data/X509Certificate"} {
		e := root.FindElement(path)
		s := e.Text()
		var b strings.Builder
		for len(s) > 76 {
			b.WriteString(s[:76] + "\r\n")
			s = s[76:]
		}
		e.SetText(b.String() + s)
	}
}
