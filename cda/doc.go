// Package cda reads clinical documents (HL7 CDA Release 2, as the French CI-SIS uses
// it) and shows their narrative. It knows no registry and no patient: it says what is
// in a document; others decide what becomes of it.
//
//	d, err := cda.Read(file, size, cda.Limits{}) // fault.Invalid: not readable, or in two ways
//	oid, matricule, ok := d.Patient.INS()
//	err = d.Render(w, cda.Render{Level: 3})      // a fragment of HTML
//	for _, em := range d.Embedded(file) {        // the PDF of a level 1 document, pictures
//		em.MediaType // what the first octets say, never what the document claims
//	}
//
// # What is read
//
//	ClinicalDocument
//	├── id, code, title, effectiveTime, …   Document: facts of the header
//	├── recordTarget                        Patient: one, with at most one INS
//	├── author, legalAuthenticator, …       Author, Organization, Service, Encounter
//	└── component
//	    ├── nonXMLBody                      level N1: NonXML, and an Embedded
//	    └── structuredBody                  level N3
//	        └── section (nested)            Section: title, narrative
//	            └── entry                   passed over, but for embedded files and
//	                                        observations that are not normal
//
// A self-presentable document of the CI-SIS, a style sheet that carries one document, is
// read as that document; the style sheet is passed over, and never run.
//
// Reading is one pass over the octets through package markup. Header and narrative are
// kept, within [Limits]; base64 is not: an [Embedded] is a place in the octets, decoded as
// a stream when it is opened. Octets are never written again from what was read: what is
// stored and hashed is the original.
//
// # Refusals
//
// fault.Invalid, with the reasons of package markup (xml-dtd, xml-malformed, …) and:
//   - cda-not-cda: the root is not {urn:hl7-org:v3}ClinicalDocument
//   - cda-malformed: two bodies, or two of a header element that stands once: two readers
//     could take different ones
//   - cda-id-missing: no document id, or one of more than 256 octets
//   - cda-two-patients: a second recordTarget, patientRole or patient
//   - cda-ins-split: two INS that differ
//   - cda-too-large: a limit
//   - cda-body-malformed, cda-body-compressed: from [Embedded.Open] and its reader
//
// # Warnings
//
// What does not prevent reading is in Document.Warnings:
//   - patient-missing, ins-missing, birth-date-missing, type-missing, title-missing,
//     date-missing, author-missing, body-missing
//   - ins-key-wrong: the matricule has not the right key, or not 15 characters; official
//     samples have such
//   - ins-test: the OID is of test or demonstration
//   - body-elsewhere: the body is an address, which is not fetched
//   - body-unknown, body-compressed: the body cannot be shown
//   - bidi-override: text that would be shown in another order than it is written
//   - cda-self-presentable
//
// # Rendering
//
// [Document.Render] is a renderer of our own from a closed list; no style sheet of the
// document is ever run (CVE-2014-3861, -3862, -5452 are what comes of HL7's). Elements:
// section, h2 to h6, p, div, br, ul, ol, li, table, caption, thead, tbody, tfoot, tr, th,
// td, strong, em, sub, sup, del, ins, span, a, img. Attributes: class, id, scope, colspan,
// rowspan; href and src; alt and loading of img; role, aria-label and tabindex of the frame
// of a table.
//
// Invariants, for every document that is read:
//   - every word of titles and narrative is in the fragment, in its order (but a table's
//     caption and foot, and text between its rows, where HTML wants them);
//   - tags are balanced, and nested so that a browser's parser moves nothing;
//   - no text of the document is in a class or id: classes are from the list of style
//     codes, ids are numbered;
//   - an address of the document is text, never a link: href leads inside the fragment or
//     to what Render.Media returned, src only to the latter;
//   - characters that turn text round are left out; all text is escaped;
//   - heading levels follow one another, tables have a caption, header cells a scope, and
//     what an observation calls abnormal is said in a word.
//
// What it deliberately does not do: render the header (its facts are data for the page),
// judge an identity, validate against schemas or schematrons, read entries as clinical
// data, fetch anything, or write documents.
package cda
