package xdm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/xdm"
)

func put16(at int, v uint16) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint16(b[at:], v) }
}

func put32(at int, v uint32) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
}

// descriptor is what may stand behind the data of an entry (APPNOTE.TXT 4.3.9).
func descriptor(data []byte, signed, wide bool, lie uint32) []byte {
	var b []byte
	le := binary.LittleEndian
	if signed {
		b = append(b, "PK\x07\x08"...)
	}
	b = le.AppendUint32(b, crc32.ChecksumIEEE(data)+lie)
	for range 2 {
		b = le.AppendUint32(b, uint32(len(data)))
		if wide {
			b = le.AppendUint32(b, 0)
		}
	}
	return b
}

// extra is an extra field.
func extra(id uint16, data string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// zip64 is a zip64 extra field for a stored entry of n octets.
func zip64(n uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, n)
	return extra(1, string(binary.LittleEndian.AppendUint64(b, n)))
}

// wide puts both sizes at the mark that sends the reader to the zip64 field.
func wide(at int) func([]byte) {
	return func(b []byte) { copy(b[at:], "\xff\xff\xff\xff\xff\xff\xff\xff") }
}

// TestArchives opens a good package with one more entry, or with one thing wrong.
func TestArchives(t *testing.T) {
	t.Parallel()
	note := []byte("a note")
	const at = "HELP/NOTE.TXT"
	for name, row := range map[string]struct {
		raw  []byte
		want string
	}{
		"plain":                       {pack(small(), nil, nil), ""},
		"deflated":                    {pack(small(part{name: at, data: note, deflate: true}), nil, nil), ""},
		"empty file":                  {pack(small(part{name: at}), nil, nil), ""},
		"folder":                      {pack(small(part{name: "HELP/", attributes: 0o40755<<16 | 0x10}, part{name: at, data: note}), nil, nil), ""},
		"folder deflated to nothing":  {pack(small(part{name: "HELP/", deflate: true, packed: []byte{3, 0}}), nil, nil), ""},
		"regular file of Unix":        {pack(small(part{name: at, data: note, attributes: 0o100644 << 16}), nil, nil), ""},
		"backslashes":                 {pack(small(part{name: `HELP\NOTE.TXT`, data: note}), nil, nil), ""},
		"accents":                     {pack(small(part{name: "HELP/Résumé.TXT", data: note, flags: 1 << 11}), nil, nil), ""},
		"accents of code page 437":    {pack(small(part{name: "HELP/R\x82sum\x82.TXT", data: note}), nil, nil), ""},
		"descriptor":                  {pack(small(part{name: at, data: note, descriptor: descriptor(note, true, false, 0)}), nil, nil), ""},
		"descriptor without mark":     {pack(small(part{name: at, data: note, descriptor: descriptor(note, false, false, 0)}), nil, nil), ""},
		"descriptor of zip64":         {pack(small(part{name: at, data: note, descriptor: descriptor(note, true, true, 0)}), nil, nil), ""},
		"descriptor of zip64, bare":   {pack(small(part{name: at, data: note, descriptor: descriptor(note, false, true, 0)}), nil, nil), ""},
		"zip64 entry":                 {pack(small(part{name: at, data: note, extra: zip64(6), local: wide(18), central: wide(20)}), nil, nil), ""},
		"comment":                     {pack(small(), put16(20, 5), []byte("salut")), ""},
		"unicode path of the same":    {pack(small(part{name: at, data: note, extra: extra(0x7075, "\x01crc4"+at)}), nil, nil), ""},
		"litter":                      {pack(small(part{name: "IHE_XDM/SUBSET01/.DS_Store", data: note}, part{name: "__MACOSX/IHE_XDM/SUBSET01/._METADATA.XML", data: note}), nil, nil), ""},
		"style sheet, copy as PDF":    {pack(small(part{name: "IHE_XDM/SUBSET01/CDA.XSL", data: note}, part{name: "IHE_XDM/SUBSET01/PDF/DOC0001.PDF", data: note}), nil, nil), ""},
		"readme beside the documents": {pack(small(part{name: "IHE_XDM/SUBSET01/README.TXT", data: note}), nil, nil), ""},

		"nothing":                     {nil, "zip-malformed"},
		"no archive":                  {bytes.Repeat([]byte("no archive "), 9000), "zip-malformed"},
		"end record cut":              {pack(small(), nil, nil)[:300], "zip-malformed"},
		"octets behind":               {pack(small(), nil, []byte("x")), "zip-ambiguous"},
		"end record in the comment":   {pack(small(), put16(20, 22), append([]byte("PK\x05\x06"), make([]byte, 18)...)), "zip-ambiguous"},
		"octets in front":             {append([]byte("%PDF-1.7 "), pack(small(), nil, nil)...), "zip-ambiguous"},
		"two archives":                {append(pack(small(), nil, nil), pack(small(), nil, nil)...), "zip-ambiguous"},
		"octets before an entry":      {pack(small(part{name: at, data: note, before: []byte("x")}), nil, nil), "zip-ambiguous"},
		"octets before the directory": {pack(small(part{name: at, data: note, after: []byte("x")}), nil, nil), "zip-ambiguous"},
		"octets after deflated data":  {pack(small(part{name: at, data: note, deflate: true, packed: append(deflated(note), 'x')}), nil, nil), "zip-ambiguous"},
		"several disks":               {pack(small(), put16(4, 1), nil), "zip-malformed"},
		"entry on another disk":       {pack(small(part{name: at, data: note, central: put16(34, 1)}), nil, nil), "zip-malformed"},
		"fewer entries than said":     {pack(small(), put32(8, 0x00040004), nil), "zip-malformed"},
		"more entries than said":      {pack(small(), put32(8, 0x00020002), nil), "zip-malformed"},
		"zip64 end record":            {pack(small(), put32(8, 0xffffffff), nil), "zip-too-many-entries"},
		"directory far away":          {pack(small(), put32(16, 1<<31), nil), "zip-ambiguous"},
		"shared entry":                {pack(small(part{name: at, data: note, central: put32(42, 0)}), nil, nil), "zip-overlap"},
		"entry over the directory":    {pack(small(part{name: at, data: note, local: put32(18, 9999), central: both(put32(20, 9999), put32(24, 9999))}), nil, nil), "zip-ambiguous"},
		"deflated over the directory": {pack(small(part{name: at, data: note, deflate: true, local: put32(18, 9999), central: put32(20, 9999)}), nil, nil), "zip-overlap"},
		"header outside":              {pack(small(part{name: at, data: note, central: put32(42, 1<<30)}), nil, nil), "zip-ambiguous"},
		"no local header":             {pack(small(part{name: at, data: note, local: put32(0, 0)}), nil, nil), "zip-malformed"},
		"no directory header":         {pack(small(part{name: at, data: note, central: put32(0, 0)}), nil, nil), "zip-malformed"},
		"name longer than the header": {pack(small(part{name: at, data: note, central: put16(28, 9999)}), nil, nil), "zip-malformed"},
		"another name in front":       {pack(small(part{name: at, data: note, local: func(b []byte) { b[30] = 'X' }}), nil, nil), "zip-ambiguous"},
		"another size in front":       {pack(small(part{name: at, data: note, local: put32(22, 7)}), nil, nil), "zip-ambiguous"},
		"another CRC in front":        {pack(small(part{name: at, data: note, local: put32(14, 7)}), nil, nil), "zip-ambiguous"},
		"another method in front":     {pack(small(part{name: at, data: note, local: put16(8, 8)}), nil, nil), "zip-ambiguous"},
		"descriptor that lies":        {pack(small(part{name: at, data: note, descriptor: descriptor(note, true, false, 1)}), nil, nil), "zip-ambiguous"},
		"descriptor that is missing":  {pack(small(part{name: at, data: note, descriptor: []byte{}}), nil, nil), "zip-ambiguous"},
		"zip64 field cut":             {pack(small(part{name: at, data: note, extra: extra(1, "1234"), local: wide(18), central: wide(20)}), nil, nil), "zip-malformed"},
		"zip64 size over 2^63":        {pack(small(part{name: at, data: note, extra: zip64(1 << 63), local: wide(18), central: wide(20)}), nil, nil), "zip-malformed"},
		"extra field cut":             {pack(small(part{name: at, data: note, extra: []byte("\x01\x00\xff\xff1234")}), nil, nil), "zip-malformed"},
		"unicode path of another":     {pack(small(part{name: at, data: note, extra: extra(0x7075, "\x01crc4IHE_XDM/SUBSET01/DOC0001.XML")}), nil, nil), "zip-ambiguous"},
		"stored with two sizes":       {pack(small(part{name: at, data: note, central: put32(24, 7)}), nil, nil), "zip-malformed"},
		"wrong CRC":                   {pack(small(part{name: at, data: note, local: put32(14, 7), central: put32(16, 7)}), nil, nil), "zip-crc"},
		"more octets than said":       {pack(small(part{name: at, data: note, deflate: true, local: put32(22, 5), central: put32(24, 5)}), nil, nil), "zip-malformed"},
		"fewer octets than said":      {pack(small(part{name: at, data: note, deflate: true, local: put32(22, 7), central: put32(24, 7)}), nil, nil), "zip-malformed"},
		"no deflated data":            {pack(small(part{name: at, data: note, deflate: true, packed: []byte("\xff\xff\xff")}), nil, nil), "zip-malformed"},
		"encrypted":                   {pack(small(part{name: at, data: note, flags: 1}), nil, nil), "zip-encrypted"},
		"masked":                      {pack(small(part{name: at, data: note, flags: 1 << 13}), nil, nil), "zip-encrypted"},
		"patch data":                  {pack(small(part{name: at, data: note, flags: 1 << 5}), nil, nil), "zip-method"},
		"bzip2":                       {pack(small(part{name: at, data: note, local: put16(8, 12), central: put16(10, 12)}), nil, nil), "zip-method"},
		"symbolic link":               {pack(small(part{name: at, data: note, attributes: 0o120777 << 16}), nil, nil), "zip-special-entry"},
		"device":                      {pack(small(part{name: at, attributes: 0o060600 << 16}), nil, nil), "zip-special-entry"},
		"setuid":                      {pack(small(part{name: at, data: note, attributes: 0o104755 << 16}), nil, nil), "zip-special-entry"},
		"folder with content":         {pack(small(part{name: "HELP/", data: note}), nil, nil), "zip-special-entry"},
		"folder by its mode only":     {pack(small(part{name: "HELP", attributes: 0o40755 << 16}), nil, nil), "zip-special-entry"},
		"file below a file":           {pack(small(part{name: "HELP", data: note}, part{name: at, data: note}), nil, nil), "zip-duplicate-name"},
		"one name twice":              {pack(small(part{name: "readme.txt", data: note}), nil, nil), "zip-duplicate-name"},
		"one name in two forms":       {pack(small(part{name: "H/\u00e9", data: note}, part{name: "H/e\u0301", data: note}), nil, nil), "zip-duplicate-name"},
		"right to left name":          {pack(small(part{name: "HELP/\u202etxt.exe", data: note}), nil, nil), "zip-path"},
		"no name":                     {pack(small(part{name: "", data: note}), nil, nil), "zip-path"},
		"UTF-8 that is none":          {pack(small(part{name: "HELP/\xff", data: note, flags: 1 << 11}), nil, nil), "zip-path"},
		"name of a share":             {pack(small(part{name: `\\server\share`, data: note}), nil, nil), "zip-path"},
		"nested":                      {pack(small(part{name: "HELP/A.ZIP", data: pack(small(), nil, nil)}), nil, nil), "zip-nested"},
		"nested, another name":        {pack(small(part{name: at, data: []byte("7z\xbc\xaf\x27\x1c")}), nil, nil), "zip-nested"},
		"ratio":                       {pack(small(part{name: at, data: make([]byte, 1<<20), deflate: true}), nil, nil), "zip-ratio"},
		"document in the folder":      {pack(small(part{name: "IHE_XDM/SUBSET01/MORE.PDF", data: note}), nil, nil), "xdm-document-unlisted"},
		"document below the folder":   {pack(small(part{name: "IHE_XDM/SUBSET01/SUB/MORE.XML", data: note}), nil, nil), "xdm-document-unlisted"},
		"document of no set":          {pack(small(part{name: "IHE_XDM/SUBSET02/DOC0001.XML", data: note}), nil, nil), "xdm-document-unlisted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, row.raw)
			if err == nil && row.want == "" {
				return
			}
			if got := fault.Reason(err); got != row.want || !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func both(f, g func([]byte)) func([]byte) { return func(b []byte) { f(b); g(b) } }

// deflated is the raw deflate of data as pack makes it.
func deflated(data []byte) []byte {
	raw := pack([]part{{name: "x", data: data, deflate: true}}, nil, nil)
	return raw[31 : 31+binary.LittleEndian.Uint32(raw[18:])]
}

// TestDocumentsAreCheckedAtTheirEnd reads a document whose archive or metadata lie.
func TestDocumentsAreCheckedAtTheirEnd(t *testing.T) {
	t.Parallel()
	lie := func(old, new string) []byte {
		parts := small()
		parts[2].data = bytes.Replace(parts[2].data, []byte(old), []byte(new), 1)
		return pack(parts, nil, nil)
	}
	crc := small()
	crc[1].local, crc[1].central = put32(14, 7), put32(16, 7)
	nested := small()
	nested[1].data = []byte("PK\x03\x04 a document that is an archive")
	nested[2].data = request(entryXML("1", "DOC0001.XML", somebody, nested[1].data))
	for name, row := range map[string]struct {
		raw  []byte
		want string
	}{
		"size":          {lie("<Value>42<", "<Value>41<"), "xdm-size-mismatch"},
		"size, no sum":  {lie("<Value>42<", "<Value>forty-two<"), "xdm-size-mismatch"},
		"negative size": {lie("<Value>42<", "<Value>-1<"), "xdm-size-mismatch"},
		"hash":          {lie("<Slot name=\"hash\"><ValueList><Value>", "<Slot name=\"hash\"><ValueList><Value>0"), "xdm-hash-mismatch"},
		"crc":           {pack(crc, nil, nil), "zip-crc"},
		"nested":        {pack(nested, nil, nil), "zip-nested"},
	} {
		p, err := xdm.Open(bytes.NewReader(row.raw), int64(len(row.raw)), xdm.Limits{})
		if err != nil {
			t.Errorf("%s: not opened: %v", name, err)
			continue
		}
		if _, err := read(p, p.Documents()[0]); fault.Reason(err) != row.want {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
	upper := small()
	upper[2].data = []byte(strings.ReplaceAll(string(upper[2].data), "hash\"><ValueList><Value>", "hash\"><ValueList><Value> "))
	if _, err := open(t, pack(upper, nil, nil)); err != nil {
		t.Errorf("a blank before the hash: %v", err)
	}
}

// TestEntryOfAnotherPackage is a mistake of the caller.
func TestEntryOfAnotherPackage(t *testing.T) {
	t.Parallel()
	one, err := open(t, pack(small(), nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	two, err := open(t, pack(small(), nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*xdm.Entry{two.Documents()[0], {}} {
		if _, err := one.Document(e); !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v, want not found", err)
		}
	}
}

// failing is a source that ends with an error of its own.
type failing struct {
	io.ReaderAt
	after int64
}

var errSource = errors.New("the disk is away")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off >= f.after {
		return 0, errSource
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestErrorsOfTheSourceAreNoVerdict lets every read fail in turn: a source that cannot
// be read says nothing about the package.
func TestErrorsOfTheSourceAreNoVerdict(t *testing.T) {
	t.Parallel()
	raw := pack(small(), nil, nil)
	for after := int64(0); after < int64(len(raw)); after += 7 {
		p, err := xdm.Open(failing{bytes.NewReader(raw), after}, int64(len(raw)), xdm.Limits{})
		if err == nil {
			_, err = read(p, p.Documents()[0])
		}
		if err != nil && !errors.Is(err, errSource) {
			t.Errorf("failing after %d: %v", after, err)
		}
	}
}
