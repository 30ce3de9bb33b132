package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/beevik/etree"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Bounds on a list (ours). The real one has some 9,000 rows in 4 MB (spec mssante 1.6).
const (
	// MaxBytes bounds the XML.
	MaxBytes = 16 << 20
	// MaxRows bounds the Domaine elements.
	MaxRows = 100_000
	// maxTags bounds the opening and closing tags before a tree is built: seven
	// elements to a row, and the signature.
	maxTags = 2 * (7*MaxRows + 100)
	// maxDepth: the deepest element is Signature/SignedInfo/Reference/Transforms/
	// Transform below the root, and one more for a namespace list.
	maxDepth = 8
)

// The names of the format (spec mssante 1.3) and of XML signatures.
const (
	listNS = "https://listeblanche.mssante.fr/schema"
	dsigNS = "http://www.w3.org/2000/09/xmldsig#"

	algExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	algRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
)

// malformed is the refusal of XML that is no list.
func malformed(format string, args ...any) error {
	return fault.Newf(fault.Invalid, "whitelist-malformed", format, args...)
}

// parseTree builds the tree of a list within bounds and returns its root. It
// refuses document types, processing instructions inside the root, and encodings
// other than UTF-8.
func parseTree(data []byte) (*etree.Element, error) {
	switch {
	case len(data) > MaxBytes:
		return nil, malformed("%d octets", len(data))
	case bytes.Count(data, []byte("<")) > maxTags:
		return nil, malformed("too many tags")
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{
		MaxDepth: maxDepth,
		// etree's default passes any encoding through undecoded.
		CharsetReader: func(label string, _ io.Reader) (io.Reader, error) {
			return nil, fmt.Errorf("encoding %q", label)
		},
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := doc.ReadFromBytes(data); err != nil {
		return nil, malformed("%w", err)
	}
	if err := plainDocument(doc); err != nil {
		return nil, malformed("%w", err)
	}
	root := doc.Root()
	if root.Tag != "ListeBlancheMSSante" || root.NamespaceURI() != listNS {
		return nil, malformed("root is not a ListeBlancheMSSante")
	}
	return root, nil
}

// plainDocument reports what beside one root element, comments and the XML
// declaration stands in a document.
func plainDocument(doc *etree.Document) error {
	roots := 0
	for _, token := range doc.Child {
		switch t := token.(type) {
		case *etree.Element:
			roots++
			if err := plainElement(t); err != nil {
				return err
			}
		case *etree.Directive:
			return errors.New("document type") // no DTD, so no entities either
		case *etree.CharData:
			if !t.IsWhitespace() {
				return errors.New("text outside the root")
			}
		}
	}
	if roots != 1 {
		return fmt.Errorf("%d roots", roots)
	}
	return nil
}

// plainElement reports a directive or a processing instruction inside e. Its
// depth is bounded by maxDepth.
func plainElement(e *etree.Element) error {
	for _, token := range e.Child {
		switch t := token.(type) {
		case *etree.Element:
			if err := plainElement(t); err != nil {
				return err
			}
		case *etree.Directive, *etree.ProcInst:
			return errors.New("directive or processing instruction inside the list")
		}
	}
	return nil
}

// only returns the children of e if they are exactly these elements of one
// namespace, in this order, with nothing but space and comments between.
func only(e *etree.Element, ns string, tags ...string) ([]*etree.Element, error) {
	children := e.ChildElements()
	if len(children) != len(tags) {
		return nil, fmt.Errorf("%s has %d children, not %s", e.Tag, len(children), strings.Join(tags, ", "))
	}
	for i, c := range children {
		if c.Tag != tags[i] || c.NamespaceURI() != ns {
			return nil, fmt.Errorf("%s has a %s where %s belongs", e.Tag, c.Tag, tags[i])
		}
	}
	return children, nil
}

// text returns all character data directly inside e, without outer space.
func text(e *etree.Element) string {
	var b strings.Builder
	for _, token := range e.Child {
		if t, ok := token.(*etree.CharData); ok {
			b.WriteString(t.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
