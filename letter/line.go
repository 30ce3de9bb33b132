package letter

import "bytes"

// maxLine is the longest line in octets, line end included, that is looked at
// whole; a longer one is no boundary and no header line.
func (w *Walker) maxLine() int { return max(w.limits.HardLine, 1<<10) + 2 }

// partial takes octets of a line whose end did not come yet.
func (w *Walker) partial(p []byte) {
	c := &w.current
	if c.long == 0 && len(c.pending)+len(p) <= w.maxLine() {
		c.pending = append(c.pending, p...)
		return
	}
	w.piece(w.beginLong(p))
}

// complete takes octets through the end of the current line.
func (w *Walker) complete(p []byte) {
	c := &w.current
	switch {
	case c.long > 0 || len(c.pending)+len(p) > w.maxLine():
		w.piece(w.beginLong(p))
		w.advance(c.long, c.eol)
		c.long, c.cr = 0, false
	case len(c.pending) > 0:
		c.pending = append(c.pending, p...)
		w.line(c.pending)
		c.pending = c.pending[:0]
	default:
		w.line(p)
	}
}

// lastLine takes what stands after the last line feed.
func (w *Walker) lastLine() {
	c := &w.current
	switch {
	case c.long > 0:
		if c.cr {
			w.doubts.add(doubtBareCR)
		}
		w.advance(c.long, 0)
	case len(c.pending) > 0:
		w.line(c.pending)
	}
	c.eol = 0 // no boundary follows: a line end at the end is the body's
}

// line takes one whole line; only the last of a letter may lack its end.
func (w *Walker) line(line []byte) {
	text, eol := cutEnd(line)
	if len(text) > w.limits.Line {
		w.doubts.add(doubtLongLine)
	}
	if eol == 1 {
		w.doubts.add(doubtBareLF)
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		w.doubts.add(doubtBareCR)
	}
	w.take(line, text)
	w.advance(int64(len(line)), int64(eol))
}

// advance moves to the start of the next line.
func (w *Walker) advance(n, eol int64) {
	c := &w.current
	c.at += n
	c.eol = eol
	if eol > 0 {
		c.feeds++
	}
}

// beginLong makes the current line a long one, unless it is one already, and
// returns the octets that are still to be passed on. The first piece passed on is
// maxLine octets, however the line came.
func (w *Walker) beginLong(p []byte) []byte {
	c := &w.current
	if c.long > 0 {
		return p
	}
	w.doubts.add(doubtLongLine)
	n := w.maxLine() - len(c.pending)
	c.pending = append(c.pending, p[:n]...)
	w.glance(c.pending)
	w.piece(c.pending)
	c.pending = c.pending[:0]
	return p[n:]
}

// piece passes on octets of a long line.
func (w *Walker) piece(p []byte) {
	c := &w.current
	if len(p) == 0 || w.broken != "" {
		return
	}
	text, eol := cutEnd(p)
	if c.cr && eol == 1 && len(text) == 0 {
		eol = 2
	} else if c.cr {
		w.doubts.add(doubtBareCR)
	}
	if eol == 1 {
		w.doubts.add(doubtBareLF)
	}
	c.cr = eol == 0 && text[len(text)-1] == '\r'
	body := text
	if c.cr {
		body = text[:len(text)-1]
	}
	if bytes.IndexByte(body, '\r') >= 0 {
		w.doubts.add(doubtBareCR)
	}
	c.long += int64(len(p))
	c.eol = int64(eol)
	if w.innermost().state == inLeaf {
		w.body(p)
	}
}

// cutEnd returns the line without its end, and the size of that end.
func cutEnd(line []byte) (text []byte, eol int) {
	n := len(line)
	switch {
	case n >= 2 && line[n-1] == '\n' && line[n-2] == '\r':
		return line[:n-2], 2
	case n >= 1 && line[n-1] == '\n':
		return line[:n-1], 1
	}
	return line, 0
}
