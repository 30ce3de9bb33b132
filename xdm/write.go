package xdm

import (
	"archive/zip"
	"crypto/rand"
	"crypto/sha1" // the hash that XDS metadata have (IHE ITI TF-3 4.2.3.2.10)
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Lot is what one package carries: documents of one patient, one submission set.
type Lot struct {
	// Patient, SourceID (an OID of the sender's) and Submitted are required; the set's
	// UniqueID is made when empty.
	Patient            Patient
	SourceID, UniqueID string
	Submitted          time.Time
	Title, Comments    string
	ContentType        Code
	Authors            []Author
	Recipients         []string
	// Software and Contact go into README.TXT: which program wrote this, whom to call.
	Software, Contact string
	// Documents, at least one and at most 190, in the order in which they are written.
	Documents []Content
}

// Content is one document to write. Of its Entry, UniqueID, MIME, Type.Code and
// Created are required; EntryUUID is made when empty; the patient is the lot's; Hash,
// Size and URI are what comes out.
type Content struct {
	Entry Entry
	Body  io.Reader
}

// lotMax leaves room for the four other files under the reader's limit of entries.
const lotMax = defaultEntries - 10

// Write writes a package in the strict form (spec dmp 4.2): names of 8.3 capitals,
// README.TXT, INDEX.HTM, the documents of SUBSET01 and then their METADATA.XML in
// ebRIM 3.0. Bodies are streamed. What Write has written without an error, Open opens.
//
// It fails with fault.Invalid "xdm-lot-incomplete", "zip-too-many-entries",
// "zip-too-large" or "zip-ratio"; what w holds then is no package.
func Write(w io.Writer, lot Lot) error {
	if err := lot.complete(); err != nil {
		return err
	}
	z := &writer{zip: zip.NewWriter(w), at: lot.Submitted.UTC()}
	entries := make([]*Entry, len(lot.Documents))
	for i, d := range lot.Documents {
		e := d.Entry
		e.URI = fmt.Sprintf("DOC%04d.%s", i+1, extension(e.MIME))
		if e.EntryUUID == "" {
			e.EntryUUID = newUUID()
		}
		entries[i] = &e
	}
	if lot.UniqueID == "" {
		lot.UniqueID = newOID()
	}
	if err := z.file("README.TXT", readme(lot)); err != nil {
		return err
	}
	if err := z.file("INDEX.HTM", index(lot, entries)); err != nil {
		return err
	}
	for i, d := range lot.Documents {
		if err := z.document(entries[i], d.Body); err != nil {
			return err
		}
	}
	if err := z.file("IHE_XDM/SUBSET01/METADATA.XML", metadata(lot, entries)); err != nil {
		return err
	}
	if err := z.zip.Close(); err != nil {
		return err
	}
	return z.checkRatio()
}

func (l Lot) complete() error {
	if l.Patient.IsZero() || l.SourceID == "" || l.Submitted.IsZero() || len(l.Documents) == 0 {
		return invalid("xdm-lot-incomplete", "patient, source, time of submission and a document are required")
	}
	if len(l.Documents) > lotMax {
		return invalid("zip-too-many-entries", "%d documents", len(l.Documents))
	}
	for i, d := range l.Documents {
		e := d.Entry
		if e.UniqueID == "" || e.MIME == "" || e.Type.Code == "" || e.Created.At.IsZero() || d.Body == nil {
			return invalid("xdm-lot-incomplete", "document %d: unique id, MIME type, type, time of creation and a body are required", i+1)
		}
	}
	return nil
}

// extension is the last part of a document's file name.
func extension(mime string) string {
	switch mime {
	case "text/xml", "application/xml":
		return "XML"
	case "application/pdf":
		return "PDF"
	case "text/plain":
		return "TXT"
	case "text/rtf", "application/rtf":
		return "RTF"
	case "image/jpeg":
		return "JPG"
	case "image/png":
		return "PNG"
	case "image/tiff":
		return "TIF"
	default:
		return "BIN"
	}
}

// writer writes the archive's files.
type writer struct {
	zip     *zip.Writer
	at      time.Time
	headers []*zip.FileHeader
	total   int64
}

func (z *writer) create(name string, method uint16) (io.Writer, error) {
	h := &zip.FileHeader{Name: name, Method: method, Modified: z.at}
	z.headers = append(z.headers, h)
	return z.zip.CreateHeader(h)
}

func (z *writer) file(name string, content []byte) error {
	w, err := z.create(name, zip.Deflate)
	if err != nil {
		return err
	}
	if z.total += int64(len(content)); z.total > defaultTotal {
		return fault.New(fault.Invalid, "zip-too-large")
	}
	_, err = w.Write(content)
	return err
}

// document streams a body into the archive and notes its size and hash in the entry.
func (z *writer) document(e *Entry, body io.Reader) error {
	method := zip.Deflate
	switch extension(e.MIME) {
	case "PDF", "JPG", "PNG":
		method = zip.Store // compressed already
	}
	w, err := z.create("IHE_XDM/SUBSET01/"+e.URI, method)
	if err != nil {
		return err
	}
	sum := sha1.New()
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(body, defaultOne+1))
	if err != nil {
		return err
	}
	if z.total += n; n > defaultOne || z.total > defaultTotal {
		return fault.New(fault.Invalid, "zip-too-large")
	}
	e.Size, e.Hash = n, hex.EncodeToString(sum.Sum(nil))
	return nil
}

// checkRatio refuses what our own reader would take for a bomb.
func (z *writer) checkRatio() error {
	for _, h := range z.headers {
		if h.UncompressedSize64 > ratioFloor && h.UncompressedSize64/defaultRatio > h.CompressedSize64 {
			return fault.New(fault.Invalid, "zip-ratio")
		}
	}
	return nil
}

// random returns the 16 octets of a version 4 UUID (RFC 9562 5.4).
func random() [16]byte {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return b
}

func newUUID() string {
	b := random()
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newOID is a UUID as an OID (ITU-T X.667: arc 2.25).
func newOID() string {
	b := random()
	return "2.25." + new(big.Int).SetBytes(b[:]).String()
}
