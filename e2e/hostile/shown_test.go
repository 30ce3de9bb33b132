package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

const policy = "default-src 'none'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// answered is a page as a server sends it.
func answered(kind, csp, body string) wiretest.Page {
	return wiretest.Page{Code: 200, Body: []byte(body), Header: http.Header{
		"Content-Type": {kind}, "Content-Security-Policy": {csp}, "X-Content-Type-Options": {"nosniff"},
	}}
}

func TestWhatActsOrFetchesIsFound(t *testing.T) {
	t.Parallel()
	for body, fine := range map[string]bool{
		`<p>MARK() javascript:x onclick=x</p>`:                                   true,
		`<a href="/messages">x</a><a href="https://x.example/">x</a>`:            true,
		`<script src="/static/a.js"></script>`:                                   true,
		`<svg><use href="/static/i.svg#a"/></svg>`:                               true,
		`<img src="data:image/png;base64,AA==">`:                                 true,
		`<iframe sandbox src="/messages/1/html"></iframe>`:                       true,
		`<script>MARK()</script>`:                                                false,
		`<p onclick="x">x</p>`:                                                   false,
		`<p style="background:url(http://x.example)">x</p>`:                      false,
		`<a href="java&#9;script:MARK()">x</a>`:                                  false,
		`<a href="data:text/html,x">x</a>`:                                       false,
		`<img src="http://canary.invalid/x">`:                                    false,
		`<img src="//canary.invalid/x">`:                                         false,
		`<img src="data:image/svg+xml,x">`:                                       false,
		`<form action="https://x.example/">x</form>`:                             false,
		`<meta http-equiv="refresh" content="0;url=/">`:                          false,
		`<svg><foreignObject>x</foreignObject></svg>`:                            false,
		`<svg><a xlink:href="javascript:x">x</a></svg>`:                          false,
		`<svg><use href="http://x.example/#a"/></svg>`:                           false,
		`<iframe srcdoc="x"></iframe>`:                                           false,
		`<iframe sandbox="allow-scripts" src="/x"></iframe>`:                     false,
		`<object data="/x"></object>`:                                            false,
		`<base href="/x">`:                                                       false,
		"<p>\u202E001 mg</p>":                                                    false,
		`<link rel="stylesheet" href="http://x.example/a.css">`:                  false,
		`<script src="https://x.example/static/a.js"></script>`:                  false,
		`<button formaction="javascript:MARK()">x</button>`:                      false,
		`<math><mi xlink:href="data:x">x</mi></math>`:                            false,
		`<img srcset="http://x.example/a 1x">`:                                   false,
		`<template><img src=x onerror=MARK()></template>`:                        false,
		`<noscript><p title="</noscript><img src=x onerror=MARK()>"></noscript>`: false,
	} {
		if err := inert(answered("text/html; charset=utf-8", policy, "<!doctype html><body>"+body)); (err == nil) != fine {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, p := range []wiretest.Page{
		answered("text/html", "", "x"), answered("text/html", policy+"; style-src 'unsafe-inline'", "x"),
		answered("text/xml", policy, "x"), answered("text/html", strings.Replace(policy, "'self'", "https://x.example", 1), "x"),
	} {
		if inert(p) == nil {
			t.Errorf("%v is taken for a page of ours", p.Header)
		}
	}
}

func TestAFileIsShownOrKept(t *testing.T) {
	t.Parallel()
	const boxed = "default-src 'none'; sandbox; frame-ancestors 'self'"
	for kind, fine := range map[string]bool{
		"text/plain; charset=utf-8": true, "image/png": true, "application/octet-stream": true,
		"text/html": false, "image/svg+xml": false, "text/xml": false, "application/xhtml+xml": false, "": false,
	} {
		if err := passive(answered(kind, boxed, "x")); (err == nil) != fine {
			t.Errorf("%q: %v", kind, err)
		}
	}
	if passive(answered("image/png", "default-src 'none'", "x")) == nil {
		t.Error("a file without a sandbox passes")
	}
}

func TestAReusedIDTakesHashAndSizeWithIt(t *testing.T) {
	t.Parallel()
	pack := func(id string) []byte {
		doc := fmt.Sprintf(`<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2" extension="%s"/></ClinicalDocument>`, id)
		sum := sha1.Sum([]byte(doc))
		meta := fmt.Sprintf(`<R><Value>%x</Value><Value>%d</Value><ExternalIdentifier identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" value="1.2^%s"/></R>`, sum, len(doc), id)
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for name, text := range map[string]string{"METADATA.XML": meta, "DOC.XML": doc} {
			f, err := w.Create(name)
			if err == nil {
				_, err = f.Write([]byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	out, err := renamed(pack("mine"), "1.2^mine", "1.2^of-the-control")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := uniqueID(out); err != nil || id != "1.2^of-the-control" {
		t.Fatalf("%q, %v", id, err)
	}
	_, files, err := entries(out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(files["DOC.XML"])
	meta := string(files["METADATA.XML"])
	if !strings.Contains(meta, hex.EncodeToString(sum[:])) || !strings.Contains(meta, fmt.Sprintf("<Value>%d<", len(files["DOC.XML"]))) || !strings.Contains(string(files["DOC.XML"]), "of-the-control") {
		t.Errorf("%s %s", meta, files["DOC.XML"])
	}
}
