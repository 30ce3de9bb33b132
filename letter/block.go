package letter

// block collects the header block of the innermost part.
type block struct {
	text   []byte
	fields int // fields in it
	field  int // octets of the last field
}

// reset makes the block ready for the next part.
func (b *block) reset() { *b = block{text: b.text[:0]} }

// headerLine takes a whole line of a header block.
func (w *Walker) headerLine(line, text []byte) {
	b := &w.block
	switch {
	case len(text) == 0:
		b.text = append(b.text, line...)
		next := w.current.at + int64(len(line))
		if w.endHeader(next, w.current.feeds+1); w.broken == "" {
			w.enter(next)
		}
		return
	case len(text) > w.limits.HardLine:
		w.fail(reasonLine)
		return
	case text[0] != ' ' && text[0] != '\t' || b.fields == 0:
		b.fields++
		b.field = 0
	case white(text):
		w.doubts.add(doubtBlankFold)
	}
	b.field += len(line)
	b.text = append(b.text, line...)
	switch {
	case b.fields > w.limits.Fields:
		w.fail(reasonFields)
	case b.field > w.limits.Unfolded:
		w.fail(reasonField)
	case len(b.text) > w.limits.Header:
		w.fail(reasonHeader)
	}
}

// endHeader ends the header block of the innermost part at that offset, and reads it.
func (w *Walker) endHeader(end, feeds int64) {
	f := w.innermost()
	f.part.Header.End, f.part.Body = end, Range{end, end}
	f.feeds = feeds
	h := readIndex(w.block.text, &w.doubts)
	w.readContent(f, &h)
	if f.message {
		w.readMessage(f, &h)
	}
	if len(w.stack) == 1 {
		w.top = w.block.text
		w.block.text = nil
		w.structure.HeaderSize = end
	}
}

// readMessage takes what the header of a message says of it.
func (w *Walker) readMessage(f *frame, h *index) {
	e, n, err := h.envelope(w.limits.Addresses)
	if err != nil {
		w.fail(reasonAddresses)
		return
	}
	f.part.Envelope = e
	w.keep(n)
	if len(w.stack) > 1 {
		return
	}
	s := &w.structure
	s.MessageID = bareID(e.MessageID)
	s.Received = h.count(fieldReceived)
	s.HeaderEightBit = hasEightBit(w.block.text)
	plain := f.part.Type == "text" && f.part.Subtype == "plain" && identity7(f.part.Encoding)
	if !plain && h.count(fieldMIMEVersion) == 0 {
		w.doubts.add(doubtNoVersion)
	}
}
