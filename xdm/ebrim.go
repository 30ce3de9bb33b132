package xdm

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/markup"
)

// object is one registry object of ebRIM, 2.1 or 3.0: the two differ by name space
// and by the list around the objects only, as far as XDM uses them. Elements are told
// by their local names.
type object struct {
	kind  string // ExtrinsicObject, RegistryPackage, Association, Classification, ExternalIdentifier
	attrs map[string]string
	name  string
	text  string // Description
	slots map[string][]string
	// parts are the classifications and external identifiers inside or elsewhere that
	// say they are this object's.
	parts []*object
}

// slot returns the first value of a slot, "" if it has none.
func (o *object) slot(name string) string {
	if values := o.slots[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// classifications returns the parts under a scheme, in order.
func (o *object) classifications(scheme string) []*object {
	var found []*object
	for _, p := range o.parts {
		if p.kind == "Classification" && strings.EqualFold(p.attrs["classificationScheme"], scheme) {
			found = append(found, p)
		}
	}
	return found
}

// identifier returns the value of the first external identifier under a scheme.
func (o *object) identifier(scheme string) string {
	for _, p := range o.parts {
		if p.kind == "ExternalIdentifier" && strings.EqualFold(p.attrs["identificationScheme"], scheme) {
			return p.attrs["value"]
		}
	}
	return ""
}

// isNode reports whether the object is classified as what a node stands for.
func (o *object) isNode(node string) bool {
	for _, p := range o.parts {
		if p.kind == "Classification" && strings.EqualFold(p.attrs["classificationNode"], node) {
			return true
		}
	}
	return false
}

// The name spaces that SubmitObjectsRequest has had begin so.
const ebxml = "urn:oasis:names:tc:ebxml-regrep:"

// metadataLimits bounds METADATA.XML: a hundred documents take some 20,000 elements.
func metadataLimits() markup.Limits { return markup.Limits{Depth: 64, Elements: 200_000} }

// reader builds the objects of one SubmitObjectsRequest.
type reader struct {
	tokens *markup.Reader
	top    []*object
	open   []*object // objects around the current element
	slot   string    // name of the slot around it
	in     int       // depth inside SubmitObjectsRequest; 0 outside
	seen   bool
	text   strings.Builder
	inName bool
}

// readObjects reads the registry objects of a metadata file, those of top level with
// everything that says it belongs to them.
func readObjects(src io.Reader) ([]*object, error) {
	r := &reader{tokens: markup.NewReader(src, metadataLimits())}
	for {
		token, err := r.tokens.Token()
		switch {
		case errors.Is(err, io.EOF):
			if !r.seen {
				return nil, fault.New(fault.Invalid, "xdm-metadata-malformed")
			}
			return attach(r.top), nil
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := r.start(token); err != nil {
				return nil, err
			}
		case xml.EndElement:
			r.end(token.Name.Local)
		case xml.CharData:
			r.text.Write(token)
		case markup.Long:
			return nil, invalid("xdm-metadata-malformed", "a value of %d octets", token.End-token.Start)
		}
	}
}

func (r *reader) start(e xml.StartElement) error {
	r.text.Reset()
	if r.in == 0 {
		if e.Name.Local != "SubmitObjectsRequest" || !strings.HasPrefix(e.Name.Space, ebxml) {
			return nil
		}
		if r.seen {
			return invalid("xdm-metadata-malformed", "two requests in one file")
		}
		r.seen = true
	}
	r.in++
	switch e.Name.Local {
	case "ExtrinsicObject", "RegistryPackage", "Association", "Classification", "ExternalIdentifier":
		r.open = append(r.open, newObject(e))
	case "Slot":
		r.slot = markup.Attr(e, "name")
	case "Name", "Description":
		r.inName = e.Name.Local == "Name"
	case "LocalizedString":
		if o := r.current(); o != nil {
			r.localized(o, markup.Attr(e, "value"))
		}
	case "VersionInfo":
		if o := r.current(); o != nil {
			o.attrs["version"] = markup.Attr(e, "versionName")
		}
	}
	return nil
}

func newObject(e xml.StartElement) *object {
	o := &object{kind: e.Name.Local, attrs: map[string]string{}, slots: map[string][]string{}}
	for _, a := range e.Attr {
		if a.Name.Space == "" {
			o.attrs[a.Name.Local] = a.Value
		}
	}
	return o
}

// localized keeps the first text of a Name or Description.
func (r *reader) localized(o *object, value string) {
	if r.inName && o.name == "" {
		o.name = strings.TrimSpace(value)
	}
	if !r.inName && o.text == "" {
		o.text = strings.TrimSpace(value)
	}
}

func (r *reader) current() *object {
	if len(r.open) == 0 {
		return nil
	}
	return r.open[len(r.open)-1]
}

func (r *reader) end(name string) {
	if r.in == 0 {
		return
	}
	r.in--
	o := r.current()
	switch {
	case name == "Slot":
		r.slot = ""
	case name == "Value" && r.slot != "" && o != nil:
		// Writers indent values; a blank at an end is never meant.
		o.slots[r.slot] = append(o.slots[r.slot], strings.TrimSpace(r.text.String()))
	case o != nil && name == o.kind:
		r.open = r.open[:len(r.open)-1]
		if parent := r.current(); parent != nil && o.isPart() {
			parent.parts = append(parent.parts, o)
		} else {
			r.top = append(r.top, o)
		}
	}
	r.text.Reset()
}

func (o *object) isPart() bool { return o.kind == "Classification" || o.kind == "ExternalIdentifier" }

// attach gives the parts that stand beside their object to it, and returns the rest.
func attach(top []*object) []*object {
	byID := map[string]*object{}
	for _, o := range top {
		if id := o.attrs["id"]; !o.isPart() && id != "" {
			byID[id] = o
		}
	}
	var objects []*object
	for _, o := range top {
		owner := byID[o.attrs["classifiedObject"]]
		if o.kind == "ExternalIdentifier" {
			owner = byID[o.attrs["registryObject"]]
		}
		switch {
		case !o.isPart():
			objects = append(objects, o)
		case owner != nil:
			owner.parts = append(owner.parts, o)
		}
	}
	return objects
}
