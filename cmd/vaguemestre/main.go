// Command vaguemestre runs a secure health mail operator, or a whole trust space
// for a demonstration.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/urfave/cli/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := app().Run(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "vaguemestre:", err)
		os.Exit(1)
	}
}

// app is the command line.
func app() *cli.Command {
	return &cli.Command{
		Name:    "vaguemestre",
		Usage:   "secure health mail between professionals and patients",
		Version: version(),
		// Errors are printed once, by main.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		Commands: []*cli.Command{
			demoCommand(), serveCommand(), checkCommand(), userCommand(),
			certCommand(), whitelistCommand(), auditCommand(), benchCommand(), inspectCommand(),
		},
	}
}

// version is what the build recorded.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			v += " (" + s.Value[:12] + ")"
		}
	}
	return v
}

// configFlag names the configuration file.
func configFlag() *cli.StringFlag {
	return &cli.StringFlag{
		Name: "config", Aliases: []string{"c"}, Usage: "configuration `FILE`", Value: "vaguemestre.toml",
	}
}
