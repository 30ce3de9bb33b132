package message_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/vaguemestre/vaguemestre/web/message"
)

// corpus returns the folder of samples, or skips: absence is a failure where
// CORPUS=required says so.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CORPUS") == "required" {
			t.Fatalf("the samples are required: %v", err)
		}
		t.Skip("no samples here")
	}
	return dir
}

// allowed is the closed list of the frame, element by element: what the browser may
// meet, written again here so that a change of the policy is seen twice.
var allowed = map[string][]string{
	"p": {"align", "dir", "lang"}, "div": {"align", "dir", "lang"}, "span": {"dir", "lang"}, "blockquote": {"dir", "lang"}, "q": {"lang"},
	"br": nil, "hr": nil, "pre": nil, "code": nil, "center": nil, "address": nil,
	"h1": {"align"}, "h2": {"align"}, "h3": {"align"}, "h4": {"align"}, "h5": {"align"}, "h6": {"align"},
	"b": nil, "strong": nil, "i": nil, "em": nil, "u": nil, "s": nil, "small": nil, "sub": nil, "sup": nil, "abbr": nil,
	"ul": nil, "ol": {"start"}, "li": nil, "dl": nil, "dt": nil, "dd": nil,
	"table": nil, "caption": nil, "thead": nil, "tbody": nil, "tfoot": nil, "tr": {"align"}, "th": {"align", "colspan", "rowspan", "scope"}, "td": {"align", "colspan", "rowspan"},
	"a": {"href", "rel", "target"}, "img": {"alt", "src"},
}

// check parses what the sanitiser left as a browser would and holds it against the
// closed list. It is the property that the fuzz target looks for too.
func check(out string) error {
	if strings.Count(out, "<")+strings.Count(out, ">") > 0 && !strings.Contains(out, ">") {
		return fmt.Errorf("an element that never ends: %.80q", out)
	}
	z := html.NewTokenizer(strings.NewReader(out))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return nil
		case html.CommentToken, html.DoctypeToken:
			return fmt.Errorf("a comment or doctype is left: %q", z.Token())
		case html.StartTagToken, html.SelfClosingTagToken:
			if err := checkTag(z.Token()); err != nil {
				return err
			}
		case html.EndTagToken, html.TextToken:
		}
	}
}

func checkTag(tag html.Token) error {
	attrs, ok := allowed[tag.Data]
	if !ok {
		return fmt.Errorf("element %q is not of the list", tag.Data)
	}
	for _, a := range tag.Attr {
		if !slices.Contains(attrs, a.Key) {
			return fmt.Errorf("attribute %s of %s is not of the list", a.Key, tag.Data)
		}
		switch a.Key {
		case "href":
			if !strings.HasPrefix(a.Val, "https://") {
				return fmt.Errorf("a link leads to %q", a.Val)
			}
		case "src":
			if !strings.HasPrefix(a.Val, "data:image/png;base64,") && !strings.HasPrefix(a.Val, "data:image/jpeg;base64,") {
				return fmt.Errorf("an image comes from %q", a.Val)
			}
		}
	}
	return nil
}

// checkTree does the same on the tree, where foreign content and moved elements show.
func checkTree(out string) error {
	root, err := html.Parse(strings.NewReader("<!doctype html><html><head></head><body>" + out + "</body></html>"))
	if err != nil {
		return nil //nolint:nilerr // deeper than the parser goes: the tokens were checked
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || slices.Contains([]string{"html", "head", "body", "colgroup"}, n.Data) {
			continue
		}
		if n.Namespace != "" {
			return fmt.Errorf("foreign element %s:%s", n.Namespace, n.Data)
		}
		if err := checkTag(html.Token{Data: n.Data, Attr: n.Attr}); err != nil {
			return err
		}
	}
	return nil
}

func TestNothingButTheClosedListIsLeft(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "hostile", "html", "*.json"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files of payloads, %v", len(files), err)
	}
	total := 0
	for _, file := range files {
		total += checkFile(t, file)
	}
	if total < 100 {
		t.Errorf("only %d payloads were tried", total)
	}
}

func checkFile(t *testing.T, file string) int {
	t.Helper()
	var list struct {
		Forbidden []string
		MustKeep  []string `json:"must_keep"`
		Payloads  []struct{ ID, HTML string }
	}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, p := range list.Payloads {
		out := message.Clean(p.HTML, nil)
		all += out
		if err := check(out); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if err := checkTree(out); err != nil {
			t.Errorf("%s: in the tree: %v", p.ID, err)
		}
		for _, f := range list.Forbidden {
			if regexp.MustCompile(f).MatchString(out) {
				t.Errorf("%s: %q is forbidden, got %.200q", p.ID, f, out)
			}
		}
		if again := message.Clean(out, nil); check(again) != nil {
			t.Errorf("%s: cleaned twice it is worse: %.200q", p.ID, again)
		}
	}
	for _, keep := range list.MustKeep {
		if !strings.Contains(all, keep) {
			t.Errorf("%s: nothing holds %q", filepath.Base(file), keep)
		}
	}
	return len(list.Payloads)
}

func TestLinksSayWhereTheyLead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`<a href="https://evil.example">https://mes.test/connexion</a>`, `<a href="https://evil.example" target="_blank" rel="noopener noreferrer nofollow">https://mes.test/connexion</a> <small>(evil.example)</small>`},
		{`<a href="https://chu.example/plan">https://chu.example/plan</a>`, `<a href="https://chu.example/plan" target="_blank" rel="noopener noreferrer nofollow">https://chu.example/plan</a>`},
		{`<a href="https://mes.test@evil.example/">mes.test</a>`, `mes.test`},
		{`<a href="//evil.example">x</a>`, `x`},
		{`<a href="mailto:a@b?bcc=c@d">écrire</a>`, `écrire`},
		{`<a href="http://chu.example">plan</a>`, `plan`},
		{`<a href="cid:1">x</a>`, `x`},
		{`<a href="https://a.example">un<a href="https://b.example">deux</a>`, `<a href="https://a.example" target="_blank" rel="noopener noreferrer nofollow">un</a> <small>(a.example)</small><a href="https://b.example" target="_blank" rel="noopener noreferrer nofollow">deux</a> <small>(b.example)</small>`},
	} {
		if got := message.Clean(c.in, nil); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestOnlyImagesOfTheLetterAreShown(t *testing.T) {
	t.Parallel()
	image := func(id string) (string, []byte) {
		switch id {
		case "logo@chu":
			return "image/png", []byte("png")
		case "page@chu":
			return "text/html", []byte("<script>")
		case "grand@chu":
			return "image/png", make([]byte, 2<<20)
		}
		return "", nil
	}
	for _, c := range []struct{ in, want string }{
		{`<img src="cid:logo@chu" alt="Logo &quot;CHU&quot;" width=1>`, `<img src="data:image/png;base64,cG5n" alt="Logo &#34;CHU&#34;">`},
		{`<img src="cid:logo%40chu">`, `<img src="data:image/png;base64,cG5n" alt="">`},
		{`<img src="cid:page@chu" alt="Plan">`, `<i>[Plan]</i>`},
		{`<img src="cid:grand@chu" alt="Plan">`, `<i>[Plan]</i>`},
		{`<img src="https://canary.invalid/1" alt="Un <b>pixel</b>">`, `<i>[Un &lt;b&gt;pixel&lt;/b&gt;]</i>`},
		{`<img src="data:image/png;base64,AAAA">`, ``},
	} {
		if got := message.Clean(c.in, image); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestWhatPeopleWriteStays(t *testing.T) {
	t.Parallel()
	in := `<h2 align="center">Résultats</h2><p lang="fr">Bonjour <strong>Jeanne</strong>,<br>voici :</p><table><caption>Sang</caption><tr><th scope="row" colspan="2">Potassium</th><td>5,4</td></tr></table><ul><li>un</li></ul>`
	if got := message.Clean(in, nil); got != in {
		t.Errorf("got %s", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add(`<p>Bonjour <b>x</b> <a href="https://a.example">y</a> <img src="cid:1" alt="z">`)
	f.Add(`<svg></p><style><a id="</style><img src=1 onerror=x>">`)
	f.Add(`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=x&gt;">`)
	f.Add(`<noscript><p title="</noscript><img src=x onerror=x>">`)
	f.Fuzz(func(t *testing.T, raw string) {
		out := message.Clean(raw, func(string) (string, []byte) { return "image/png", []byte("x") })
		if err := check(out); err != nil {
			t.Error(err)
		}
		if err := checkTree(out); err != nil {
			t.Error(err)
		}
	})
}
