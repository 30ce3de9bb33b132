package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/node"
	"github.com/vaguemestre/vaguemestre/trust"
)

func whitelistCommand() *cli.Command {
	return &cli.Command{
		Name:  "whitelist",
		Usage: "the signed list of the trust space",
		Commands: []*cli.Command{
			{
				Name: "show", Usage: "verify a whitelist and print what it says; of a domain, its certificates", ArgsUsage: "FILE [DOMAIN]",
				Flags:  []cli.Flag{configFlag()},
				Action: showWhitelist,
			},
			{
				Name:  "sign",
				Usage: "sign a list with a sandbox authority's stamp; for tests only",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "rows", Usage: "CSV `FILE`: domain, DN, description, contact, support", Required: true},
					&cli.StringFlag{Name: "cert", Usage: "PEM `FILE` of the stamp", Required: true},
					&cli.StringFlag{Name: "key", Usage: "PEM `FILE` of its key", Required: true},
					&cli.StringFlag{Name: "out", Usage: "XML `FILE` to write", Required: true},
				},
				Action: signWhitelist,
			},
		},
	}
}

func showWhitelist(_ context.Context, c *cli.Command) error {
	conf, err := node.Load(c.String("config"))
	if err != nil {
		return err
	}
	file := c.Args().Get(0)
	if file == "" {
		return errors.New("name an XML file")
	}
	xml, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	policy, err := conf.SignerPolicy()
	if err != nil {
		return err
	}
	space, err := trust.Verify(xml, policy, trust.Mark{}, time.Now())
	if err != nil {
		return err
	}
	fmt.Printf("signed %s, %d domains\n", space.Generated().Format(time.RFC3339), space.Len())
	if name := c.Args().Get(1); name != "" {
		domain, err := identity.ParseDomain(name)
		if err != nil {
			return err
		}
		if !space.Contains(domain) {
			return fmt.Errorf("%s is not in the trust space", domain)
		}
		for _, dn := range space.DNs(domain) {
			fmt.Println(dn)
		}
	}
	return nil
}

func signWhitelist(_ context.Context, c *cli.Command) error {
	pair, err := certs.LoadPair(c.String("cert"), c.String("key"))
	if err != nil {
		return err
	}
	rows, err := readRows(c.String("rows"))
	if err != nil {
		return err
	}
	xml, err := trust.Sign(trust.List{Generated: time.Now().UTC().Truncate(time.Second), Rows: rows}, pair.Key, pair.Leaf)
	if err != nil {
		return err
	}
	return os.WriteFile(c.String("out"), xml, 0o600)
}

// readRows reads the rows of a list from CSV.
func readRows(file string) ([]trust.Row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 5
	var rows []trust.Row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, trust.Row{
			Domain: record[0], DN: record[1], Description: record[2], Contact: record[3], Support: record[4],
		})
	}
}
