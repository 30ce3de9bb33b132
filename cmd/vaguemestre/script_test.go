package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"vaguemestre": func() {
			if err := app().Run(context.Background(), os.Args); err != nil {
				fmt.Fprintln(os.Stderr, "vaguemestre:", err)
				os.Exit(1)
			}
		},
	})
}

// TestScripts runs the command line: one behaviour a file, the file's name is the
// sentence.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
