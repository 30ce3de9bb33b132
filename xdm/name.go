package xdm

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Bounds on a name. IHE asks for 8.3 names a few folders deep; people send more.
const (
	maxName  = 512 // octets
	maxDepth = 16
)

// cleanName turns the octets of an entry's name into a path, or refuses them. The
// result has "/" between its parts (a "\" counts as one) and at its end for a folder.
//
// No path of the file system is ever made from it: a name that would be dangerous as
// one shows what the archive was made for, and two programs that read it differently
// would show two archives.
func cleanName(raw string, utf8Flag bool) (string, error) {
	if raw == "" || len(raw) > maxName {
		return "", invalid("zip-path", "a name of %d octets", len(raw))
	}
	name := raw
	if !utf8.ValidString(name) {
		if utf8Flag {
			return "", invalid("zip-path", "a name that is not the UTF-8 it claims to be")
		}
		// APPNOTE.TXT D.1: without the flag a name is in code page 437.
		decoded, err := charmap.CodePage437.NewDecoder().String(name)
		if err != nil {
			return "", invalid("zip-path", "a name in no known character set")
		}
		name = decoded
	}
	// Full-width dots and slashes, one-dot leaders: text that becomes a path elsewhere.
	if folded := norm.NFKC.String(name); count(folded) != count(name) {
		return "", invalid("zip-path", "a name that changes its meaning when normalised")
	}
	for _, c := range name {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar || c == ':' {
			return "", invalid("zip-path", "a character that no name should hold")
		}
	}
	name = strings.ReplaceAll(name, `\`, "/")
	parts := strings.Split(strings.TrimSuffix(name, "/"), "/")
	if len(parts) > maxDepth {
		return "", invalid("zip-path", "%d folders deep", len(parts))
	}
	for _, part := range parts {
		if !cleanPart(part) {
			return "", invalid("zip-path", "an empty, relative or disguised part")
		}
	}
	return name, nil
}

// count counts the characters that make a path what it is.
func count(s string) [4]int {
	var n [4]int
	for i, c := range `./\:` {
		n[i] = strings.Count(s, string(c))
	}
	return n
}

// cleanPart reports whether a part of a path is a plain name: not "", "." or "..",
// not with the blanks or dots at its ends that some systems drop, and not so after
// percent-decoding either.
func cleanPart(part string) bool {
	if part != strings.TrimSpace(part) || strings.TrimRight(part, ". ") != part || part == "" {
		return false
	}
	lower := strings.ToLower(part)
	for _, hidden := range []string{"%2e", "%2f", "%5c", "%00", "%3a"} {
		if strings.Contains(lower, hidden) {
			return false
		}
	}
	return true
}

// nameKey is the form in which paths are compared: case and Unicode forms folded.
// Names of real packages differ from their URI by case (spec dmp 4.5).
func nameKey(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

// isJunk reports whether an entry is litter of the machine that packed it: anything
// hidden (.DS_Store, ._METADATA.XML, editor and version-control files), __MACOSX.
func isJunk(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, "~") {
			return true
		}
		switch strings.ToLower(part) {
		case "__macosx", "thumbs.db", "desktop.ini", "cvs":
			return true
		}
	}
	return false
}

// folderOf returns the key of the folder that holds an entry, "" at the top.
func folderOf(key string) string {
	if dir := path.Dir(key); dir != "." {
		return dir
	}
	return ""
}
