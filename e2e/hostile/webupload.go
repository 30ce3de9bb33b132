package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// uploads plays files that a patient sends along with an answer, the one way to send a
// file.
func uploads() []play {
	return []play{
		on(`26 MB`, tooMuch),
		on(`a\.svg|a\.html`, activeFiles),
		on(`EICAR`, virus),
		on(`parallel`, many),
		on(`part header`, longPartHeader),
		on(`resumable`, resumed),
		on(`polyglot`, polyglot),
		on(`px`, hugePicture),
	}
}

// sentFile is a file beside an answer.
type sentFile struct {
	name, kind string
	content    io.Reader
}

// answerWith sends an answer with files; its text is its name.
func (s *stage) answerWith(ctx context.Context, w *wiretest.Web, letter, text string, files ...sentFile) (wiretest.Page, error) {
	read, write := io.Pipe()
	form := multipart.NewWriter(write)
	go func() {
		err := form.WriteField("text", text)
		for _, f := range files {
			if err != nil {
				break
			}
			var part io.Writer
			part, err = form.CreatePart(textproto.MIMEHeader{
				"Content-Disposition": {fmt.Sprintf(`form-data; name="files"; filename=%q`, f.name)}, "Content-Type": {f.kind},
			})
			if err == nil {
				_, err = io.Copy(part, f.content)
			}
		}
		write.CloseWithError(errors.Join(err, form.Close()))
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Base+"/messages/"+letter+"/reply", read)
	if err != nil {
		return wiretest.Page{}, err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Accept", "application/json")
	p, err := w.Send(req)
	_ = read.Close() // what was not read is not sent
	if p.Code >= 400 {
		s.refused++
	}
	return p, err
}

// zeros is a file of n octets of nothing much.
func zeros(n int64) io.Reader {
	return io.LimitReader(repeated{}, n)
}

type repeated struct{}

func (repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func tooMuch(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	return "", s.unchanged(func() error {
		for _, n := range []int64{26_000_000, 60_000_000} {
			p, err := s.answerWith(context.Background(), me.Web, me.letter, "trop", sentFile{"a.txt", "text/plain", zeros(n)})
			if err != nil {
				continue // the connection ended before all was sent: refused, and the letter is looked for below
			}
			if err := want(p, fmt.Sprintf("%d MB", n/1_000_000), http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity); err != nil {
				return err
			}
		}
		return nil
	})
}

// sentBack finds the letter that was just sent and opens its files, as they are served.
func (s *stage) sentBack(a *actor, p wiretest.Page) ([]wiretest.Page, error) {
	s.answers++
	newest, err := a.messages("sent", 1)
	if err == nil && len(newest) == 0 {
		err = errors.New("the answer is not among those sent")
	}
	if err != nil {
		return nil, err
	}
	at := "/messages/" + newest[0].ID
	page, err := s.get(a, at, "text/html")
	if err == nil {
		err = inert(page)
	}
	if err != nil {
		return nil, err
	}
	var l opened
	if err := a.JSON(at, &l); err != nil {
		return nil, err
	}
	var all []wiretest.Page
	for _, f := range l.Attachments {
		for _, query := range []string{"", "?keep=1"} {
			p, err := s.get(a, at+"/parts/"+url.PathEscape(f.Part)+query, "")
			if err == nil {
				err = errors.Join(want(p, "a sent file", http.StatusOK), passive(p))
			}
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func activeFiles(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	var notes []string
	for _, f := range []struct{ name, kind, text string }{
		{"a.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="MARK()"/>`},
		{"a.html", "text/html", `<script>MARK()</script>`},
		{"a.xml", "text/xml", `<?xml-stylesheet href="javascript:MARK()"?><a/>`},
	} {
		p, err := s.answerWith(context.Background(), me.Web, me.letter, "voici", sentFile{f.name, f.kind, strings.NewReader(f.text)})
		if err != nil {
			return "", err
		}
		if p.Code != http.StatusSeeOther {
			notes = append(notes, fmt.Sprintf("%s refused with %d", f.name, p.Code))
			continue
		}
		served, err := s.sentBack(me, p)
		if err != nil {
			return "", err
		}
		if len(served) == 0 {
			return "", fmt.Errorf("%s was taken and is not in the letter", f.name)
		}
		notes = append(notes, fmt.Sprintf("%s served as %s", f.name, served[0].Header.Get("Content-Type")))
	}
	return strings.Join(notes, ", "), nil
}

func virus(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-` + `STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`
	p, err := s.answerWith(context.Background(), me.Web, me.letter, "voici", sentFile{"a.txt", "text/plain", strings.NewReader(eicar)})
	if err != nil {
		return "", err
	}
	if p.Code == http.StatusUnprocessableEntity {
		return "", nil
	}
	if p.Code == http.StatusSeeOther {
		if _, err := s.sentBack(me, p); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("not checked: nothing here scans (the test file was answered %d)", p.Code), nil
}

// many sends 25 MB a hundred times at once, and meanwhile somebody else reads.
func many(s *stage, _ attempt) (string, error) {
	me, them := s.actors[0], s.actors[1]
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var mu sync.Mutex // guards codes and cut
	codes, cut := make(map[int]int), 0
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			w := *me.Web
			p, err := s.answerOnce(ctx, &w, me)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				cut++
			} else {
				codes[p.Code]++
			}
		})
	}
	var slowest time.Duration
	var failed error
	for range 10 {
		begin := time.Now()
		p, err := s.get(them, "/messages", "application/json")
		failed = errors.Join(failed, err, want(p, "somebody else", http.StatusOK))
		slowest = max(slowest, time.Since(begin))
		time.Sleep(100 * time.Millisecond)
	}
	wg.Wait()
	s.refused += 100 - codes[http.StatusSeeOther]
	switch {
	case failed != nil:
		return "", failed
	case slowest > 5*time.Second:
		return "", fmt.Errorf("somebody else waited %v", slowest.Round(time.Millisecond))
	case codes[http.StatusSeeOther] > 0:
		return "", fmt.Errorf("%d of the answers were sent", codes[http.StatusSeeOther])
	}
	return fmt.Sprintf("answered %v, %d connections ended early; somebody else waited %v at most", codes, cut, slowest.Round(time.Millisecond)), nil
}

// answerOnce sends 25 MB over a connection of its own.
func (s *stage) answerOnce(ctx context.Context, w *wiretest.Web, a *actor) (wiretest.Page, error) {
	fresh, err := s.c.f.browser(s.c.f.patients)
	if err != nil {
		return wiretest.Page{}, err
	}
	fresh.Client.Jar = w.Client.Jar
	defer fresh.Client.CloseIdleConnections()
	quiet := &stage{c: s.c}
	return quiet.answerWith(ctx, fresh, a.letter, "beaucoup", sentFile{"a.txt", "text/plain", zeros(25_000_000)})
}

func longPartHeader(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	body := "--b\r\nContent-Disposition: form-data; name=\"text\"\r\nX-Long: " + strings.Repeat("a", 1<<20) + "\r\n\r\nx\r\n--b--\r\n"
	p, err := s.send(me.Web, http.MethodPost, "/messages/"+me.letter+"/reply", nil, func(r *http.Request) {
		r.Body, r.ContentLength = bodyOf([]byte(body)), int64(len(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		r.Header.Set("Accept", "application/json")
	})
	if err == nil && p.Code == http.StatusSeeOther {
		s.answers++
		return "wanted 400: the part with the long header is taken", nil
	}
	if err != nil {
		return "", err
	}
	return "", want(p, "a part with a header of 1 MB", http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge)
}

func resumed(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	return "no counterpart: no upload is resumed (404, 405), and Content-Range is no form", s.unchanged(func() error {
		for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodHead} {
			if err := s.gone(me, method, "/upload", "/files/1", "/uploads/1"); err != nil {
				return err
			}
		}
		if err := s.gone(me, http.MethodPatch, "/messages/"+me.letter+"/reply"); err != nil {
			return err
		}
		for _, span := range []string{"bytes 10-5/3", "bytes -5-10/100", "bytes 0-9/5"} {
			p, err := s.send(me.Web, http.MethodPost, "/messages/"+me.letter+"/reply", nil, func(r *http.Request) {
				r.Body, r.ContentLength = bodyOf([]byte("x")), 1
				r.Header.Set("Content-Range", span)
				r.Header.Set("Content-Type", "application/offset+octet-stream")
			})
			if err == nil {
				err = want(p, "Content-Range: "+span, http.StatusBadRequest, http.StatusConflict, http.StatusUnsupportedMediaType)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func polyglot(s *stage, _ attempt) (string, error) {
	me := s.actors[0]
	file := append([]byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0}, []byte("<html><script>MARK()</script></html>")...)
	p, err := s.answerWith(context.Background(), me.Web, me.letter, "voici", sentFile{"a.html", "text/html", bytes.NewReader(file)})
	if err != nil {
		return "", err
	}
	if p.Code != http.StatusSeeOther {
		return fmt.Sprintf("refused with %d", p.Code), nil
	}
	served, err := s.sentBack(me, p)
	if err != nil {
		return "", err
	}
	if len(served) == 0 {
		return "", errors.New("the file was taken and is not in the letter")
	}
	return "served as " + served[0].Header.Get("Content-Type") + " with nosniff, in a sandbox", nil
}

// hugePicture sends the head of a PNG that says that it is very large.
func hugePicture(s *stage, a attempt) (string, error) {
	me := s.actors[0]
	before, err := s.c.w.look()
	if err != nil {
		return "", err
	}
	p, err := s.answerWith(context.Background(), me.Web, me.letter, "voici", sentFile{"a.png", "image/png", bytes.NewReader(picture(50_000, 50_000))})
	if err != nil {
		return "", err
	}
	if p.Code == http.StatusSeeOther {
		if _, err := s.sentBack(me, p); err != nil {
			return "", err
		}
	}
	after, err := s.c.w.look()
	if err != nil {
		return "", err
	}
	if grown := (after.rssKB - before.rssKB) / 1024; grown > 32 {
		return "", fmt.Errorf("the server grew by %d MiB: it decodes pictures", grown)
	}
	return fmt.Sprintf("answered %d: no picture is decoded here", p.Code), nil
}

// picture is a PNG (ISO/IEC 15948) of a size, without its picture.
func picture(width, height uint32) []byte {
	chunk := func(kind string, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data))) //nolint:gosec // thirteen octets
		b = append(append(b, kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, 8, 2, 0, 0, 0))...)
	return append(append(out, chunk("IDAT", nil)...), chunk("IEND", nil)...)
}
