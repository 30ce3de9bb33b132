package rounds

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
)

// Bounds of one download.
const (
	fetchTimeout = time.Minute
	fetchMost    = 64 << 20 // octets
)

// Fetcher gets what the authority publishes. Its servers present certificates of
// the trust space's own authorities, so the system's roots are not asked
// (spec mssante 1.2). URLs come from the configuration, redirects are not followed.
type Fetcher struct {
	client *http.Client
	most   int64 // octets
}

// NewFetcher returns a fetcher that trusts roots only, for https.
func NewFetcher(roots *x509.CertPool) *Fetcher {
	return &Fetcher{
		most: fetchMost,
		client: &http.Client{
			Timeout: fetchTimeout,
			Transport: &http.Transport{
				TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				DisableKeepAlives: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Get downloads a URL whole. It fails with fault.Transient "fetch-failed".
func (f *Fetcher) Get(ctx context.Context, url string) ([]byte, error) {
	data, _, err := f.get(ctx, url, "")
	return data, err
}

// Changed downloads a URL unless it is still the one named by tag (RFC 9110
// 13.1.2): then it returns nil and the tag.
func (f *Fetcher) Changed(ctx context.Context, url, tag string) (data []byte, newTag string, err error) {
	return f.get(ctx, url, tag)
}

func (f *Fetcher) get(ctx context.Context, url, tag string) ([]byte, string, error) {
	failed := func(err error) ([]byte, string, error) {
		return nil, "", fault.Wrap(fault.Transient, "fetch-failed", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return failed(err)
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && tag != "":
		return nil, tag, nil
	case resp.StatusCode != http.StatusOK:
		return failed(fmt.Errorf("status %d", resp.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, f.most+1))
	if err != nil {
		return failed(err)
	}
	if int64(len(data)) > f.most {
		return failed(fmt.Errorf("more than %d octets", f.most))
	}
	return data, resp.Header.Get("ETag"), nil
}
