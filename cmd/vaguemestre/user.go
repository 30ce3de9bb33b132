package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
)

func userCommand() *cli.Command {
	return &cli.Command{
		Name:  "user",
		Usage: "boxes and the people who hold them",
		Commands: []*cli.Command{
			{
				Name:  "add",
				Usage: "open a box; prints its app password once",
				Flags: []cli.Flag{
					configFlag(),
					&cli.StringFlag{Name: "kind", Usage: "PER, ORG, APP, CAB or PATIENT", Required: true},
					&cli.StringFlag{Name: "address", Usage: "box address", Required: true},
					&cli.StringFlag{Name: "name", Usage: "display name", Required: true},
					&cli.StringFlag{Name: "family", Usage: "birth name"},
					&cli.StringFlag{Name: "given", Usage: "first birth given name"},
					&cli.StringFlag{Name: "cert", Usage: "PEM `FILE`: the client certificate that opens the box"},
				},
				Action: addUser,
			},
			{
				Name: "state", Usage: "show or change the state of a box", ArgsUsage: "ADDRESS [active|suspended|closed]",
				Flags:  []cli.Flag{configFlag()},
				Action: userState,
			},
		},
	}
}

func addUser(ctx context.Context, c *cli.Command) error {
	n, done, err := openNode(ctx, c.String("config"))
	if err != nil {
		return err
	}
	defer done()
	defer n.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // a command that ends
	kind := mailbox.Kind(strings.ToUpper(c.String("kind")))
	address, err := identity.ParseAddress(c.String("address"))
	if err != nil {
		return err
	}
	if !n.Office.Hosts(address.Domain()) {
		return fmt.Errorf("the domain %s is not in operator.domains", address.Domain())
	}
	o := lifecycle.Opening{Kind: kind, Address: address, Person: account.Person{
		Name: c.String("name"), Family: c.String("family"), Given: c.String("given"),
	}}
	var secret account.Secret
	if kind != mailbox.APP {
		secret = account.NewSecret()
		o.Password = &secret
	}
	if file := c.String("cert"); file != "" {
		if o.Certificate, err = readCertificate(file); err != nil {
			return err
		}
	}
	opened, err := n.Registrar().Open(ctx, o)
	switch {
	case err != nil:
		return err
	case opened == 0:
		return errors.New("this address has a box already")
	case o.Password != nil:
		fmt.Printf("opened; app password (shown once): %s\n", secret.Reveal())
	default:
		fmt.Println("opened")
	}
	return nil
}

func userState(ctx context.Context, c *cli.Command) error {
	n, done, err := openNode(ctx, c.String("config"))
	if err != nil {
		return err
	}
	defer done()
	defer n.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // a command that ends
	address, err := identity.ParseAddress(c.Args().Get(0))
	if err != nil {
		return errors.New("name a box address")
	}
	want := mailbox.State(c.Args().Get(1))
	box, err := n.Registrar().State(ctx, address, want)
	if fault.Is(err, fault.NotFound) {
		return errors.New("no box has this address")
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s, %s: %d letters, %d octets\n", box.Kind, box.State, box.Letters, box.Bytes)
	return nil
}
