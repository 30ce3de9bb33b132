package node

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// explained turns the decoder's errors into lines a person can act on.
func explained(err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []error
		for _, e := range strict.Errors {
			row, _ := e.Position()
			key := strings.Join(e.Key(), ".")
			hint := ""
			if near := nearest(e.Key()); near != "" {
				hint = fmt.Sprintf(": did you mean %q?", near)
			}
			all = append(all, fmt.Errorf("line %d: unknown key %q%s", row, key, hint))
		}
		return errors.Join(all...)
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		return fmt.Errorf("line %d, column %d: %w", row, column, bad)
	}
	return err
}

// keyLines returns the line of each key that a file sets, tables included, by its
// dotted name.
func keyLines(data []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		name := table
		if e.Kind == unstable.Table || e.Kind == unstable.ArrayTable {
			name = ""
		}
		line := 0
		for key := e.Key(); key.Next(); {
			if name != "" {
				name += "."
			}
			name += string(key.Node().Data)
			line = p.Shape(key.Node().Raw).Start.Line
		}
		if e.Kind != unstable.KeyValue {
			table = name
		}
		lines[name] = line
	}
	return lines
}
