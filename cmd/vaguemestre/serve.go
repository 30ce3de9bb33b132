package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/node"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run one node of an operator",
		Flags: []cli.Flag{configFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			n, done, err := openNode(ctx, c.String("config"))
			if err != nil {
				return err
			}
			defer done()
			if err := n.Start(ctx); err == nil {
				<-ctx.Done()
			} else {
				fmt.Fprintln(os.Stderr, "vaguemestre:", err)
			}
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
			defer cancel()
			return n.Stop(end)
		},
	}
}

// openNode loads a configuration and opens the node it describes, with its log.
func openNode(ctx context.Context, file string) (*node.Node, func(), error) {
	conf, err := node.Load(file)
	if err != nil {
		return nil, nil, err
	}
	log, done, err := openLog(conf)
	if err != nil {
		return nil, nil, err
	}
	n, err := node.New(ctx, conf, node.Options{Log: log})
	if err != nil {
		done()
		return nil, nil, err
	}
	return n, done, nil
}

// openLog opens the log that the configuration names.
func openLog(conf *node.Config) (*slog.Logger, func(), error) {
	var level slog.Level
	if conf.Log.Level != "" {
		if err := level.UnmarshalText([]byte(conf.Log.Level)); err != nil {
			return nil, nil, fault.Wrap(fault.Invalid, "config-malformed", fmt.Errorf("log.level: %w", err))
		}
	}
	out, done := io.Writer(os.Stderr), func() {}
	if name := conf.LogFile(); name != "" {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fault.Wrap(fault.Invalid, "log-unwritable", err)
		}
		out, done = f, func() { f.Close() }
	}
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})), done, nil
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "explain what is wrong with a configuration file, line by line",
		Flags: []cli.Flag{
			configFlag(),
			&cli.BoolFlag{Name: "sample", Usage: "print a sample file with every key explained instead"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Bool("sample") {
				sample, err := node.Sample()
				if err != nil {
					return err
				}
				_, err = os.Stdout.Write(sample)
				return err
			}
			conf, err := node.Load(c.String("config"))
			if err != nil {
				return err
			}
			if err := conf.CheckFiles(); err != nil {
				return err
			}
			fmt.Println("The configuration is in order.")
			return nil
		},
	}
}
