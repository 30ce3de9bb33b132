package letter

// commonWord returns the word that a marshalled Structure writes as that number.
// The list may grow at its end; nothing in it ever moves.
func commonWord(i int64) (string, bool) {
	if i < 0 || i >= commonCount {
		return "", false
	}
	return [commonCount]string{
		"text", "plain", "html", "multipart", "mixed", "alternative", "related", "application",
		"octet-stream", "pdf", "zip", "message", "rfc822", "image", "7bit", "8bit", "base64",
		"quoted-printable", "charset", "us-ascii", "utf-8", "UTF-8", "iso-8859-1", "ISO-8859-1",
		"boundary", "name", "filename", "filename*", "attachment", "inline", "signed", "report",
		"report-type", "calendar", "method", "xml", "jpeg", "png", "format", "flowed",
	}[i], true
}

// commonCount is the number of common words; longestCommon is the size of the
// longest in octets.
const (
	commonCount   = 40
	longestCommon = 16
)

// commonIndex returns the number of a common word, -1 if s is none.
func commonIndex(s string) int {
	if s == "" || len(s) > longestCommon {
		return -1
	}
	for i := range int64(commonCount) {
		if word, _ := commonWord(i); word == s {
			return int(i)
		}
	}
	return -1
}
