package letter

import "strings"

// readContent takes what the content fields of a header say of the part.
func (w *Walker) readContent(f *frame, h *index) {
	p := &f.part
	w.readType(f, h)
	p.Encoding = "7bit" // RFC 2045 6.1
	if h.count(fieldEncoding) > 0 {
		value := w.text(h, fieldEncoding)
		v := parseToken(value, w.limits, doubtEncodingMalformed)
		w.accept(&v)
		if strings.Contains(value, ";") || h.folded(fieldEncoding) {
			w.doubts.add(doubtEncodingMalformed)
		}
		if v.kind != "" {
			p.Encoding = v.kind
		}
	}
	if h.count(fieldDisposition) > 0 {
		v := parseToken(w.text(h, fieldDisposition), w.limits, doubtDispositionMalformed)
		w.accept(&v)
		p.Disposition, p.DispositionParams = v.kind, v.params
	}
	p.ID = w.text(h, fieldContentID)
	p.Description = w.text(h, fieldDescription)
	p.MD5 = w.text(h, fieldMD5)
	p.Location = w.text(h, fieldLocation)
	p.Language = languages(w.text(h, fieldLanguage))
	w.doubtPart(p)
}

// readType takes Content-Type, or its default.
func (w *Walker) readType(f *frame, h *index) {
	p := &f.part
	var v mimeValue
	if h.count(fieldContentType) > 0 {
		v = parseType(w.text(h, fieldContentType), w.limits)
		w.accept(&v)
	}
	digest := len(w.stack) > 1 && w.stack[len(w.stack)-2].part.Subtype == "digest" && !f.message
	switch {
	case v.kind != "":
		p.Type, p.Subtype, p.Params = v.kind, v.sub, v.params
	case digest && h.count(fieldContentType) == 0: // RFC 2046 5.1.5
		p.Type, p.Subtype = "message", "rfc822"
	default: // RFC 2045 5.2
		p.Type, p.Subtype, p.Params = "text", "plain", Params{{"charset", "us-ascii"}}
	}
	if p.Type == "multipart" {
		f.boundary = w.boundary(&v)
	}
}

// text returns a field value that the structure will hold.
func (w *Walker) text(h *index, id fieldID) string {
	s := h.value(id)
	w.keep(len(s))
	return s
}

// accept takes the verdicts and the broken limit of a parsed value.
func (w *Walker) accept(v *mimeValue) {
	w.doubts.merge(v.doubts)
	if v.broken != "" {
		w.fail(v.broken)
	}
}

// languages splits Content-Language (RFC 3282).
func languages(s string) []string {
	tags := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(tags) == 0 {
		return nil
	}
	return tags
}

// identity7 reports whether an encoding leaves the octets as they are.
func identity7(encoding string) bool {
	return encoding == "7bit" || encoding == "8bit" || encoding == "binary"
}

// doubtPart notes what the kind and name of a part leave open.
func (w *Walker) doubtPart(p *Part) {
	plain := identity7(p.Encoding)
	if !plain && p.Encoding != "base64" && p.Encoding != "quoted-printable" {
		w.doubts.add(doubtEncodingUnknown)
	}
	switch p.Type + "/" + p.Subtype {
	case "message/rfc822", "message/global":
		if !plain {
			w.doubts.add(doubtEncodedMessage)
		}
	case "message/partial":
		w.doubts.add(doubtPartial)
	case "message/external-body":
		w.doubts.add(doubtExternal)
	case "application/ms-tnef", "application/vnd.ms-tnef":
		w.doubts.add(doubtTNEF)
	case "application/mac-binhex40":
		w.doubts.add(doubtBinHex)
	}
	if p.Type == "multipart" && !plain {
		w.doubts.add(doubtEncodedMultipart)
	}
	name, inType := p.Params.Text("name")
	file, inDisposition := p.DispositionParams.Text("filename")
	if inType && inDisposition && name != file {
		w.doubts.add(doubtNameConflict)
	}
	if executable(extension(name)) || executable(extension(file)) {
		w.doubts.add(doubtNameExecutable)
	}
}

// enter begins the body of the innermost part at that offset.
func (w *Walker) enter(start int64) {
	f := w.innermost()
	p := &f.part
	switch {
	case f.boundary != "":
		w.bound(f)
	case p.Type == "message" && (p.Subtype == "rfc822" || p.Subtype == "global") && identity7(p.Encoding):
		f.state = inPreamble // no line is its own: all are its child's
		w.open(start, true)
	default:
		f.state = inLeaf
		w.content.begin(p)
		w.sample.offer(p)
	}
}
