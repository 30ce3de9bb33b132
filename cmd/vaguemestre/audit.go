package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/audit"
	"github.com/vaguemestre/vaguemestre/custody"
	"github.com/vaguemestre/vaguemestre/node"
	"github.com/vaguemestre/vaguemestre/store"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "the audit log: verify it, list it",
		Commands: []*cli.Command{
			{
				Name:  "verify",
				Usage: "recompute the whole log and hold every row against the signed checkpoints",
				Flags: []cli.Flag{
					configFlag(),
					&cli.StringFlag{Name: "key", Usage: "verifier `KEY` noted elsewhere (default: the one in the database)"},
					&cli.StringFlag{Name: "since", Usage: "checkpoint `FILE` noted elsewhere: finds a log that was cut or forked since"},
				},
				Action: verifyAudit,
			},
			{
				Name:  "list",
				Usage: "print leaves, one JSON object a line, unnumbered ones last",
				Flags: []cli.Flag{
					configFlag(),
					&cli.StringFlag{Name: "since", Usage: "only leaves from this `TIME` on (RFC 3339)"},
					&cli.StringFlag{Name: "act", Usage: "only leaves of this `ACT`"},
				},
				Action: listAudit,
			},
			{
				Name:   "checkpoint",
				Usage:  "print the newest signed checkpoint, to be noted elsewhere",
				Flags:  []cli.Flag{configFlag()},
				Action: printCheckpoint,
			},
		},
	}
}

// openStore opens the store of a configuration for looking; a serving node may run.
func openStore(ctx context.Context, file string) (*store.DB, error) {
	conf, err := node.Load(file)
	if err != nil {
		return nil, err
	}
	return conf.OpenStore(ctx, slog.New(slog.DiscardHandler))
}

func verifyAudit(ctx context.Context, c *cli.Command) error {
	db, err := openStore(ctx, c.String("config"))
	if err != nil {
		return err
	}
	defer db.Close()
	key := c.String("key")
	if key == "" {
		err := db.Read(ctx, func(tx *store.Tx) error {
			public, err := custody.Public(tx, custody.Audit)
			key = string(public)
			return err
		})
		if err != nil {
			return fmt.Errorf("no audit key: has this node ever run? %w", err)
		}
	}
	var o audit.VerifyOptions
	if file := c.String("since"); file != "" {
		old, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		o.Since = [][]byte{old}
	}
	report, err := audit.Verify(ctx, db, key, o)
	if err != nil && report.Found == 0 {
		return err
	}
	for _, f := range report.Findings {
		fmt.Println("FOUND", f)
	}
	fmt.Printf("%d leaves numbered, %d waiting, %d checkpoints good, longest wait for a number %v, %d findings\n",
		report.Leaves, report.Pending, report.Checkpoints, report.MaxLag.Round(time.Millisecond), report.Found)
	if report.Found > 0 {
		return errors.New("the audit log was changed: keep the database as it is and call for help")
	}
	return nil
}

func listAudit(ctx context.Context, c *cli.Command) error {
	db, err := openStore(ctx, c.String("config"))
	if err != nil {
		return err
	}
	defer db.Close()
	var since time.Time
	if s := c.String("since"); s != "" {
		if since, err = time.Parse(time.RFC3339Nano, s); err != nil {
			return fmt.Errorf("--since: write a time such as 2026-11-21T08:00:00Z: %w", err)
		}
	}
	return db.Read(ctx, func(tx *store.Tx) error {
		return audit.List(tx, since, c.String("act"), func(line []byte) error {
			_, err := fmt.Printf("%s\n", line)
			return err
		})
	})
}

func printCheckpoint(ctx context.Context, c *cli.Command) error {
	db, err := openStore(ctx, c.String("config"))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Read(ctx, func(tx *store.Tx) error {
		latest, err := audit.Latest(tx)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(latest)
		return err
	})
}
