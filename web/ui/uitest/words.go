package uitest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Words holds what rooms say: every key stands in both languages, and every key that the
// templates and the Go files in some folders name stands in a catalogue. Keys that are
// composed ("nav.%s") count by their beginning. A template that is called is there.
func Words(t *testing.T, kit *ui.Kit, dirs ...string) {
	t.Helper()
	french, english := kit.Words(ui.French), kit.Words(ui.English)
	for _, key := range french.Keys() {
		if !english.Has(key) {
			t.Errorf("%q is said in French only", key)
		}
	}
	for _, key := range english.Keys() {
		if !french.Has(key) {
			t.Errorf("%q is said in English only", key)
		}
	}
	used := &usage{keys: make(map[string]string)}
	for _, tmpl := range kit.Templates(ui.French).Templates() {
		used.template(tmpl)
	}
	for _, dir := range dirs {
		if err := used.source(dir); err != nil {
			t.Fatal(err)
		}
	}
	for key, where := range used.keys {
		if !french.Has(key) && !used.begins(key, french.Keys()) {
			t.Errorf("%s: no catalogue says %q", where, key)
		}
	}
	for _, name := range used.missing {
		t.Errorf("no template %q", name)
	}
}

// Spare finds keys that nobody says any more: those that stand neither in a template
// nor, whole or by their beginning, in a literal of the Go files in some folders.
func Spare(t *testing.T, kit *ui.Kit, dirs ...string) {
	t.Helper()
	used := &usage{keys: make(map[string]string)}
	for _, tmpl := range kit.Templates(ui.French).Templates() {
		used.template(tmpl)
	}
	for _, dir := range dirs {
		if err := used.literals(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range kit.Words(ui.French).Keys() {
		if _, whole := used.keys[key]; whole {
			continue
		}
		found := false
		for stem := range used.keys {
			stem, composed := strings.CutSuffix(stem, "%")
			found = found || composed && strings.Contains(stem, ".") && strings.HasPrefix(key, stem)
		}
		if stem, last := key[:strings.LastIndex(key, ".")+1], key[strings.LastIndex(key, ".")+1:]; !found && (last == "title" || last == "text") {
			_, found = used.keys[strings.TrimSuffix(stem, ".")] // a stem that a template completes
		}
		if !found {
			t.Errorf("nobody says %q", key)
		}
	}
}

// literals notes every string of Go files that could be a key, or the beginning of one.
func (u *usage) literals(dir string) error {
	return eachFile(dir, func(file string, parsed *ast.File) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, is := n.(*ast.BasicLit); is && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(text, ".") {
					u.keys[text] = file
					if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "-") {
						u.keys[text+"%"] = file
					}
				}
			}
			return true
		})
	})
}

// eachFile parses the Go files of a folder, tests left out.
func eachFile(dir string, fn func(file string, parsed *ast.File)) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		fn(file, parsed)
	}
	return nil
}

// usage is what templates and sources name.
type usage struct {
	keys    map[string]string // key, or the beginning of one that ends in a dot -> where
	missing []string
}

// begins reports whether a composed key ("nav.") begins one of the catalogue.
func (u *usage) begins(key string, all []string) bool {
	stem, composed := strings.CutSuffix(key, "%")
	return composed && slices.ContainsFunc(all, func(k string) bool { return strings.HasPrefix(k, stem) })
}

// template notes every {{t "key"}}, {{rich "key"}} and {{template "name"}}.
func (u *usage) template(t *template.Template) {
	if t.Tree == nil {
		return
	}
	walk(t.Tree.Root, func(n parse.Node) {
		if call, is := n.(*parse.TemplateNode); is && t.Lookup(call.Name) == nil {
			u.missing = append(u.missing, call.Name)
		}
		command, is := n.(*parse.CommandNode)
		if !is || len(command.Args) < 2 {
			return
		}
		name, is := command.Args[0].(*parse.IdentifierNode)
		if !is || name.Ident != "t" && name.Ident != "rich" {
			return
		}
		switch arg := command.Args[1].(type) {
		case *parse.StringNode:
			u.keys[arg.Text] = "template " + t.Name()
		case *parse.PipeNode:
			if len(arg.Cmds) == 1 && len(arg.Cmds[0].Args) > 1 && arg.Cmds[0].Args[0].String() == "printf" {
				if format, is := arg.Cmds[0].Args[1].(*parse.StringNode); is {
					stem, _, _ := strings.Cut(format.Text, "%")
					u.keys[stem+"%"] = "template " + t.Name()
				}
			}
		}
	})
}

// walk visits every node of a template.
func walk(n parse.Node, visit func(parse.Node)) {
	visit(n)
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, visit)
		walk(b.List, visit)
		if b.ElseList != nil {
			walk(b.ElseList, visit)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			walk(child, visit)
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, visit)
		}
	case *parse.CommandNode:
		for _, arg := range n.Args {
			if p, is := arg.(*parse.PipeNode); is {
				walk(p, visit)
			}
		}
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, visit)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}

// source notes the keys that Go files name: the first argument of T and Rich, and what
// stands in Title: and Notice:. A key that is composed ("did."+x) counts by its
// beginning.
func (u *usage) source(dir string) error {
	return eachFile(dir, func(file string, parsed *ast.File) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if f, is := n.Fun.(*ast.SelectorExpr); is && (f.Sel.Name == "T" || f.Sel.Name == "Rich") && len(n.Args) > 0 {
					u.expression(n.Args[0], file)
				}
			case *ast.KeyValueExpr:
				if key, is := n.Key.(*ast.Ident); is && (key.Name == "Title" || key.Name == "Notice") {
					u.expression(n.Value, file)
				}
			}
			return true
		})
	})
}

// expression notes a literal key, or the literal that a composed one begins with. What
// does not look like a key is a text.
func (u *usage) expression(e ast.Expr, where string) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if key, err := strconv.Unquote(e.Value); err == nil && strings.Contains(key, ".") && !strings.Contains(key, " ") {
			u.keys[key] = where
		}
	case *ast.BinaryExpr:
		if left, is := e.X.(*ast.BasicLit); is && e.Op == token.ADD {
			if stem, err := strconv.Unquote(left.Value); err == nil && strings.Contains(stem, ".") {
				u.keys[stem+"%"] = where
			}
		}
	}
}
