package xdm

import (
	"encoding/binary"
	"math"
	"strings"
)

// Flag bits and methods (APPNOTE.TXT 4.4.4, 4.4.5).
const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagPatch      = 1 << 5
	flagStrong     = 1 << 6
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13

	methodStored   = 0
	methodDeflated = 8
)

// Extra fields (4.5.2, 4.6.9).
const (
	extraZip64       = 0x0001
	extraUnicodePath = 0x7075
)

// Unix file modes in the upper half of the external attributes, and the DOS folder bit.
const (
	modeType    = 0o170000
	modeFolder  = 0o040000
	modeRegular = 0o100000
	modeSpecial = 0o007000 // setuid, setgid, sticky
	dosFolder   = 0x10
)

// centralHeader reads the first header of the directory (4.3.12) and returns the rest.
func centralHeader(b []byte) (*member, []byte, error) {
	if len(b) < centralSize || binary.LittleEndian.Uint32(b) != sigCentral {
		return nil, nil, invalid("zip-malformed", "no directory header where one has to be")
	}
	le := binary.LittleEndian
	nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	rest := b[centralSize:]
	if len(rest) < nameLen+extraLen+commentLen {
		return nil, nil, invalid("zip-malformed", "a directory header is cut")
	}
	m := &member{
		raw:   string(rest[:nameLen]),
		flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:]),
		packed: int64(le.Uint32(b[20:])), plain: int64(le.Uint32(b[24:])), header: int64(le.Uint32(b[42:])),
	}
	if le.Uint16(b[34:]) != 0 {
		return nil, nil, invalid("zip-malformed", "an entry on another disk")
	}
	extra := rest[nameLen : nameLen+extraLen]
	if err := m.readExtra(extra, &m.plain, &m.packed, &m.header); err != nil {
		return nil, nil, err
	}
	if err := m.checkKind(le.Uint32(b[38:])); err != nil {
		return nil, nil, err
	}
	return m, rest[nameLen+extraLen+commentLen:], nil
}

// readExtra walks the extra fields: a zip64 field gives the values that the header
// left at 0xFFFFFFFF, in that order (4.5.3); a Unicode path may only repeat the name.
func (m *member) readExtra(extra []byte, wide ...*int64) error {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			return invalid("zip-malformed", "an extra field is cut")
		}
		field := extra[:n]
		extra = extra[n:]
		switch id {
		case extraUnicodePath:
			if len(field) < 5 || string(field[5:]) != m.raw {
				return invalid("zip-ambiguous", "a Unicode path that differs from the name")
			}
		case extraZip64:
			for _, value := range wide {
				if *value != math.MaxUint32 {
					continue
				}
				if len(field) < 8 || le.Uint64(field) > math.MaxInt64 {
					return invalid("zip-malformed", "a zip64 field is cut or absurd")
				}
				*value, field = int64(le.Uint64(field)), field[8:]
			}
		}
	}
	return nil
}

// checkKind refuses what is neither a plain file nor an empty folder.
func (m *member) checkKind(attributes uint32) error {
	switch {
	case m.flags&(flagEncrypted|flagStrong|flagMasked) != 0:
		return invalid("zip-encrypted", "an encrypted entry")
	case m.flags&flagPatch != 0 || m.method != methodStored && m.method != methodDeflated:
		return invalid("zip-method", "compression method %d", m.method)
	case m.method == methodStored && m.packed != m.plain:
		return invalid("zip-malformed", "a stored entry with two sizes")
	}
	path, err := cleanName(m.raw, m.flags&flagUTF8 != 0)
	if err != nil {
		return err
	}
	m.name = strings.TrimSuffix(path, "/")
	m.dir = m.name != path
	m.key, m.junk = nameKey(m.name), isJunk(m.name)
	mode := attributes >> 16
	kind := mode & modeType
	switch {
	case kind != 0 && kind != modeFolder && kind != modeRegular, mode&modeSpecial != 0 && kind != modeFolder:
		return invalid("zip-special-entry", "a link, a device or a file with special rights")
	case !m.dir && (kind == modeFolder || attributes&dosFolder != 0), m.dir && kind == modeRegular:
		return invalid("zip-special-entry", "a name and a kind that differ")
	// Some writers deflate the nothing of a folder into two octets.
	case m.dir && (m.plain != 0 || m.packed > 2):
		return invalid("zip-special-entry", "a folder with content")
	}
	return nil
}

// localHeader reads the header in front of the data (4.3.7), compares it with the
// directory's, and returns where the entry ends, its data descriptor included.
func (a *archive) localHeader(m *member, directory int64) (int64, error) {
	var b [localSize]byte
	if err := a.readFull(b[:], m.header); err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	if le.Uint32(b[:]) != sigLocal {
		return 0, invalid("zip-malformed", "no local header where one has to be")
	}
	nameLen, extraLen := int(le.Uint16(b[26:])), int(le.Uint16(b[28:]))
	rest := make([]byte, nameLen+extraLen)
	if err := a.readFull(rest, m.header+localSize); err != nil {
		return 0, err
	}
	packed, plain := int64(le.Uint32(b[18:])), int64(le.Uint32(b[22:]))
	if err := m.readExtra(rest[nameLen:], &plain, &packed); err != nil {
		return 0, err
	}
	differ := string(rest[:nameLen]) != m.raw || le.Uint16(b[6:]) != m.flags || le.Uint16(b[8:]) != m.method
	described := m.flags&flagDescriptor != 0
	same := le.Uint32(b[14:]) == m.crc && packed == m.packed && plain == m.plain
	// With a descriptor the three values may be zero here (4.4.4), nothing else.
	empty := described && le.Uint32(b[14:]) == 0 && packed <= 0 && plain <= 0
	if differ || !same && !empty {
		return 0, invalid("zip-ambiguous", "an entry's two headers differ")
	}
	m.body = m.header + localSize + int64(len(rest))
	end := m.body + m.packed
	if m.packed < 0 || end < m.body || end > directory {
		return 0, invalid("zip-overlap", "an entry runs into the directory")
	}
	if described {
		n, err := a.descriptor(m, end, directory)
		if err != nil {
			return 0, err
		}
		end += n
	}
	return end, nil
}

// descriptor returns the length of the data descriptor after the data (4.3.9), which
// has to repeat the directory. Writers put a signature in front of it or do not, and
// sizes of 4 or of 8 octets.
func (a *archive) descriptor(m *member, at, directory int64) (int64, error) {
	b := make([]byte, min(24, directory-at))
	if err := a.readFull(b, at); err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	for _, signed := range []bool{true, false} {
		rest := b
		if signed {
			if len(rest) < 4 || le.Uint32(rest) != sigDescriptor {
				continue
			}
			rest = rest[4:]
		}
		skipped := int64(len(b) - len(rest))
		if len(rest) >= 20 && le.Uint32(rest) == m.crc && le.Uint64(rest[4:]) == uint64(m.packed) && le.Uint64(rest[12:]) == uint64(m.plain) {
			return skipped + 20, nil
		}
		if len(rest) >= 12 && le.Uint32(rest) == m.crc && int64(le.Uint32(rest[4:])) == m.packed && int64(le.Uint32(rest[8:])) == m.plain {
			return skipped + 12, nil
		}
	}
	return 0, invalid("zip-ambiguous", "a data descriptor that differs from the directory")
}
