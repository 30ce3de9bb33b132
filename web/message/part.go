package message

import (
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// partID names a piece of a letter in a path:
//
//	part = path ["." "d" n] ["." "e" n]
//
// Path is the part's number as IMAP counts ("2", "1.3"); d is a document of a package
// (IHE_XDM.zip) by its number from 0; e is a file embedded in a clinical document.
type partID struct {
	path               string
	document, embedded int // -1 for none
}

// maxNumber bounds each number in a path: more parts than any letter may have.
const maxNumber = 99_999

// parsePart reads a part's name. It fails with fault.NotFound "part-unknown": what is
// no name names nothing.
func parsePart(s string) (partID, error) {
	id := partID{document: -1, embedded: -1}
	unknown := fault.New(fault.NotFound, "part-unknown")
	if len(s) > 200 {
		return id, unknown
	}
	var path []string
	for piece := range strings.SplitSeq(s, ".") {
		digits, kind := piece, byte(0)
		if piece != "" && (piece[0] == 'd' || piece[0] == 'e') {
			kind, digits = piece[0], piece[1:]
		}
		n, err := strconv.Atoi(digits)
		// One name for one thing: no sign, no leading zero.
		if err != nil || n < 0 || n > maxNumber || strconv.Itoa(n) != digits {
			return id, unknown
		}
		switch {
		case kind == 0 && n > 0 && id.document < 0 && id.embedded < 0:
			path = append(path, digits)
		case kind == 'd' && id.document < 0 && id.embedded < 0 && len(path) > 0:
			id.document = n
		case kind == 'e' && id.embedded < 0 && len(path) > 0:
			id.embedded = n
		default:
			return id, unknown
		}
	}
	id.path = strings.Join(path, ".")
	return id, nil
}

// numbers splits the path of a part.
func numbers(path string) []int {
	var out []int
	for piece := range strings.SplitSeq(path, ".") {
		n, err := strconv.Atoi(piece)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}
