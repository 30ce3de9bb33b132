package demo

import (
	"fmt"
	"io"
)

// Tell prints who is who, where everything listens and how to set up a client.
func (s *Space) Tell(out io.Writer) {
	r := s.Ready()
	fmt.Fprintf(out, "A trust space on this machine. Folder: %s\n", s.dir)
	fmt.Fprintf(out, "Authority: whitelist %s, CRL %s, root %s\n", r.Authority.WhitelistURL, r.Authority.CRLURL, r.Authority.CAFile)
	for _, o := range r.Operators {
		fmt.Fprintf(out, "\n%s (%s, %s)\n", o.Name, o.Kind, o.Domains[0])
		fmt.Fprintf(out, "  submission %s STARTTLS, %s TLS   IMAP %s STARTTLS, %s TLS\n", o.Submission, o.Submissions, o.IMAP, o.IMAPS)
		fmt.Fprintf(out, "  MX %s   status https://%s/\n", o.MX, o.HTTPS)
		for i, p := range o.Boxes {
			if i == 6 {
				fmt.Fprintf(out, "  … and %d more in cast.json\n", len(o.Boxes)-i)
				break
			}
			switch {
			case p.Kind == "PATIENT":
				fmt.Fprintf(out, "  %-7s %s  %s  password %s\n", p.Kind, p.Address, p.Name, p.Password)
			case p.Password == "":
				fmt.Fprintf(out, "  %-7s %s  certificate %s\n", p.Kind, p.Address, p.CertFile)
			default:
				fmt.Fprintf(out, "  %-7s %s  password %s  certificate %s\n", p.Kind, p.Address, p.Password, p.CertFile)
			}
		}
	}
	fmt.Fprintf(out, "\nMail client: server 127.0.0.1, user name = the address, app password above; professionals show their certificate too.\n")
	fmt.Fprintf(out, "To see failures, write to tempfail@, slow@ or closed@ one of the domains.\n")
}
