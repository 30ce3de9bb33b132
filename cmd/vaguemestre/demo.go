package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/demo"
)

// stopWithin is how long a stop may take.
const stopWithin = 4 * time.Second

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "run a whole trust space on this machine: authority, hospital, city, patients",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "keep", Usage: "keep everything in `DIR` and resume from it (default: a fresh folder, removed at the end)"},
			&cli.IntFlag{Name: "boxes", Usage: "`N` more boxes per operator"},
			&cli.StringFlag{Name: "store", Usage: "`DSN` instead of SQLite: postgres://…, one database per operator"},
			&cli.StringFlag{Name: "blob", Usage: "blob `URL` instead of files, one prefix per operator"},
			&cli.StringFlag{Name: "bus", Usage: "bus `URL` instead of the one in process"},
			&cli.Int64Flag{Name: "max-size", Usage: "largest letter in `BYTES`, encoded (default 25 MiB)"},
			&cli.StringFlag{Name: "people", Usage: "JSON `FILE` with more boxes"},
			&cli.BoolFlag{Name: "no-walk", Usage: "send no first letter"},
			&cli.StringFlag{Name: "ready", Usage: "write who is who and what listens where to `FILE` once everything listens"},
			&cli.BoolFlag{Name: "log", Usage: "print the operators' log lines, too"},
		},
		Action: runDemo,
	}
}

func runDemo(ctx context.Context, c *cli.Command) error {
	var log io.Writer
	if c.Bool("log") {
		log = os.Stderr
	}
	space, err := demo.Open(ctx, demo.Options{
		Keep: c.String("keep"), Boxes: c.Int("boxes"), Store: c.String("store"), Blob: c.String("blob"),
		Bus: c.String("bus"), MaxSize: c.Int64("max-size"), People: c.String("people"), Log: log,
	})
	if err != nil {
		return err
	}
	err = show(ctx, c, space)
	if err == nil {
		<-ctx.Done()
		fmt.Println("stopping")
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if cerr := space.Close(end); err == nil {
		err = cerr
	}
	return err
}

// show tells what runs, writes the ready file and walks the first letter.
func show(ctx context.Context, c *cli.Command, space *demo.Space) error {
	if file := c.String("ready"); file != "" {
		if err := space.WriteReady(file); err != nil {
			return err
		}
	}
	space.Tell(os.Stdout)
	if !c.Bool("no-walk") {
		if err := space.Walk(ctx, os.Stdout); err != nil {
			return err
		}
	}
	fmt.Println("\nRunning. Ctrl-C stops it.")
	return nil
}
