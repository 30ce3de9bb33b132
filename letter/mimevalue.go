package letter

import (
	"slices"
	"strings"
)

// mimeValue is a parsed Content-Type, Content-Disposition or
// Content-Transfer-Encoding.
type mimeValue struct {
	// kind and sub are in lower case; sub is set for Content-Type only.
	kind, sub string
	params    Params
	// continued holds the base names that were written in RFC 2231 pieces.
	continued []string
	// doubts are the verdicts that the value raises.
	doubts doubts
	// broken is the reason id of a broken limit, empty if none was.
	broken string
}

// parseType parses a Content-Type value. A value without both type and subtype
// leaves them empty.
func parseType(s string, l Limits) mimeValue {
	var v mimeValue
	x := lexer{s: s}
	x.skip()
	kind := x.token()
	bare := x.i
	x.skip()
	sub := ""
	if kind != "" && x.peek() == '/' {
		spaced := x.i != bare
		x.i++
		bare = x.i
		x.skip()
		if spaced || x.i != bare {
			v.doubts.add(doubtTypeMalformed)
		}
		sub = x.token()
	}
	if kind == "" || sub == "" {
		v.doubts.add(doubtTypeMalformed)
	} else {
		v.kind, v.sub = strings.ToLower(kind), strings.ToLower(sub)
	}
	v.readParams(&x, l, doubtTypeMalformed)
	return v
}

// parseToken parses a value that begins with one token: an encoding, which has no
// parameters, or a disposition.
func parseToken(s string, l Limits, malformed doubt) mimeValue {
	var v mimeValue
	x := lexer{s: s}
	x.skip()
	v.kind = strings.ToLower(x.token())
	if v.kind == "" {
		v.doubts.add(malformed)
	}
	v.readParams(&x, l, malformed)
	return v
}

// readParams reads "; name=value" pairs to the end of the value.
func (v *mimeValue) readParams(x *lexer, l Limits, malformed doubt) {
	var pieces []piece
	var order []int // where each of v.params was written
	x.skip()
	if !x.end() && x.peek() != ';' {
		v.doubts.add(malformed)
		x.until(";")
	}
	for n := 0; !x.end(); {
		x.i++ // the semicolon
		x.skip()
		if x.end() || x.peek() == ';' {
			continue
		}
		if n++; n > l.Params+l.Continuations {
			v.broken = reasonParams
			return
		}
		p, ok := v.readParam(x)
		if !ok {
			continue
		}
		if q, found := cutPiece(p.Name); found {
			q.value, q.order = p.Value, n
			pieces = append(pieces, q)
			continue
		}
		v.params, order = append(v.params, p), append(order, n)
	}
	switch {
	case len(pieces) > l.Continuations:
		v.broken = reasonContinuations
	case len(v.params) > l.Params:
		v.broken = reasonParams
	}
	if x.comment {
		v.doubts.add(doubtComment)
	}
	v.join(pieces, order)
}

// readParam reads one parameter and leaves the lexer on a semicolon or the end.
func (v *mimeValue) readParam(x *lexer) (Param, bool) {
	name := strings.TrimRight(x.until("=;"), " \t")
	if x.peek() != '=' || !isToken(name) {
		v.doubts.add(doubtParamMalformed)
		if x.peek() != '=' {
			return Param{}, false
		}
	}
	x.i++
	x.skip()
	value := ""
	if x.peek() == '"' {
		var closed bool
		value, closed = x.quoted()
		x.skip()
		if rest := x.until(";"); !closed || rest != "" {
			v.doubts.add(doubtParamMalformed)
		}
	} else {
		value = x.until(";(")
		value = strings.TrimRight(value, " \t")
		if !isToken(value) {
			v.doubts.add(doubtParamMalformed)
		}
		x.skip()
		if rest := x.until(";"); rest != "" {
			v.doubts.add(doubtParamMalformed)
		}
	}
	return Param{Name: strings.ToLower(name), Value: value}, name != ""
}

// join puts the joined pieces among the parameters, and looks for parameters that
// contradict each other.
func (v *mimeValue) join(pieces []piece, order []int) {
	joined, at, sound := joinPieces(pieces)
	if !sound {
		v.doubts.add(doubtParamConflict)
	}
	for i, p := range joined {
		k, _ := slices.BinarySearch(order, at[i])
		v.params = slices.Insert(v.params, k, p)
		order = slices.Insert(order, k, at[i])
		v.continued = append(v.continued, strings.TrimSuffix(p.Name, "*"))
	}
	for i, p := range v.params {
		for _, q := range v.params[:i] {
			if p.Name == q.Name {
				v.doubts.add(doubtParamRepeated)
				if p.Name == "boundary" {
					v.doubts.add(doubtBoundaryRepeated)
				}
			}
		}
	}
	for _, p := range v.params {
		base, ext := strings.CutSuffix(p.Name, "*")
		if plain, found := v.params.Get(base); ext && found && plain != extended(p.Value) {
			v.doubts.add(doubtParamConflict)
		}
	}
}
