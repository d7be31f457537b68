// Package pgtest starts a real PostgreSQL server for tests, from the binaries of this machine: one for all tests of a
// process, in a temporary folder, on a loopback port, gone with the process that started it.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server of the tests' own.
type Server struct {
	bin      string // folder of initdb and postgres
	dir      string // has the cluster in data and the server's log
	port     int
	password string
	settings []string
	owner    *account // nil: oneself

	mu      sync.Mutex
	process *exec.Cmd // nil while it is down
	watch   *os.File  // closed by the end of this process, however it comes
}

// account is a user of the machine.
type account struct{ uid, gid int }

const (
	user = "turno"
	// startWithin is how long a start may take, recovery after a kill included.
	startWithin = time.Minute
)

// fast is what the tests of one process share. Data outlive the server's process, not the machine's power.
var fast = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}

var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// ErrNone says that this machine has no programs of PostgreSQL.
var ErrNone = errors.New("no PostgreSQL on this machine: neither initdb on PATH nor /usr/lib/postgresql/*/bin (apt-get install postgresql)")

// Shared is the server that all tests of this process share, started when it is first asked for. ErrNone.
func Shared() (*Server, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		var bin string
		if bin, shared.err = binaries(); shared.err == nil {
			shared.server, shared.err = create(bin, fast)
		}
	}
	return shared.server, shared.err
}

// Database makes an empty database on the shared server, and returns its URL. It is dropped at the test's end. Where there
// are no binaries of PostgreSQL the test is skipped.
func Database(t testing.TB) string {
	t.Helper()
	s, err := Shared()
	if err != nil {
		giveUp(t, err)
	}
	return s.Database(t)
}

// Start starts a server for this test alone, with settings like "max_connections=10"; it is stopped at the test's end.
// Unlike the shared one it writes to the disk as a server in production does.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		giveUp(t, err)
	}
	s, err := create(bin, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remove)
	return s
}

func giveUp(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	t.Fatal(err)
}

// binaries is the folder of the server's programs: that of the initdb on PATH, else the newest where Debian puts them.
func binaries() (string, error) {
	if runtime.GOOS == "windows" {
		return "", fmt.Errorf("%w: the tests start none on Windows", ErrNone)
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(p), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	newest, at := "", 0
	for _, p := range found {
		dir := filepath.Dir(p)
		if v, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))); v > at {
			newest, at = dir, v
		}
	}
	if newest == "" {
		return "", ErrNone
	}
	return newest, nil
}

// create makes a cluster and starts its server.
func create(bin string, settings []string) (*Server, error) {
	s := &Server{bin: bin, password: rand.Text(), settings: settings}
	var err error
	if s.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "turno-postgres-"); err != nil {
		return nil, fmt.Errorf("folder for PostgreSQL: %w", err)
	}
	if err := s.init(); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	if err := s.guard(); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	if err := s.Start(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *Server) init() error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	for _, p := range []string{s.dir, secret} {
		if s.owner != nil {
			if err := os.Chown(p, s.owner.uid, s.owner.gid); err != nil {
				return fmt.Errorf("give the folder to PostgreSQL's user: %w", err)
			}
		}
	}
	// A collation that is not byte order, as most servers have: what relies on byte order must say so itself.
	var out []byte
	var err error
	for _, locale := range [][]string{{"--locale-provider=icu", "--icu-locale=en"}, nil} {
		cmd := s.command("initdb", append([]string{"-D", s.data(), "-U", user, "-A", "scram-sha-256", "--pwfile", secret,
			"-E", "UTF8", "--no-sync", "--no-instructions", "--locale=C"}, locale...)...)
		if out, err = cmd.CombinedOutput(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("initdb: %w\n%s", err, out)
}

// guard makes sure that the server goes with this process, also when that is killed: a shell waits for the end of a pipe
// that only this process holds.
func (s *Server) guard() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", `cat; "$1/pg_ctl" -D "$0/data" -m immediate stop; rm -rf "$0"`, s.dir, s.bin)
	cmd.Dir, cmd.Stdin, cmd.SysProcAttr = "/", r, detached(s.owner)
	err = cmd.Start()
	r.Close()
	if err != nil {
		w.Close()
		return fmt.Errorf("guard PostgreSQL: %w", err)
	}
	s.watch = w
	return cmd.Process.Release()
}

// Start starts the server again after Kill or Stop, on the same port with the same data, and waits until it answers.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return errors.New("PostgreSQL runs already")
	}
	until := time.Now().Add(startWithin)
	for {
		err := s.launch(until)
		if err == nil || time.Now().After(until) {
			return err
		}
		// What was killed may still hold its shared memory, and somebody else may have been given the port.
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *Server) launch(until time.Time) error {
	if s.port == 0 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func(port int) { s.port = port }(l.Addr().(*net.TCPAddr).Port)
		s.port = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port)}
	for _, set := range append([]string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
		"shared_buffers=64MB", "logging_collector=off"}, s.settings...) {
		args = append(args, "-c", set)
	}
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			err = conn.Close(ctx)
		}
		cancel()
		if err == nil {
			s.process = cmd
			return nil
		}
		if ended(cmd.Process.Pid) || time.Now().After(until) {
			cmd.Process.Kill() //nolint:errcheck // it may be gone
			cmd.Wait()         //nolint:errcheck // how it ended is in its log
			said, _ := os.ReadFile(s.Log())
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, said[max(0, len(said)-2000):])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill ends the server by SIGKILL: what it had not written is lost, its sessions break off.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server as its administrator would: sessions are told (57P01), what is written stays.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

func (s *Server) end(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	s.process.Process.Signal(signal) //nolint:errcheck // it may be gone, which is what is wanted
	s.process.Wait()                 //nolint:errcheck // it is told by a signal
	s.process = nil
}

func (s *Server) remove() {
	s.Stop()
	s.watch.Close() // the guard removes the folder
}

// URL is that of a database of this server, with its user and password.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, s.password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Password is the one in every URL of this server: tests look for it where it must not be.
func (s *Server) Password() string { return s.password }

// Log is the path of what the server writes about itself.
func (s *Server) Log() string { return filepath.Join(s.dir, "log") }

// Database makes an empty database, and returns its URL. It is dropped at the test's end.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	url, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	name := url[strings.LastIndexByte(url, '/')+1 : strings.IndexByte(url, '?')]
	t.Cleanup(func() {
		s.mu.Lock()
		up := s.process != nil
		s.mu.Unlock()
		if !up {
			return
		}
		if err := s.Do("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return url
}

// Create makes an empty database that stays as long as the server, and returns its URL.
func (s *Server) Create() (url string, err error) {
	name := "t" + strings.ToLower(rand.Text())
	if err := s.Do("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	return s.URL(name), nil
}

// Do runs one statement as the server's administrator.
func (s *Server) Do(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	// Nothing of the surroundings: PGDATA, PGOPTIONS and the like would be obeyed.
	cmd.Dir, cmd.Env, cmd.SysProcAttr = s.dir, []string{"PATH=" + s.bin + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}, detached(s.owner)
	return cmd
}
