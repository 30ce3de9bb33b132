package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Separator stands between the levels of a folder's name.
const Separator = "/"

// Limits of names and folders. Our choice: what clients show, and far from what hurts.
const (
	maxName    = 1000 // octets, all levels
	maxLevel   = 255  // octets, one level
	maxLevels  = 20
	maxFolders = 1000 // of a box
)

// CleanName checks the whole name of a folder and returns the form that is kept:
// INBOX, alone or as first level, in capitals (RFC 3501 5.1). Names are UTF-8;
// empty levels, control and format characters and the wildcards of LIST are
// refused with fault.Invalid "folder-name". Names are told apart octet by octet:
// they are not brought into a Unicode normal form.
func CleanName(name string) (string, error) {
	bad := fault.New(fault.Invalid, "folder-name")
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsAny(name, "*%") {
		return "", bad
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return "", bad
		}
	}
	levels := strings.Split(name, Separator)
	if len(levels) > maxLevels {
		return "", bad
	}
	for _, l := range levels {
		if l == "" || len(l) > maxLevel {
			return "", bad
		}
	}
	if strings.EqualFold(levels[0], "INBOX") {
		levels[0] = "INBOX"
	}
	return strings.Join(levels, Separator), nil
}

// parents returns the names above name, the highest first.
func parents(name string) []string {
	var out []string
	for i := range len(name) {
		if name[i] == Separator[0] {
			out = append(out, name[:i])
		}
	}
	return out
}

// under reports whether name lies below parent, at any depth.
func under(name, parent string) bool {
	return strings.HasPrefix(name, parent+Separator)
}
