package smtpd_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/smtpd"
)

// TestReplyTo reads the table as its users do (spec mssante 1.13).
func TestReplyTo(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret cause")
	for _, c := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Denied, "sender-not-of-this-operator"), "550 5.7.1"},
		{fault.New(fault.Denied, "recipient-outside-trust-space"), "550 5.7.1"},
		{fault.New(fault.NotFound, "box-unknown"), "550 5.1.1"},
		{fault.New(fault.Denied, "box-closed"), "550 5.2.1"},
		{fault.New(fault.Denied, "box-never-seen"), "550 5.2.1"},
		{fault.New(fault.OverQuota, "box-full"), "452 4.2.2"},
		{fault.New(fault.OverQuota, "letters-limit"), "452 4.2.2"},
		{fault.New(fault.OverQuota, "letter-too-large"), "552 5.3.4"},
		{fault.New(fault.Transient, "revocation-unknown"), "451 4.7.0"},
		{fault.New(fault.Transient, "whitelist-unavailable"), "451 4.7.0"},
		{fault.New(fault.Denied, "certificate-expired"), "554 5.7.1"},
		{fault.New(fault.Denied, "certificate-anything"), "554 5.7.1"},
		{fault.New(fault.Invalid, "address-malformed"), "501 5.1.3"},
		{fault.New(fault.Invalid, "too-many-hops"), "554 5.4.6"},
		{fault.New(fault.Invalid, "letter-too-deep"), "554 5.6.0"},
		{fault.New(fault.Invalid, "from-twice"), "550 5.7.1"},
		{fault.New(fault.Denied, "correspondent-unknown"), "550 5.7.1"},
		{fault.New(fault.Transient, "whitelist-unavailable"), "451 4.7.0"},
		{fault.New(fault.OverQuota, "too-many-recipients"), "452 4.5.3"},
		{fault.New(fault.OverQuota, "too-fast"), "451 4.7.1"},
		{fault.New(fault.Denied, "login-first"), "530 5.7.0"},
		{fault.New(fault.Transient, "box-announced"), "450 4.2.1"},
		{fault.New(fault.Denied, "unheard-of"), "550 5.7.1"},
		{fault.New(fault.Invalid, "unheard-of"), "554 5.6.0"},
		{fault.New(fault.NotFound, "unheard-of"), "550 5.1.1"},
		{fault.New(fault.OverQuota, "unheard-of"), "452 4.3.1"},
		{fault.New(fault.Conflict, "unheard-of"), "451 4.3.0"},
		{fault.Wrap(fault.Transient, "letter-store-busy", secret), "451 4.3.0"},
		{fault.Wrap(fault.Internal, "certificate-store-broken", secret), "451 4.3.0"},
		{fmt.Errorf("deliver: %w", fault.New(fault.NotFound, "box-unknown")), "550 5.1.1"},
		{secret, "451 4.3.0"},
	} {
		got := smtpd.ReplyTo(c.err).String()
		if !strings.HasPrefix(got, c.want+" ") {
			t.Errorf("%v: %q, want %s", c.err, got, c.want)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("%v: %q tells the cause", c.err, got)
		}
	}
}

// TestEveryReasonHasAReply finds the reason ids in the package's source: each
// stands in the table, and each reply is well formed.
func TestEveryReasonHasAReply(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(2|4|5)[0-9]{2} (2|4|5)\.[0-9]+\.[0-9]+ [A-Z][\x20-\x7e]{0,120}$`)
	found := 0
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok {
			return true
		}
		reason, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		r, ok := smtpd.Listed(reason)
		switch {
		case !ok:
			t.Errorf("%s has no reply", reason)
		case r.Code == 0: // said to nobody
		case !form.MatchString(r.String()), r.Code/100 != r.Enhanced[0]:
			t.Errorf("%s: malformed reply %q", reason, r)
		case !strings.HasSuffix(r.Text, "("+reason+")"):
			t.Errorf("%s does not stand in its reply %q", reason, r)
		}
		return true
	})
	if found < 50 {
		t.Errorf("only %d reasons found", found)
	}
}
