package letter

import (
	"io"
	"strings"
)

// Decode returns the content of r, decoded from a transfer encoding (RFC 2045 6):
// the value of Content-Transfer-Encoding, in any case, white space around it aside.
// It reads as much as any reader would: in base64 it passes over what is no symbol
// and goes on after padding, in quoted-printable it leaves what is no escape. 7bit,
// 8bit, binary and encodings that nobody knows are returned as they are. It holds
// some kilobytes, and fails only as r fails.
func Decode(r io.Reader, encoding string) io.Reader {
	switch strings.ToLower(strings.Trim(encoding, " \t\r\n")) {
	case "base64":
		return &decoder{r: r, decode: new(base64Decoder).decode}
	case "quoted-printable":
		return &decoder{r: r, decode: new(quotedDecoder).decode}
	}
	return r
}
