package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver, for CREATE DATABASE
)

// Options say how a server is run. The zero value is fast and forgets on a crash.
type Options struct {
	// Durable runs the server as in production: fsync and full page writes on.
	// Tests that kill the server or measure flushes need it.
	Durable bool
	// Settings are further lines of postgresql.conf, such as "wal_level = logical".
	Settings []string
}

// Server is a running PostgreSQL of our own.
type Server struct {
	dir    string
	keeper *exec.Cmd
	life   io.Closer // the keeper's standard input: closing it ends the server
	admin  *sql.DB
}

// Start makes a cluster in the folder dir, which must not exist or be empty,
// and runs a server on it that listens on a socket in that folder and on no
// port.
//
// The server ends at Stop, or when the calling process ends, however it ends:
// a keeper, a small shell, waits for the end of a pipe whose other end is
// ours, stops the server and empties the folder. It also removes the folder
// where the server's user may, as in /tmp; Stop always does.
//
// PostgreSQL refuses to run as root: then it runs as the user postgres, or
// nobody, who must be able to reach dir.
func Start(ctx context.Context, dir string, o Options) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	who, err := credential()
	if err != nil {
		return nil, err
	}
	if err := prepare(dir, who); err != nil {
		return nil, err
	}
	if err := initialise(ctx, bin, dir, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := configure(dir, o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{dir: dir}
	if err := s.launch(bin, who); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// DSN returns the address of one of the server's databases, as store.Open
// wants it. The database "postgres" always exists.
func (s *Server) DSN(database string) string {
	query := url.Values{"host": {s.socket()}, "user": {"postgres"}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Create makes a database whose text sorts by bytes, as SQLite's does. A
// template that is not empty is copied; nobody may be connected to it.
func (s *Server) Create(ctx context.Context, name, template string) error {
	query := "CREATE DATABASE " + quote(name) + " TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' STRATEGY FILE_COPY"
	if template != "" {
		query = "CREATE DATABASE " + quote(name) + " TEMPLATE " + quote(template) + " STRATEGY FILE_COPY"
	}
	if _, err := s.admin.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("pgtest: create database: %w", err)
	}
	return nil
}

// Drop removes a database and ends its connections.
func (s *Server) Drop(ctx context.Context, name string) error {
	if _, err := s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("pgtest: drop database: %w", err)
	}
	return nil
}

// Stop ends the server, waits for it and removes its folder.
func (s *Server) Stop() error {
	var errs []error
	if s.admin != nil {
		errs = append(errs, s.admin.Close())
	}
	errs = append(errs, s.life.Close(), s.keeper.Wait(), os.RemoveAll(s.dir))
	return errors.Join(errs...)
}

// socket is the folder of the server's socket. A socket's name has 107 bytes at most.
func (s *Server) socket() string { return s.dir }

// keeperScript runs the server, waits for the end of its input, stops the
// server at once (SIGINT: clients are disconnected) and removes the folder.
const keeperScript = `trap "" INT TERM HUP
"$1" -D "$2/data" >"$2/log" 2>&1 </dev/null &
pid=$!
cat >/dev/null
kill -INT $pid 2>/dev/null
wait $pid
cd /
rm -rf "$2"/* 2>/dev/null
rmdir "$2" 2>/dev/null
exit 0
`

// launch starts the keeper.
func (s *Server) launch(bin string, who *syscall.Credential) error {
	s.keeper = exec.Command("/bin/sh", "-c", keeperScript, "pgtest", filepath.Join(bin, "postgres"), s.dir)
	s.keeper.Dir = s.dir
	s.keeper.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	s.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: who}
	life, err := s.keeper.StdinPipe()
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	s.life = life
	if err := s.keeper.Start(); err != nil {
		return fmt.Errorf("pgtest: start: %w", err)
	}
	return nil
}

// await waits until the server answers, 30 s at most.
func (s *Server) await(ctx context.Context) error {
	admin, err := sql.Open("pgx", s.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	s.admin = admin
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // the log explains, if there is one
			return fmt.Errorf("pgtest: no answer: %w\n%s", err, log)
		}
	}
}

// programs finds the folder of initdb and postgres: on PATH, or the newest of
// those where Debian installs them.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("pgtest: PostgreSQL is not installed (apt-get install postgresql)")
	}
	newest, best := -1, ""
	for _, path := range found {
		dir := filepath.Dir(path)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err == nil && version > newest {
			newest, best = version, dir
		}
	}
	return best, nil
}

// credential returns whom the server runs as: nil for ourselves.
func credential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("pgtest: user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}, nil
	}
	return nil, errors.New("pgtest: running as root, and there is neither a user postgres nor nobody")
}

// prepare makes the folder and gives it to the server's user.
func prepare(dir string, who *syscall.Credential) error {
	if len(filepath.Join(dir, ".s.PGSQL.5432")) > 107 {
		return fmt.Errorf("pgtest: %s is too long for a socket's name", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	if who == nil {
		return nil
	}
	if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	return nil
}

// initialise makes the cluster. Nothing in it is worth a flush yet.
func initialise(ctx context.Context, bin, dir string, who *syscall.Credential) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"),
		"-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: initdb as %v in %s: %w\n%s", who, dir, err, out)
	}
	return nil
}

// configure appends our settings to those of initdb.
func configure(dir string, o Options) error {
	lines := []string{
		"listen_addresses = ''",
		"unix_socket_directories = '" + dir + "'",
		"unix_socket_permissions = 0777", // the folder is 0700
		"max_connections = 200",
		"shared_buffers = 32MB",
		"deadlock_timeout = 50ms", // tests of deadlocks need not wait a second
		"autovacuum_naptime = 1h",
		"max_wal_size = 256MB",
		"log_checkpoints = off",
	}
	if !o.Durable {
		lines = append(lines, "fsync = off", "full_page_writes = off", "synchronous_commit = off")
	}
	lines = append(lines, o.Settings...)
	f, err := os.OpenFile(filepath.Join(dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	_, err = f.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	return nil
}

// quote quotes an SQL name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
