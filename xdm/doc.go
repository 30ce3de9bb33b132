// Package xdm reads and writes IHE XDM packages: the zip archive IHE_XDM.zip that
// carries health documents with their metadata in a letter.
//
//	p, err := xdm.Open(file, size, xdm.Limits{}) // fault.Invalid: hostile or broken
//	for _, e := range p.Documents() {
//		r, err := p.Document(e)       // e says what the metadata say
//		_, err = io.Copy(dst, r)      // io.EOF only if size, CRC and SHA-1 are right
//	}
//
// [ReadMetadata] reads one METADATA.XML alone; [Write] makes a package.
//
// # The form
//
//	README.TXT                     for people, 7-bit ASCII
//	INDEX.HTM                      for people, XHTML Basic
//	IHE_XDM/
//	  SUBSET01/                    one folder per submission set
//	    METADATA.XML               ebRIM: a RegistryPackage (the set), an
//	                               ExtrinsicObject per document, associations
//	    DOC0001.XML                named by the URI slot of its ExtrinsicObject
//	    PDF/…, STYLE.XSL           copies and style sheets, which nothing lists
//
// Write writes exactly this. Open reads what people send (spec dmp 4.5): any case,
// "\" for "/", folders in front, other folder names, the litter of the machine that
// packed it, ebRIM 2.1, no URI slot where one document is left, no hash or size,
// identities with a bare ampersand. What was tolerated is a warning: a reason id in
// Package.Warnings or Entry.Warnings.
//
// # How an archive is read
//
// This package reads the zip directory itself. Package archive/zip opens archives whose
// entries overlap, whose two headers differ or that hold a second archive, and hides
// the offsets that tell (spec security 2.3); two readers of one archive could then
// see two sets of documents. Here each octet of the source has one meaning:
//
//	|entry 1|entry 2| … |entry n|directory|end record|
//	0                           offset    +length    size
//	 entry = local header, data, data descriptor or none
//
// Invariants, for every input:
//   - the entries lie end to end from octet 0 to the directory, the directory ends at
//     the end record, the end record ends the source; both headers of an entry agree;
//   - no two paths are equal after folding case and Unicode forms, none is absolute or
//     relative or has a disguised part, no file is also a folder;
//   - an entry never gives more octets than its header promised, nor more than Limits;
//     the promise is checked before the first octet is inflated;
//   - every entry was inflated and its CRC checked by Open, or is a listed document,
//     whose reader does it;
//   - a document belongs to exactly one entry of the metadata; nothing that looks like
//     one is left over; all metadata name one patient;
//   - memory is some 100 KiB beside the metadata, whatever the size of the archive.
//
// # Reasons
//
// All are fault.Invalid, but where a function says otherwise:
//   - zip-malformed: cut, several disks, a zip64 end record, sizes that lie
//   - zip-ambiguous: octets outside every entry, headers that differ, a Unicode path
//   - zip-overlap, zip-ratio, zip-too-large, zip-too-many-entries: bombs
//   - zip-path, zip-duplicate-name, zip-special-entry: names and kinds
//   - zip-encrypted, zip-method, zip-nested, zip-crc
//   - xdm-no-metadata, xdm-metadata-malformed, and those of package markup
//   - xdm-uri: the URI leaves its set or is claimed twice
//   - xdm-document-missing, xdm-document-unlisted
//   - xdm-size-mismatch, xdm-hash-mismatch: from Document
//   - xdm-two-patients
//   - xdm-lot-incomplete: from Write
//
// # What it does not do
//
// It unpacks nothing to a path. It does not decide whose documents these are nor what
// they are: comparing the patient with a person and with the CDA inside, telling a PDF
// from a program, de-duplicating, filing are the caller's. It does not validate the
// metadata against the registry rules. It reads no zip64 end record: that is for
// archives of 4 GiB.
package xdm
