package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/bench"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure letters per second and what a letter costs, beside a floor measured in the same run",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "engine", Usage: "sqlite, postgres or both", Value: "both"},
			&cli.StringFlag{Name: "postgres", Usage: "`DSN` of a server without a demo's databases (default: a scratch server of our own, durable)"},
			&cli.StringFlag{Name: "sizes", Usage: "`SIZES` of letters (default 2KiB,50KiB,1MiB)"},
			&cli.StringFlag{Name: "conns", Usage: "`NUMBERS` of connections (default 1,8,32)"},
			&cli.FloatFlag{Name: "seconds", Usage: "`SECONDS` measured in each round (default 2)"},
			&cli.IntFlag{Name: "rounds", Usage: "rounds of each cell, whose median counts (default 3)"},
			&cli.BoolFlag{Name: "quick", Usage: "measure less, in under a minute"},
			&cli.StringFlag{Name: "dir", Usage: "`DIR` on the disk to be measured (default: the system's folder for temporary files)"},
			&cli.StringFlag{Name: "json", Usage: "write the figures to `FILE`, too"},
			&cli.StringFlag{Name: "in-process", Usage: "run the servers in this process and write CPU profiles to `DIR`: no floor, no flushes"},
		},
		Commands: []*cli.Command{floorCommand(), benchVaultCommand()},
		Action:   runBench,
	}
}

// floorCommand is what bench starts beside the demo.
func floorCommand() *cli.Command {
	return &cli.Command{
		Name:  "floor",
		Usage: "serve the floor alone, until standard input ends",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "cert", Usage: "certificate to show, a PEM `FILE`", Required: true},
			&cli.StringFlag{Name: "key", Usage: "its key, a PEM `FILE`", Required: true},
			&cli.StringFlag{Name: "ca", Usage: "root of the peers' certificates, a PEM `FILE`", Required: true},
			&cli.StringFlag{Name: "dir", Usage: "`DIR` to write to", Required: true},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			return bench.ServeFloor(ctx, bench.FloorFiles{
				Cert: c.String("cert"), Key: c.String("key"), CA: c.String("ca"), Dir: c.String("dir"),
			}, os.Stdin, os.Stdout)
		},
	}
}

func runBench(ctx context.Context, c *cli.Command) error {
	o := bench.Options{
		Postgres: c.String("postgres"), Window: time.Duration(c.Float("seconds") * float64(time.Second)), Rounds: c.Int("rounds"),
		Quick: c.Bool("quick"), Dir: c.String("dir"), Profiles: c.String("in-process"), Progress: os.Stderr,
	}
	if e := c.String("engine"); e != "both" {
		o.Engines = []string{e}
	}
	var err error
	if o.Sizes, err = list(c.String("sizes"), bench.ParseSize); err != nil {
		return err
	}
	if o.Conns, err = list(c.String("conns"), strconv.Atoi); err != nil {
		return fmt.Errorf("--conns: %w", err)
	}
	report, err := bench.Run(ctx, o)
	if report == nil || len(report.Cells) == 0 {
		return err
	}
	report.WriteText(os.Stdout) // also what was measured before an error
	if file := c.String("json"); file != "" && err == nil {
		data, jerr := json.MarshalIndent(report, "", "  ")
		if jerr != nil {
			return jerr
		}
		err = os.WriteFile(file, append(data, '\n'), 0o644)
	}
	return err
}

// list reads values with commas between them; nothing is none.
func list[T any](s string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	if s == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		v, err := parse(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
