package letter

import (
	"bytes"
	"strings"
)

// extension returns the extension of a file name in lower case, without its dot.
func extension(name string) string {
	name = strings.TrimRight(name, " .") // Windows drops these
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

// executable reports whether a common desktop runs a file with that extension
// when it is opened.
func executable(ext string) bool {
	switch ext {
	case "app", "bat", "cmd", "com", "cpl", "dll", "exe", "hta", "jar", "js", "jse", "lnk", "msi", "msp",
		"pif", "ps1", "psm1", "reg", "scr", "sh", "vb", "vbe", "vbs", "wsf", "wsh":
		return true
	}
	return false
}

// sniffed is how many decoded octets tell what a file is.
const sniffed = 16

// contradicts reports whether the first octets of a file cannot be those of the
// format that its extension names. Formats without fixed first octets contradict
// nothing; neither does a file of fewer octets than its mark.
func contradicts(ext string, first []byte) bool {
	marks := formatMarks(ext)
	if len(marks) == 0 {
		return false
	}
	for _, m := range marks {
		if len(first) < len(m) || bytes.HasPrefix(first, []byte(m)) {
			return false
		}
	}
	return true
}

// formatMarks returns the beginnings that a file with that extension may have.
func formatMarks(ext string) []string {
	switch ext {
	case "pdf":
		return []string{"%PDF-", "\xef\xbb\xbf%PDF-"}
	case "jpg", "jpeg":
		return []string{"\xff\xd8\xff"}
	case "png":
		return []string{"\x89PNG"}
	case "gif":
		return []string{"GIF8"}
	case "zip", "docx", "xlsx", "pptx", "odt", "ods":
		return []string{"PK\x03\x04", "PK\x05\x06"}
	case "rtf":
		return []string{"{\\rt"}
	}
	return nil
}
