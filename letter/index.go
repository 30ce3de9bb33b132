package letter

import "bytes"

// fieldID names a header field that the walker reads.
type fieldID uint8

const (
	fieldOther fieldID = iota
	fieldContentType
	fieldEncoding
	fieldDisposition
	fieldContentID
	fieldDescription
	fieldMD5
	fieldLanguage
	fieldLocation
	fieldMIMEVersion
	fieldDate
	fieldSubject
	fieldFrom
	fieldSender
	fieldReplyTo
	fieldTo
	fieldCc
	fieldBcc
	fieldInReplyTo
	fieldMessageID
	fieldReceived
	fieldCount
)

// identify returns the id of a field name.
func identify(name []byte) fieldID {
	var buf [25]byte // the longest name below
	if len(name) > len(buf) {
		return fieldOther
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	switch string(buf[:len(name)]) {
	case "content-type":
		return fieldContentType
	case "content-transfer-encoding":
		return fieldEncoding
	case "content-disposition":
		return fieldDisposition
	case "content-id":
		return fieldContentID
	case "content-description":
		return fieldDescription
	case "content-md5":
		return fieldMD5
	case "content-language":
		return fieldLanguage
	case "content-location":
		return fieldLocation
	case "mime-version":
		return fieldMIMEVersion
	}
	return identifyMessage(string(buf[:len(name)]))
}

// identifyMessage returns the id of a message's field; name is in lower case.
func identifyMessage(name string) fieldID {
	switch name {
	case "date":
		return fieldDate
	case "subject":
		return fieldSubject
	case "from":
		return fieldFrom
	case "sender":
		return fieldSender
	case "reply-to":
		return fieldReplyTo
	case "to":
		return fieldTo
	case "cc":
		return fieldCc
	case "bcc":
		return fieldBcc
	case "in-reply-to":
		return fieldInReplyTo
	case "message-id":
		return fieldMessageID
	case "received":
		return fieldReceived
	}
	return fieldOther
}

// index holds the first field of each name of one header block.
type index struct {
	values [fieldCount][]byte // what follows the colon, folded
	counts [fieldCount]int
}

// readIndex indexes a header block and notes what is odd about its lines.
func readIndex(header []byte, d *doubts) index {
	var h index
	for first := true; len(header) > 0 && !blank(header); first = false {
		f := cutField(header)
		header = header[len(f.raw):]
		if f.name == nil {
			if !first || !mailboxLine(f.raw) {
				d.add(doubtNoField)
			}
			continue
		}
		if f.spaced {
			d.add(doubtSpaceColon)
		}
		id := identify(f.name)
		if id == fieldOther {
			continue
		}
		if h.counts[id]++; h.counts[id] == 1 {
			h.values[id] = f.raw[f.value:]
			continue
		}
		switch id {
		case fieldContentType:
			d.add(doubtTypeRepeated)
		case fieldEncoding:
			d.add(doubtEncodingRepeated)
		case fieldDisposition:
			d.add(doubtDispositionRepeated)
		case fieldReceived:
		default: // RFC 5322 3.6, RFC 2045 3: at most once
			d.add(doubtFieldRepeated)
		}
	}
	return h
}

// value returns the first field of that name, unfolded and trimmed.
func (h *index) value(id fieldID) string {
	if h.values[id] == nil {
		return ""
	}
	return unfold(h.values[id])
}

// count returns how many fields have that name.
func (h *index) count(id fieldID) int { return h.counts[id] }

// folded reports whether the value of that field stands on more than one line.
func (h *index) folded(id fieldID) bool {
	return bytes.IndexByte(bytes.TrimRight(h.values[id], "\r\n"), '\n') >= 0
}

// mailboxLine reports whether a line is the separator of mbox files, which leaks
// into letters; every reader passes over it.
func mailboxLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}
