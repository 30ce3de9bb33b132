// Package markup reads XML that strangers wrote: clinical documents, metadata of
// exchange packages. It is a stream of tokens, bounded in every direction, and it
// refuses what a clinical document never needs.
//
//	r := markup.NewReader(file, markup.Limits{})
//	for {
//		tok, err := r.Token() // fault.Invalid: malformed, hostile or over a limit
//		if err == io.EOF {
//			break // the end tag of the root element was seen
//		}
//		switch tok := tok.(type) {
//		case xml.StartElement: // names carry their namespace
//		case xml.EndElement:
//		case xml.CharData: // one run of text, at most Limits.Text octets
//		case markup.Long: // a longer run: only where it lies
//		}
//	}
//
// encoding/xml does the reading. In front of it stands a guard that sees every
// octet first and hands over one piece at a time:
//
//	octets ──► guard ──────────────────────────────► encoding/xml ──► Reader
//	           byte order mark, declaration: dropped  tags, text,     nesting,
//	           <!DOCTYPE: refused                     references      namespaces,
//	           comments, instructions: <!---->                        attributes,
//	           tags: whole, within Limits.Tag                         offsets
//	           text past Limits.Text: cut
//
// What encoding/xml accepts and XML does not is refused here: an attribute given
// twice, an undeclared prefix, a second root, text outside the root, attributes
// without a space between them, "--" in a comment, a declaration that is not first.
//
// A run of text over Limits.Text is checked and passed over. [Long] says where its
// octets are in the original, and [NewText] reads its characters from there as a
// stream: thirty megabytes of base64 are never in memory.
//
// Invariants, for every input:
//   - memory is bounded by [Limits], whatever the size of the input; time is linear;
//   - no entity is ever defined or resolved but the five of XML, and nothing is fetched;
//   - tokens are well nested, and io.EOF comes only after one whole root element;
//   - [Reader.Span] are offsets in the original octets: the spans of the tokens follow
//     one another without a gap (comments and instructions belong to the span of
//     the text or tag before or after them);
//   - an error of the source is returned as it is, never as a malformed document.
//
// The reasons of a refusal, all fault.Invalid:
//   - xml-dtd: a <!DOCTYPE, internal or external, or any other <! construct
//   - xml-encoding: not UTF-8 or US-ASCII; a second byte order mark, NUL, octets that are
//     no UTF-8, XML 1.1
//   - xml-too-deep, xml-too-many-attributes (namespace declarations too),
//     xml-name-too-long, xml-tag-too-long, xml-too-large (elements, instructions): a limit
//   - xml-malformed: all else, a document that ends early among it
//
// What it deliberately does not do: validate against a schema, write XML, or keep a
// tree. A document that was read is never written again from its tokens: what is
// stored, hashed or shown to another program is the octets (CVE-2020-29509, -29510
// and -29511 are what comes of a round trip).
package markup
