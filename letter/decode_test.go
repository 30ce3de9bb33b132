package letter_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vaguemestre/vaguemestre/letter"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ encoding, in, want string }{
		{"7bit", "a=3D\r\n", "a=3D\r\n"},
		{"8bit", "\xe9", "\xe9"},
		{"binary", "\x00\r", "\x00\r"},
		{"", "QQ==", "QQ=="},
		{"x-uuencode", "QQ==", "QQ=="},
		{" BASE64\r\n", "QUJD\r\n", "ABC"},
		{"base64", "QU\r\n -- * é [] --\r\nJD", "ABC"},
		{"base64", "QQ==\r\nQg==\r\n", "AB"},
		{"base64", "QUI", "AB"},
		{"base64", "*Q*U*J*D*", "ABC"},
		{"Quoted-Printable", "=E9=\r\nx =20\r\n=3", "\xe9x  \r\n=3"},
		{"quoted-printable", "=zz=e9= \t\r\n.", "=zz\xe9."},
	} {
		for name, cut := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "octet by octet": iotest.OneByteReader, "end with data": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(letter.Decode(cut(strings.NewReader(c.in)), c.encoding))
			if err != nil || string(got) != c.want {
				t.Errorf("%s %q, read %s: got %q, %v; want %q", c.encoding, c.in, name, got, err, c.want)
			}
		}
	}
	broken := errors.New("broken")
	for _, encoding := range []string{"7bit", "base64", "quoted-printable"} {
		got, err := io.ReadAll(letter.Decode(io.MultiReader(strings.NewReader("QUJD"), iotest.ErrReader(broken)), encoding))
		if !errors.Is(err, broken) || len(got) == 0 {
			t.Errorf("%s: %q, %v", encoding, got, err)
		}
	}
}

// TestDecodeHoldsLittle decodes 32 MiB and counts what that allocates.
func TestDecodeHoldsLittle(t *testing.T) {
	line := []byte(strings.Repeat("QUJD", 19) + "\r\n")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, letter.Decode(&repeated{line: line, left: 32 << 20}, "base64"))
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err != nil || n < 20<<20 || got > 256<<10 {
		t.Errorf("%d octets decoded, %d allocated, %v", n, got, err)
	}
}

// repeated is one line many times over.
type repeated struct {
	line []byte
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(r.line) <= len(p) {
		n += copy(p[n:], r.line)
	}
	r.left -= n
	return n, nil
}

// FuzzDecode holds that the cut does not matter, that a decoding makes no more than
// it takes, and that what the standard library decodes is decoded alike.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("QUJD\r\nQQ==\r\n"), uint8(3))
	f.Add([]byte("=E9 =\r\n=3D=4"), uint8(1))
	f.Add([]byte("=\t \r\n==\r\n=a"), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		for _, encoding := range []string{"base64", "quoted-printable", "8bit"} {
			whole, err := io.ReadAll(letter.Decode(bytes.NewReader(in), encoding))
			if err != nil || len(whole) > len(in) {
				t.Fatalf("%s: %d octets of %d, %v", encoding, len(whole), len(in), err)
			}
			cut, err := io.ReadAll(letter.Decode(&pieces{in, int(size) + 1}, encoding))
			if err != nil || !bytes.Equal(whole, cut) {
				t.Fatalf("%s of %q: %q, cut %q, %v", encoding, in, whole, cut, err)
			}
		}
		if want, err := base64.StdEncoding.DecodeString(string(in)); err == nil {
			if got, _ := io.ReadAll(letter.Decode(bytes.NewReader(in), "base64")); !bytes.Equal(got, want) {
				t.Fatalf("base64 of %q: %q, want %q", in, got, want)
			}
		}
		var b bytes.Buffer
		q := quotedprintable.NewWriter(&b)
		q.Binary = true
		_, _ = q.Write(in) // a buffer takes everything
		_ = q.Close()
		if got, _ := io.ReadAll(letter.Decode(&b, "quoted-printable")); !bytes.Equal(got, in) {
			t.Fatalf("quoted-printable of %q came back as %q", in, got)
		}
	})
}

// pieces reads at most size octets at a time.
type pieces struct {
	rest []byte
	size int
}

func (c *pieces) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
