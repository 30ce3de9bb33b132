package imapd_test

import (
	"bytes"
	"os"
	"strings"
)

// archive is a txtar file: a comment, then sections.
type archive struct {
	comment string
	files   []section
}

// section is one file of an archive.
type section struct {
	name string
	data []byte
}

// readArchive reads "-- name --" sections.
func readArchive(file string) (*archive, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var a archive
	for line := range bytes.SplitAfterSeq(b, []byte("\n")) {
		name, ok := strings.CutPrefix(string(bytes.TrimRight(line, "\n")), "-- ")
		name, end := strings.CutSuffix(name, " --")
		switch n := len(a.files); {
		case ok && end:
			a.files = append(a.files, section{name: name})
		case n == 0:
			a.comment += string(line)
		default:
			a.files[n-1].data = append(a.files[n-1].data, line...)
		}
	}
	return &a, nil
}

// write is the inverse of readArchive.
func (a *archive) write(file string) error {
	var b bytes.Buffer
	b.WriteString(a.comment)
	for _, f := range a.files {
		b.WriteString("-- " + f.name + " --\n")
		b.Write(f.data)
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}
