package letter

// state is what the lines mean to the innermost open part.
type state uint8

const (
	inHeader   state = iota
	inLeaf           // the body of a part without parts
	inPreamble       // before the first boundary; and while a child is open
	inEpilogue       // after the closing boundary
)

// frame is an open part: its end was not seen yet.
type frame struct {
	part  Part
	state state
	// boundary is the delimiter of a multipart without its two hyphens; empty for
	// every other part.
	boundary string
	// message says that the part is the root of a message.
	message bool
	// feeds is the number of line feeds before the body.
	feeds int64
}

// innermost returns the frame that the current line belongs to.
func (w *Walker) innermost() *frame { return &w.stack[len(w.stack)-1] }

// open begins a part whose header starts at that offset.
func (w *Walker) open(start int64, message bool) {
	if w.parts++; w.parts > w.limits.Parts {
		w.fail(reasonParts)
		return
	}
	if len(w.stack) >= w.limits.Depth {
		w.fail(reasonDepth)
		return
	}
	w.stack = append(w.stack, frame{part: Part{Header: Range{start, start}}, message: message})
	w.block.reset()
}

// take gives a whole line to the part that it belongs to.
func (w *Walker) take(line, text []byte) {
	if w.bounded > 0 && len(text) >= 2 && text[0] == '-' && text[1] == '-' {
		if i, last := w.delimiter(text[2:]); i >= 0 {
			w.divide(i, last, w.current.at+int64(len(line)))
			return
		}
	}
	switch w.innermost().state {
	case inHeader:
		w.headerLine(line, text)
	case inLeaf:
		w.content.start(text)
		w.body(line)
	default:
		w.glance(text)
	}
}

// body takes octets of the innermost part's body.
func (w *Walker) body(p []byte) {
	w.content.octets(p)
	w.sample.octets(p)
}

// glance looks at the beginning of a line: of each outside of the parts of a
// multipart, and of one that is too long to be looked at whole.
func (w *Walker) glance(text []byte) {
	switch w.innermost().state {
	case inHeader:
		w.fail(reasonLine)
	case inLeaf:
		w.content.start(text)
	case inPreamble:
		if mimeLine(text) {
			w.doubts.add(doubtPreamble)
		}
	case inEpilogue:
		if !white(text) {
			w.doubts.add(doubtEpilogue)
		}
	}
}

// divide handles a boundary line of the multipart at index i that ends at next.
func (w *Walker) divide(i int, last bool, next int64) {
	w.unwind(i)
	if w.broken != "" {
		return
	}
	if last {
		w.stack[i].state = inEpilogue
		return
	}
	w.open(next, false)
}

// unwind closes the parts inside of the one at index i, at the start of the
// current line.
func (w *Walker) unwind(i int) {
	for len(w.stack)-1 > i && w.broken == "" {
		part := w.pop()
		parent := w.innermost()
		parent.part.Children = append(parent.part.Children, part)
	}
}

// pop closes the innermost part. The line end before the current line is not its
// body's, unless it ends a header: then the header keeps it.
func (w *Walker) pop() Part {
	c := &w.current
	f := w.innermost()
	if f.state == inHeader {
		w.endHeader(c.at, c.feeds)
	}
	p := &f.part
	end, feeds := c.at-c.eol, c.feeds
	if c.eol > 0 {
		feeds--
	}
	inside := p.Body.Start
	if n := len(p.Children); n > 0 {
		inside = p.Children[n-1].Body.End
	}
	if end < inside {
		end, feeds = c.at, c.feeds
	}
	p.Body.End, p.Lines = end, feeds-f.feeds
	switch {
	case f.state == inLeaf:
		w.doubts.merge(w.content.end())
	case f.boundary != "":
		w.bounded--
		if f.state != inEpilogue {
			w.doubts.add(doubtBoundaryUnclosed)
		}
	}
	part := f.part
	w.stack[len(w.stack)-1] = frame{}
	w.stack = w.stack[:len(w.stack)-1]
	return part
}
