package markup

import (
	"encoding/xml"
	"strings"
)

// The namespaces that are bound for ever (Namespaces in XML 1.0, 3).
const (
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS = "http://www.w3.org/2000/xmlns/"
)

// binding is one namespace declaration in force.
type binding struct{ prefix, space string }

// scope resolves prefixes. encoding/xml leaves an undeclared prefix in the place of
// the namespace, where it could pass for one: so it is done here.
type scope struct {
	limits   Limits
	bindings []binding
	// marks are how many bindings were in force before each open element.
	marks []int
}

func newScope(l Limits) scope { return scope{limits: l} }

// enter takes an element's declarations, resolves its names and drops the
// declarations from its attributes. An attribute that stands twice, as written or
// by namespace, is malformed.
func (s *scope) enter(e *xml.StartElement) error {
	if len(e.Attr) > s.limits.Attributes {
		return refuse(reasonAttributes)
	}
	if repeated(e.Attr) {
		return malformed("an attribute given twice")
	}
	s.marks = append(s.marks, len(s.bindings))
	plain := e.Attr[:0]
	for _, a := range e.Attr {
		switch {
		case a.Name.Space == "xmlns":
			if err := s.bind(a.Name.Local, a.Value); err != nil {
				return err
			}
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			if err := s.bind("", a.Value); err != nil {
				return err
			}
		default:
			plain = append(plain, a)
		}
	}
	if len(s.bindings) > s.limits.Namespaces {
		return refuse(reasonAttributes)
	}
	e.Attr = plain
	return s.resolve(e)
}

// resolve gives the element and its attributes their namespaces.
func (s *scope) resolve(e *xml.StartElement) error {
	var err error
	if e.Name, err = s.expand(e.Name); err != nil {
		return err
	}
	for i, a := range e.Attr {
		if a.Name.Space == "" { // an attribute without a prefix has no namespace
			continue
		}
		if e.Attr[i].Name, err = s.expand(a.Name); err != nil {
			return err
		}
	}
	if repeated(e.Attr) {
		return malformed("an attribute given twice")
	}
	return nil
}

// repeated reports whether two attributes have one name.
func repeated(attrs []xml.Attr) bool {
	if len(attrs) < 2 {
		return false
	}
	seen := make(map[xml.Name]bool, len(attrs))
	for _, a := range attrs {
		if seen[a.Name] {
			return true
		}
		seen[a.Name] = true
	}
	return false
}

// bind declares a prefix ("" for the default), within the rules of Namespaces in
// XML 1.0, 3 and 5.
func (s *scope) bind(prefix, space string) error {
	if (prefix == "xml") != (space == spaceXML) || prefix == "xmlns" || space == spaceXMLNS {
		return malformed("a reserved namespace")
	}
	if prefix != "" && space == "" {
		return malformed("a prefix without a namespace")
	}
	s.bindings = append(s.bindings, binding{prefix, space})
	return nil
}

// expand replaces a name's prefix by its namespace.
func (s *scope) expand(n xml.Name) (xml.Name, error) {
	if strings.Contains(n.Local, ":") {
		return n, malformed("a name with a colon in the wrong place")
	}
	if n.Space == "xml" {
		return xml.Name{Space: spaceXML, Local: n.Local}, nil
	}
	for i := len(s.bindings) - 1; i >= 0; i-- {
		if s.bindings[i].prefix == n.Space {
			return xml.Name{Space: s.bindings[i].space, Local: n.Local}, nil
		}
	}
	if n.Space != "" {
		return n, malformed("an undeclared prefix")
	}
	return n, nil
}

// leave resolves an end tag's name and forgets its element's declarations.
func (s *scope) leave(n xml.Name) (xml.Name, error) {
	n, err := s.expand(n)
	last := len(s.marks) - 1
	s.bindings = s.bindings[:s.marks[last]]
	s.marks = s.marks[:last]
	return n, err
}
