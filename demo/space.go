package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/node"
	"github.com/vaguemestre/vaguemestre/relay"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/trust"
)

// Options are the flags of the demo.
type Options struct {
	// Keep is the folder; empty is a fresh one that Close removes.
	Keep string
	// Boxes is how many boxes each operator has beside the troupe's.
	Boxes int
	// Store, Blob and Bus replace the embedded defaults: one database, prefix and
	// channel per operator is made below them.
	Store, Blob, Bus string
	// MaxSize is the largest letter in octets; zero is 25 MiB.
	MaxSize int64
	// People is a JSON file with more boxes.
	People string
	// Log is where log lines go besides each operator's file; nil: nowhere.
	Log io.Writer
}

// Space is a running trust space.
type Space struct {
	dir       string
	fresh     bool
	cast      *Cast
	authority *authority
	operators []*operator

	up    chan struct{} // closed when every operator listens
	mu    sync.Mutex
	table map[identity.Domain]relay.Hop // where each domain's MX listens
}

// operator is one operator of the space.
type operator struct {
	cast *CastOperator
	dir  string
	pair certs.Pair
	node *node.Node
	log  *os.File
}

// Open makes or resumes a trust space and returns once everything listens.
func Open(ctx context.Context, o Options) (*Space, error) {
	s := &Space{up: make(chan struct{}), table: make(map[identity.Domain]relay.Hop)}
	err := s.open(ctx, o)
	if err != nil {
		_ = s.Close(context.WithoutCancel(ctx)) // what failed first is what counts
		return nil, err
	}
	return s, nil
}

func (s *Space) open(ctx context.Context, o Options) error {
	if err := s.folder(o.Keep); err != nil {
		return err
	}
	people, err := readPeople(o.People)
	if err != nil {
		return err
	}
	if s.cast, err = loadCast(s.dir, o.Boxes, people); err != nil {
		return err
	}
	if s.authority, err = openAuthority(filepath.Join(s.dir, "authority")); err != nil {
		return err
	}
	if err := s.enrolOperators(); err != nil {
		return err
	}
	if err := s.issuePeople(); err != nil {
		return err
	}
	if err := s.authority.publish(s.rows()); err != nil {
		return err
	}
	if err := s.authority.listen(); err != nil {
		return err
	}
	var wg sync.WaitGroup
	failures := make([]error, len(s.operators))
	for i, op := range s.operators {
		wg.Go(func() { failures[i] = s.start(ctx, op, o) })
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	close(s.up)
	return nil
}

// folder finds where everything is kept.
func (s *Space) folder(keep string) (err error) {
	if keep == "" {
		s.fresh = true
		s.dir, err = os.MkdirTemp("", "vaguemestre-demo-")
		return err
	}
	if s.dir, err = filepath.Abs(keep); err != nil {
		return err
	}
	return os.MkdirAll(s.dir, 0o700)
}

// enrolOperators gives each operator its folder and certificate.
func (s *Space) enrolOperators() error {
	var all []wanted
	for i := range s.cast.Operators {
		c := &s.cast.Operators[i]
		op := &operator{cast: c, dir: filepath.Join(s.dir, "operators", c.Name)}
		if err := os.MkdirAll(op.dir, 0o700); err != nil {
			return err
		}
		s.operators = append(s.operators, op)
		subject := certs.Subject{
			Department: "Paris (75)", Organisation: strings.ToUpper(c.Title), Structure: "3" + c.SIRET, Name: c.Host,
		}
		all = append(all, wanted{"operator", serverRequest(subject, c.Host), op.dir})
	}
	pairs, err := s.authority.pairs(all...)
	if err != nil {
		return fmt.Errorf("operators' certificates: %w", err)
	}
	for i, op := range s.operators {
		op.pair = pairs[i]
	}
	return nil
}

// issuePeople gives each professional's box its client certificate.
func (s *Space) issuePeople() error {
	var all []wanted
	var of []*Person
	for i := range s.cast.Operators {
		c := &s.cast.Operators[i]
		if c.Kind != "professional" {
			continue
		}
		for j := range c.Boxes {
			p := &c.Boxes[j]
			profile := certs.PersonCli
			if p.Kind == "APP" {
				profile = certs.OrgAuthCli
			}
			all = append(all, wanted{"client", certs.Request{Profile: profile, Subject: certs.Subject{
				Department: "Paris (75)", Organisation: strings.ToUpper(c.Title), Structure: "3" + c.SIRET, Name: p.Address,
			}}, filepath.Join(s.dir, "people", p.Address)})
			of = append(of, p)
		}
	}
	if _, err := s.authority.pairs(all...); err != nil {
		return fmt.Errorf("people's certificates: %w", err)
	}
	for i, p := range of {
		p.CertFile, p.KeyFile = all[i].files()
	}
	return nil
}

// rows is the whitelist: each operator's domains with its certificate's subject.
func (s *Space) rows() []trust.Row {
	var rows []trust.Row
	for _, op := range s.operators {
		dn, err := op.pair.DN()
		if err != nil {
			continue // Issue linted it
		}
		for _, domain := range op.cast.Domains {
			rows = append(rows, trust.Row{
				Domain: domain, DN: dn.String(), Description: op.cast.Title,
				Contact: "Responsable de la démonstration", Support: "Support de la démonstration",
			})
		}
	}
	return rows
}

// config is an operator's configuration file.
func (s *Space) config(ctx context.Context, op *operator, o Options) (*node.Config, error) {
	signer, err := s.authority.signer.DN()
	if err != nil {
		return nil, err
	}
	c := &node.Config{
		Operator: node.OperatorConfig{Name: op.cast.Name, Kind: op.cast.Kind, Host: op.cast.Host, Domains: op.cast.Domains},
		Storage: node.StorageConfig{
			Store: "sqlite:store.db", Blob: "file:blobs", Bus: "mem:", PlatformKey: "platform.key",
		},
		Certificate: node.CertificateConfig{Cert: "operator.pem", Key: "operator.key"},
		Trust: node.TrustConfig{
			Roots: "roots.pem", Issuers: "issuers.pem", State: "trust",
			Whitelist: s.authority.whitelistURL(), SignerDN: signer.String(),
			CRLs: []string{s.authority.crlURL("root"), s.authority.crlURL("organisations")},
		},
		Listen: node.ListenConfig{
			MX: loopback, Submission: loopback, Submissions: loopback, IMAP: loopback, IMAPS: loopback, HTTPS: loopback,
		},
		Web:     node.WebConfig{Help: "02 61 91 00 42, de 8 h à 20 h"},
		Workers: node.WorkersConfig{Relay: true, Filing: true, Sequencer: true, Node: "node-1"},
		Limits:  node.LimitsConfig{MaxSize: o.MaxSize, ConnectionsPerPeer: 64},
		Log:     node.LogConfig{File: "log.jsonl"},
	}
	if o.Store != "" {
		if c.Storage.Store, err = store.Database(ctx, o.Store, "vaguemestre_"+op.cast.Name); err != nil {
			return nil, err
		}
	}
	if o.Blob != "" {
		c.Storage.Blob = strings.TrimSuffix(o.Blob, "/") + "/" + op.cast.Name
	}
	if o.Bus != "" {
		c.Storage.Bus = o.Bus
	}
	return c, nil
}

// loopback is a free port of this machine.
const loopback = "127.0.0.1:0"

// start writes an operator's files, opens its boxes and starts its node.
func (s *Space) start(ctx context.Context, op *operator, o Options) error {
	failed := func(err error) error { return fmt.Errorf("operator %s: %w", op.cast.Name, err) }
	c, err := s.config(ctx, op, o)
	if err != nil {
		return failed(err)
	}
	data, err := node.Marshal(c)
	if err != nil {
		return failed(err)
	}
	for name, content := range map[string][]byte{
		"vaguemestre.toml": data,
		"roots.pem":        certificatePEM(s.authority.Root()),
		"issuers.pem":      certificatePEM(s.authority.Organisations()),
	} {
		if err := os.WriteFile(filepath.Join(op.dir, name), content, 0o600); err != nil {
			return failed(err)
		}
	}
	if c, err = node.Load(filepath.Join(op.dir, "vaguemestre.toml")); err != nil {
		return failed(err)
	}
	if op.log, err = os.OpenFile(filepath.Join(op.dir, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return failed(err)
	}
	var out io.Writer = op.log
	if o.Log != nil {
		out = io.MultiWriter(op.log, o.Log)
	}
	op.node, err = node.New(ctx, c, node.Options{
		Log: slog.New(slog.NewJSONHandler(out, nil)), Route: s.route, Trouble: trouble,
	})
	if err != nil {
		return failed(err)
	}
	if err := op.enrol(ctx); err != nil {
		return failed(err)
	}
	if err := op.node.Start(ctx); err != nil {
		return failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, domain := range op.cast.Domains {
		s.table[identity.Domain(domain)] = relay.Hop{Host: op.cast.Host, Addr: op.node.Addr("mx")}
	}
	return nil
}

// route takes the place of the DNS's MX. It waits until every operator listens: what was
// on its way when the space was stopped must not meet half a space and be put off.
func (s *Space) route(ctx context.Context, domain identity.Domain) ([]relay.Hop, error) {
	select {
	case <-s.up:
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Transient, "route-unknown", context.Cause(ctx))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hop, ok := s.table[domain]
	if !ok {
		return nil, fault.New(fault.Transient, "route-unknown")
	}
	return []relay.Hop{hop}, nil
}

// Ready says where everything listens.
func (s *Space) Ready() Ready {
	r := Ready{Authority: Authority{
		CAFile: filepath.Join(s.authority.dir, "public", "ca", "root.pem"), WhitelistURL: s.authority.whitelistURL(),
		CRLURL: s.authority.crlURL("organisations"),
	}}
	for _, op := range s.operators {
		r.Operators = append(r.Operators, Operator{
			Name: op.cast.Name, Kind: op.cast.Kind, Domains: op.cast.Domains,
			MX: op.node.Addr("mx"), Submission: op.node.Addr("submission"), Submissions: op.node.Addr("submissions"),
			IMAP: op.node.Addr("imap"), IMAPS: op.node.Addr("imaps"), HTTPS: op.node.Addr("https"),
			CertFile: filepath.Join(op.dir, "operator.pem"), KeyFile: filepath.Join(op.dir, "operator.key"),
			Boxes: op.cast.Boxes,
		})
	}
	return r
}

// WriteReady writes Ready to a file, atomically.
func (s *Space) WriteReady(file string) error { return writeJSON(file, s.Ready()) }

// Close stops everything and, if the folder was a fresh one, removes it.
func (s *Space) Close(ctx context.Context) error {
	var wg sync.WaitGroup
	failures := make([]error, len(s.operators))
	for i, op := range s.operators {
		wg.Go(func() {
			if op.node != nil {
				failures[i] = op.node.Stop(ctx)
			}
			if op.log != nil {
				failures[i] = errors.Join(failures[i], op.log.Close())
			}
		})
	}
	wg.Wait()
	if s.authority != nil {
		failures = append(failures, s.authority.close())
	}
	if s.fresh {
		failures = append(failures, os.RemoveAll(s.dir))
	}
	return errors.Join(failures...)
}
