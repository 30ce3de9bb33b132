package xdm_test

import (
	"bytes"
	"compress/flate"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/vaguemestre/vaguemestre/xdm"
)

// part is one entry of an archive to be made by hand, right unless a hook makes it
// wrong: each gets the octets of one header, name and extra field behind it.
type part struct {
	name           string
	data           []byte
	deflate        bool
	attributes     uint32 // external: Unix mode << 16 | DOS
	flags          uint16
	extra          []byte // in both headers
	packed         []byte // instead of the deflated or stored data
	before, after  []byte // octets around the entry
	descriptor     []byte // after the data; the flag is set when there is one
	local, central func([]byte)
}

// pack makes an archive of parts; end hooks the end record, tail stands behind it.
func pack(parts []part, end func([]byte), tail []byte) []byte {
	var out, directory bytes.Buffer
	le := binary.LittleEndian
	for _, p := range parts {
		out.Write(p.before)
		packed, method := p.data, uint16(0)
		if p.deflate {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, 9)
			_, _ = w.Write(p.data)
			_ = w.Close()
			packed, method = b.Bytes(), 8
		}
		if p.packed != nil {
			packed = p.packed
		}
		if p.descriptor != nil {
			p.flags |= 8
		}
		header := out.Len()
		var common []byte // from flags to the length of the extra field
		common = le.AppendUint16(common, p.flags)
		common = le.AppendUint16(common, method)
		common = le.AppendUint32(common, 0)
		common = le.AppendUint32(common, crc32.ChecksumIEEE(p.data))
		common = le.AppendUint32(common, uint32(len(packed)))
		common = le.AppendUint32(common, uint32(len(p.data)))
		common = le.AppendUint16(common, uint16(len(p.name)))
		common = le.AppendUint16(common, uint16(len(p.extra)))
		local := append(append([]byte("PK\x03\x04\x14\x00"), common...), p.name+string(p.extra)...)
		if p.descriptor != nil {
			clear(local[14:26])
		}
		if p.local != nil {
			p.local(local)
		}
		out.Write(local)
		out.Write(packed)
		out.Write(p.descriptor)
		out.Write(p.after)
		central := append([]byte("PK\x01\x02\x14\x03\x14\x00"), common...)
		central = append(central, make([]byte, 6)...) // comment, disk, internal attributes
		central = le.AppendUint32(central, p.attributes)
		central = le.AppendUint32(central, uint32(header))
		central = append(central, p.name+string(p.extra)...)
		if p.central != nil {
			p.central(central)
		}
		directory.Write(central)
	}
	at := out.Len()
	out.Write(directory.Bytes())
	record := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	le.PutUint16(record[8:], uint16(len(parts)))
	le.PutUint16(record[10:], uint16(len(parts)))
	le.PutUint32(record[12:], uint32(directory.Len()))
	le.PutUint32(record[16:], uint32(at))
	if end != nil {
		end(record)
	}
	out.Write(record)
	out.Write(tail)
	return out.Bytes()
}

// text is a document that the small package lists.
const text = "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>"

// entryXML is an ExtrinsicObject for a document with these octets.
func entryXML(id, uri, patient string, content []byte) string {
	sum := sha1.Sum(content)
	return fmt.Sprintf(`<ExtrinsicObject id=%q mimeType="text/xml" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">
<Slot name="URI"><ValueList><Value>%s</Value></ValueList></Slot>
<Slot name="hash"><ValueList><Value>%s</Value></ValueList></Slot>
<Slot name="size"><ValueList><Value>%d</Value></ValueList></Slot>
<ExternalIdentifier identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" value="1.2.3.%s"/>
<ExternalIdentifier identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427" value=%q/>
</ExtrinsicObject>`, id, uri, hex.EncodeToString(sum[:]), len(content), id, patient)
}

// request is a METADATA.XML around objects.
func request(objects string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>
<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
<RegistryObjectList>` + objects + `</RegistryObjectList></lcm:SubmitObjectsRequest>`)
}

const (
	somebody     = "279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"
	somebodyElse = "277076322082910^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"
)

// small is a package of one document, with more entries behind it.
func small(more ...part) []part {
	return append([]part{
		{name: "README.TXT", data: []byte("read me")},
		{name: "IHE_XDM/SUBSET01/DOC0001.XML", data: []byte(text), deflate: true},
		{name: "IHE_XDM/SUBSET01/METADATA.XML", data: request(entryXML("1", "DOC0001.XML", somebody, []byte(text))), deflate: true},
	}, more...)
}

// open opens an archive and reads its documents.
func open(t testing.TB, raw []byte) (*xdm.Package, error) {
	t.Helper()
	p, err := xdm.Open(bytes.NewReader(raw), int64(len(raw)), xdm.Limits{})
	if err != nil {
		return nil, err
	}
	for _, e := range p.Documents() {
		if _, err := read(p, e); err != nil {
			return nil, err
		}
	}
	return p, nil
}
