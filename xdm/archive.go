package xdm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
)

// Signatures and fixed sizes of the ZIP format (APPNOTE.TXT 4.3).
const (
	sigLocal      = 0x04034b50 // 4.3.7
	sigCentral    = 0x02014b50 // 4.3.12
	sigEnd        = 0x06054b50 // 4.3.16
	sigDescriptor = 0x08074b50 // 4.3.9.3

	localSize   = 30
	centralSize = 46
	endSize     = 22
	maxComment  = 1<<16 - 1
)

// directoryMax is the largest central directory that is read: 200 entries take 20 KiB.
const directoryMax = 1 << 20

// archive is a checked ZIP archive. Every octet of its source belongs to exactly one
// of: an entry with its headers, the central directory, the end record.
type archive struct {
	src     io.ReaderAt
	size    int64
	limits  Limits
	members []*member
	byKey   map[string]*member
}

// member is one entry, as both its headers describe it.
type member struct {
	raw  string // the name's octets, as both headers have them
	name string // the path, with "/" and without one at its end
	key  string // the path as names are compared
	dir  bool
	junk bool

	flags, method uint16
	crc           uint32
	packed, plain int64
	header, body  int64 // offsets of the local header and of the data
}

// readArchive reads and checks the directory and each local header; no data.
func readArchive(src io.ReaderAt, size int64, l Limits) (*archive, error) {
	a := &archive{src: src, size: size, limits: l, byKey: map[string]*member{}}
	end, err := a.endRecord()
	if err != nil {
		return nil, err
	}
	if end.count > l.Entries {
		return nil, invalid("zip-too-many-entries", "%d entries, %d allowed", end.count, l.Entries)
	}
	if end.length > directoryMax {
		return nil, invalid("zip-too-large", "a directory of %d octets", end.length)
	}
	// What stands before the first entry or between directory and end record moves
	// these sums: two archives in a row, a PDF in front (spec security 2.3).
	if end.offset+end.length != end.at {
		return nil, invalid("zip-ambiguous", "the directory does not end at the end record")
	}
	directory := make([]byte, end.length)
	if err := a.readFull(directory, end.offset); err != nil {
		return nil, err
	}
	var total int64
	for range end.count {
		var m *member
		if m, directory, err = centralHeader(directory); err != nil {
			return nil, err
		}
		if err := a.admit(m); err != nil {
			return nil, err
		}
		if m.plain > l.Total-total {
			return nil, invalid("zip-too-large", "more than %d octets in all", l.Total)
		}
		total += m.plain
	}
	if len(directory) > 0 {
		return nil, invalid("zip-malformed", "%d octets after the last directory header", len(directory))
	}
	if err := a.checkParents(); err != nil {
		return nil, err
	}
	if err := a.checkLayout(end.offset); err != nil {
		return nil, err
	}
	return a, nil
}

// endRecord is what the end record says (4.3.16), and where it stands.
type endRecord struct {
	count              int
	at, offset, length int64
}

// endRecord finds the one end record. It has to end where the source ends, comment
// included, and no other may hide in that comment.
func (a *archive) endRecord() (endRecord, error) {
	if a.size < endSize {
		return endRecord{}, invalid("zip-malformed", "%d octets are no archive", a.size)
	}
	tail := make([]byte, min(a.size, endSize+maxComment))
	start := a.size - int64(len(tail))
	if err := a.readFull(tail, start); err != nil {
		return endRecord{}, err
	}
	signature := binary.LittleEndian.AppendUint32(nil, sigEnd)
	at := bytes.LastIndex(tail, signature)
	if at < 0 || len(tail)-at < endSize {
		return endRecord{}, invalid("zip-malformed", "no end record")
	}
	b := tail[at:]
	if int(binary.LittleEndian.Uint16(b[20:])) != len(b)-endSize {
		return endRecord{}, invalid("zip-ambiguous", "octets after the end record")
	}
	disk, dirDisk := binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:])
	here, count := binary.LittleEndian.Uint16(b[8:]), binary.LittleEndian.Uint16(b[10:])
	if disk != 0 || dirDisk != 0 || here != count {
		return endRecord{}, invalid("zip-malformed", "an archive of several disks")
	}
	return endRecord{
		count:  int(count),
		at:     start + int64(at),
		length: int64(binary.LittleEndian.Uint32(b[12:])),
		offset: int64(binary.LittleEndian.Uint32(b[16:])),
	}, nil
}

// admit applies the rules for one entry and takes it in.
func (a *archive) admit(m *member) error {
	if m.plain > a.limits.One {
		return invalid("zip-too-large", "an entry of %d octets", m.plain)
	}
	if m.plain > ratioFloor && m.plain/a.limits.Ratio > m.packed {
		return invalid("zip-ratio", "%d octets out of %d", m.plain, m.packed)
	}
	if a.byKey[m.key] != nil {
		return invalid("zip-duplicate-name", "two entries differ at most by case")
	}
	a.byKey[m.key] = m
	a.members = append(a.members, m)
	return nil
}

// checkParents refuses a file that is another entry's folder.
func (a *archive) checkParents() error {
	for _, m := range a.members {
		for key := m.key; ; {
			slash := strings.LastIndexByte(key, '/')
			if slash < 0 {
				break
			}
			key = key[:slash]
			if parent := a.byKey[key]; parent != nil && !parent.dir {
				return invalid("zip-duplicate-name", "a file with entries below it")
			}
		}
	}
	return nil
}

// checkLayout reads every local header and sees that the entries fill the source up
// to the directory, without a gap and without sharing an octet (the non-recursive zip
// bomb: D. Fifield, "A better zip bomb", 2019).
func (a *archive) checkLayout(directory int64) error {
	ordered := slices.Clone(a.members)
	slices.SortFunc(ordered, func(x, y *member) int { return int(min(max(x.header-y.header, -1), 1)) })
	var next int64
	for _, m := range ordered {
		switch {
		case m.header < next:
			return invalid("zip-overlap", "two entries share octets")
		case m.header > next:
			return invalid("zip-ambiguous", "octets before an entry")
		}
		end, err := a.localHeader(m, directory)
		if err != nil {
			return err
		}
		next = end
	}
	if next != directory {
		return invalid("zip-ambiguous", "octets before the directory")
	}
	return nil
}

// readFull reads len(b) octets at off. What lies outside the source is malformed.
func (a *archive) readFull(b []byte, off int64) error {
	if off < 0 || off > a.size-int64(len(b)) {
		return invalid("zip-malformed", "an offset outside the archive")
	}
	if len(b) == 0 {
		return nil
	}
	n, err := a.src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
