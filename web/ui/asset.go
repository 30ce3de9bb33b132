package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed static/*
var staticFiles embed.FS //nolint:gochecknoglobals // the compiler fills it

// assets are the files that every page may ask for: the stylesheet, the icons, the
// one script. Their URLs have their digest in them, so they are kept for ever.
type assets struct {
	urls  map[string]string // "base.css" -> "/static/base.0123456789abcdef.css"
	files map[string]*asset // by URL
	icons map[string]bool   // the symbols of icons.svg, without "i-"
}

type asset struct {
	kind           string
	plain, zipped  []byte
	zippedIsWorthy bool
}

func newAssets() (*assets, error) {
	a := &assets{urls: make(map[string]string), files: make(map[string]*asset), icons: make(map[string]bool)}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		plain, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			return nil, err
		}
		kind, known := map[string]string{
			".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
			".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
		}[path.Ext(name)]
		if !known {
			return nil, fmt.Errorf("static %s: of which type?", name)
		}
		if name == "icons.svg" {
			for _, line := range strings.Split(string(plain), `<symbol id="i-`)[1:] {
				icon, _, _ := strings.Cut(line, `"`)
				a.icons[icon] = true
			}
		}
		zipped, err := zip(plain)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(plain)
		stem := strings.TrimSuffix(name, path.Ext(name))
		url := "/static/" + stem + "." + hex.EncodeToString(sum[:8]) + path.Ext(name)
		a.urls[name] = url
		a.files[url] = &asset{kind: kind, plain: plain, zipped: zipped, zippedIsWorthy: len(zipped)*10 < len(plain)*9}
	}
	return a, nil
}

func zip(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// url returns where a file is.
func (a *assets) url(name string) (string, error) {
	url, known := a.urls[name]
	if !known {
		return "", fmt.Errorf("no static file %q", name)
	}
	return url, nil
}

// ServeStatic answers GET /static/…, and reports whether there is such a file.
func (k *Kit) ServeStatic(w http.ResponseWriter, r *http.Request) bool {
	file, known := k.assets.files[r.URL.Path]
	if !known {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "public, max-age=31536000, immutable") // its name changes with its content
	body := file.plain
	if file.zippedIsWorthy { // nobody's secret is beside the text, so its length tells nothing
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = file.zipped
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client went away: nothing to do
	}
	return true
}
