package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/bench"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/pgtest"
)

// benchVaultCommand measures a vault that grows.
func benchVaultCommand() *cli.Command {
	return &cli.Command{
		Name:  "vault",
		Usage: "measure what filing and opening the list cost in a vault that grows",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "engine", Usage: "sqlite, postgres or both", Value: "both"},
			&cli.StringFlag{Name: "postgres", Usage: "`DSN` of a server; a database is made on it (default: a scratch server of our own, durable)"},
			&cli.IntFlag{Name: "documents", Usage: "`N` documents at the end", Value: 10000},
			&cli.IntFlag{Name: "rounds", Usage: "how often each act is done at each size (default 60)"},
			&cli.StringFlag{Name: "dir", Usage: "`DIR` on the disk to be measured (default: the system's folder for temporary files)"},
			&cli.StringFlag{Name: "json", Usage: "write the figures to `FILE`, too"},
		},
		Action: runBenchVault,
	}
}

func runBenchVault(ctx context.Context, c *cli.Command) error {
	dir, err := os.MkdirTemp(c.String("dir"), "vaguemestre-vault-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	engines := []string{c.String("engine")}
	if engines[0] == "both" {
		engines = []string{"sqlite", "postgres"}
	}
	var all []bench.VaultFigure
	for _, engine := range engines {
		figures, err := measureVault(ctx, c, engine, dir)
		all = append(all, figures...)
		if err != nil {
			return err
		}
	}
	bench.WriteVault(os.Stdout, all)
	if file := c.String("json"); file != "" {
		data, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(file, append(data, '\n'), 0o644)
	}
	return nil
}

// measureVault runs it on one engine, with a scratch server where none is named.
func measureVault(ctx context.Context, c *cli.Command, engine, dir string) ([]bench.VaultFigure, error) {
	dsn := "sqlite:" + filepath.Join(dir, "store.db")
	if engine == "postgres" {
		server := c.String("postgres")
		if server == "" {
			// Not below dir, which is closed to the user that PostgreSQL runs as.
			cluster, err := os.MkdirTemp(c.String("dir"), "vaguemestre-pg-")
			if err != nil {
				return nil, err
			}
			defer os.RemoveAll(cluster)
			scratch, err := pgtest.Start(ctx, cluster, pgtest.Options{Durable: true})
			if err != nil {
				return nil, err
			}
			defer func() { _ = scratch.Stop() }() // it ends with this process anyway
			server = scratch.DSN("postgres")
		}
		var err error
		if dsn, err = store.Database(ctx, server, "vaguemestre_vault"); err != nil {
			return nil, err
		}
	} else if engine != "sqlite" {
		return nil, fmt.Errorf("engine %q: write sqlite, postgres or both", engine)
	}
	n := c.Int("documents")
	return bench.RunVault(ctx, bench.VaultOptions{
		Engine: engine, DSN: dsn, Dir: dir, Sizes: []int{0, n / 100, n / 10, n}, Rounds: c.Int("rounds"), Progress: os.Stderr,
	})
}
