package imapd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// dial returns a client that is logged in.
func (w *world) dial(user string, o *imapclient.Options) *imapclient.Client {
	w.t.Helper()
	w.box(user)
	if o == nil {
		o = &imapclient.Options{}
	}
	o.TLSConfig = w.pki.client("")
	c, err := imapclient.DialTLS(w.implicit, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	if err := c.Login(user, password).Wait(); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// selectBox selects a folder.
func selectBox(t testing.TB, c *imapclient.Client, name string) *imap.SelectData {
	t.Helper()
	data, err := c.Select(name, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fetchOne fetches sections of one letter, in their order.
func fetchOne(t testing.TB, c *imapclient.Client, uid imap.UID, sections ...*imap.FetchItemBodySection) [][]byte {
	t.Helper()
	all, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: sections}).Collect()
	if err != nil || len(all) != 1 {
		t.Fatalf("fetch %d: %d letters, %v", uid, len(all), err)
	}
	out := make([][]byte, len(sections))
	for i, s := range sections {
		out[i] = all[0].FindBodySection(s)
	}
	return out
}

// corpus returns the files of a folder of the shared corpus. Without the corpus
// the test is skipped, or fails where it is required.
func corpus(t *testing.T, folder string) []string {
	t.Helper()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(dir, folder, "*"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("the corpus %s is required and not there", folder)
		}
		t.Skipf("no corpus %s", folder)
	}
	return files
}
