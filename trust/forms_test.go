package trust_test

import (
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/vaguemestre/vaguemestre/trust"
)

// TestOnlyOneFormOfSignature: the pinned signer signs in forms that the library
// would take, and that the format does not have (spec mssante 1.4).
func TestOnlyOneFormOfSignature(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	unsigned := string(s.sign(t, small(day())))
	unsigned = unsigned[:strings.Index(unsigned, "<Signature")] + "</ListeBlancheMSSante>"
	exclusive := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	for name, c := range map[string]struct {
		change func(ctx *dsig.SigningContext, root *etree.Element)
		reason string
	}{
		"the form":           {func(*dsig.SigningContext, *etree.Element) {}, ""},
		"with a prefix":      {func(ctx *dsig.SigningContext, _ *etree.Element) { ctx.Prefix = "ds" }, ""},
		"inclusive C14N 1.1": {func(ctx *dsig.SigningContext, _ *etree.Element) { ctx.Canonicalizer = dsig.MakeC14N11Canonicalizer() }, "whitelist-signature"},
		"inclusive C14N 1.0": {func(ctx *dsig.SigningContext, _ *etree.Element) {
			ctx.Canonicalizer = dsig.MakeC14N10RecCanonicalizer()
		}, "whitelist-signature"},
		"with comments": {func(ctx *dsig.SigningContext, _ *etree.Element) {
			ctx.Canonicalizer = dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList("")
		}, "whitelist-signature"},
		"SHA-1":               {func(ctx *dsig.SigningContext, _ *etree.Element) { ctx.Hash = crypto.SHA1 }, "whitelist-signature"},
		"SHA-512":             {func(ctx *dsig.SigningContext, _ *etree.Element) { ctx.Hash = crypto.SHA512 }, "whitelist-signature"},
		"reference by id":     {func(_ *dsig.SigningContext, root *etree.Element) { root.CreateAttr("ID", "x") }, "whitelist-signature"},
		"two certificates":    {nil, "whitelist-signature"},
		"no certificate":      {nil, "whitelist-signature"},
		"of a part only":      {nil, "whitelist-signature"},
		"not over the rows":   {nil, "whitelist-signature"},
		"below another child": {nil, "whitelist-signature"},
	} {
		doc := etree.NewDocument()
		if err := doc.ReadFromString(unsigned); err != nil {
			t.Fatal(err)
		}
		chain := [][]byte{s.stamp.Leaf.Raw}
		switch name {
		case "two certificates":
			chain = append(chain, s.authority.Organisations().Raw)
		case "no certificate":
			chain = nil
		}
		ctx, err := dsig.NewSigningContext(s.stamp.Key, chain)
		if err != nil {
			t.Fatal(err)
		}
		ctx.Canonicalizer, ctx.Prefix = exclusive, ""
		if c.change != nil {
			c.change(ctx, doc.Root())
		}
		root := doc.Root()
		target := root
		if name == "of a part only" || name == "not over the rows" || name == "below another child" {
			target = root.ChildElements()[0] // the date
		}
		signature, err := ctx.ConstructSignature(target, true)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "of a part only":
			root.ChildElements()[0].AddChild(signature)
		case "below another child":
			root.ChildElements()[1].AddChild(signature)
		default:
			root.AddChild(signature)
		}
		xml, err := doc.WriteToBytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.Verify(xml, s.policy, trust.Mark{}, time.Now()); reason(err) != c.reason {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}
