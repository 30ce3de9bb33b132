package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

func certCommand() *cli.Command {
	return &cli.Command{
		Name:  "cert",
		Usage: "certificates: show one, issue from a sandbox authority, revoke",
		Commands: []*cli.Command{
			{
				Name: "show", Usage: "print what a PEM certificate says", ArgsUsage: "FILE",
				Action: func(_ context.Context, c *cli.Command) error { return showCertificate(c.Args().First()) },
			},
			{
				Name:  "issue",
				Usage: "issue a certificate from the sandbox authority in a folder (made when missing); for tests only",
				Flags: []cli.Flag{
					authorityFlag(),
					&cli.StringFlag{Name: "profile", Usage: "server, org or person", Value: "server"},
					&cli.StringFlag{Name: "name", Usage: "host name, application or box address", Required: true},
					&cli.StringFlag{Name: "organisation", Usage: "O of the subject", Value: "ORGANISATION DE TEST"},
					&cli.StringFlag{Name: "structure", Usage: "OU: 1 and a FINESS, or 3 and a SIRET", Value: "318751275100020"},
					&cli.StringFlag{Name: "out", Usage: "`STEM` of the two files, STEM.pem and STEM.key", Required: true},
				},
				Action: issueCertificate,
			},
			{
				Name: "revoke", Usage: "revoke a certificate of the sandbox authority and publish the CRL", ArgsUsage: "FILE",
				Flags:  []cli.Flag{authorityFlag()},
				Action: revokeCertificate,
			},
		},
	}
}

func authorityFlag() *cli.StringFlag {
	return &cli.StringFlag{Name: "authority", Usage: "`DIR` of the sandbox authority", Value: "authority"}
}

// readCertificate reads the first certificate of a PEM file.
func readCertificate(file string) (*x509.Certificate, error) {
	if file == "" {
		return nil, errors.New("name a PEM file")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return x509.ParseCertificate(block.Bytes)
}

func showCertificate(file string) error {
	cert, err := readCertificate(file)
	if err != nil {
		return err
	}
	subject, err := identity.DNFromRaw(cert.RawSubject)
	if err != nil {
		return err
	}
	issuer, err := identity.DNFromRaw(cert.RawIssuer)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(cert.Raw)
	fmt.Printf("subject      %s\n", subject)
	fmt.Printf("issuer       %s\n", issuer)
	fmt.Printf("valid        %s to %s (%d days left)\n", cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly),
		int(time.Until(cert.NotAfter).Hours()/24))
	fmt.Printf("names        %v\n", cert.DNSNames)
	fmt.Printf("serial       %x\n", cert.SerialNumber)
	fmt.Printf("fingerprint  SHA-256 %s\n", hex.EncodeToString(sum[:]))
	return nil
}

// sandbox opens the authority in the folder of --authority, or makes it.
func sandbox(c *cli.Command) (*certs.Authority, error) {
	dir := c.String("authority")
	a, err := certs.OpenAuthority(dir, certs.AuthorityOptions{})
	if fault.Is(err, fault.NotFound) {
		return certs.NewAuthority(dir, certs.AuthorityOptions{})
	}
	return a, err
}

func issueCertificate(_ context.Context, c *cli.Command) error {
	a, err := sandbox(c)
	if err != nil {
		return err
	}
	request := certs.Request{Subject: certs.Subject{
		Department: "Paris (75)", Organisation: c.String("organisation"), Structure: c.String("structure"), Name: c.String("name"),
	}}
	switch c.String("profile") {
	case "server":
		request.Profile, request.DNS = certs.ServerTLS, []string{c.String("name"), "localhost"}
		request.IPs = []net.IP{net.IPv4(127, 0, 0, 1)}
	case "org":
		request.Profile = certs.OrgAuthCli
	case "person":
		request.Profile = certs.PersonCli
	default:
		return fmt.Errorf("--profile %q: write server, org or person", c.String("profile"))
	}
	pairs, err := a.Enrol(request)
	if err != nil {
		return err
	}
	stem := c.String("out")
	if err := pairs[0].WriteFiles(stem+".pem", stem+".key"); err != nil {
		return err
	}
	fmt.Printf("wrote %s.pem and %s.key\nroot %s\n", stem, stem, filepath.Join(c.String("authority"), "public", "ca", "root.pem"))
	return nil
}

func revokeCertificate(_ context.Context, c *cli.Command) error {
	a, err := certs.OpenAuthority(c.String("authority"), certs.AuthorityOptions{})
	if err != nil {
		return err
	}
	cert, err := readCertificate(c.Args().First())
	if err != nil {
		return err
	}
	if err := a.Revoke(cert.SerialNumber, certs.KeyCompromise); err != nil {
		return err
	}
	fmt.Println("revoked; the CRL is published")
	return nil
}
