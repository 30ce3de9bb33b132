package main

import (
	"fmt"

	"github.com/vaguemestre/vaguemestre/demo"
	"github.com/vaguemestre/vaguemestre/wiretest"
)

// reader is a box opened over IMAP.
type reader struct{ *wiretest.IMAP }

// openBox logs in to a box and selects its inbox.
func openBox(ca string, o demo.Operator, p demo.Person) (*reader, error) {
	conf, err := clientTLS(ca, p.CertFile, p.KeyFile)
	if err != nil {
		return nil, err
	}
	b, err := wiretest.DialIMAP(o.IMAPS, conf)
	if err != nil {
		return nil, err
	}
	if err := b.Login(p.Login, p.Password); err != nil {
		b.Close()
		return nil, err
	}
	if _, err := b.Do("SELECT INBOX"); err != nil {
		b.Close()
		return nil, err
	}
	return &reader{b}, nil
}

// search returns the UIDs whose subject holds text.
func (b *reader) search(text string) ([]string, error) {
	return b.Search(fmt.Sprintf("HEADER SUBJECT %q", text))
}

// text fetches the body of a letter.
func (b *reader) text(uid string) (string, error) {
	got, err := b.Fetch(uid, "TEXT")
	return string(got), err
}

func (b *reader) close() { b.Close() }
