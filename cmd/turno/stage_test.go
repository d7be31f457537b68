package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/turno-desk/turno/adapters/jetstream/natstest"
)

// built builds the binary as a user gets it: the race detector, under which the tests run, is not for it.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "turno")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// stage is where the processes run.
type stage struct {
	t      *testing.T
	binary string
	dir    string
	parts  map[string]part
	shared []string  // flags of every part
	level  string    // how much they log
	log    logFlags  // by which a test opens the log itself,
	views  viewFlags // and the views

	running map[string]*exec.Cmd
	ended   map[string]chan struct{}
}

// part is one process.
type part struct {
	args   []string // the subcommand, and what is its own
	http   string   // host:port where it answers; empty: it does not
	prefix []string // what its command line begins with: ip netns exec …
}

// newStage makes a stage whose parts share a data folder; nothing is started yet.
func newStage(t *testing.T, binary string, parts map[string]part) *stage {
	t.Helper()
	s := &stage{
		t: t, binary: binary, dir: t.TempDir(), parts: parts, level: "warn",
		running: map[string]*exec.Cmd{}, ended: map[string]chan struct{}{},
	}
	s.log = logFlags{Data: filepath.Join(s.dir, "data"), Workspace: "default"}
	t.Cleanup(func() {
		for name := range s.running {
			s.kill(name)
		}
	})
	return s
}

// free is an address of the loopback that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(natstest.FreePort(t)))
}

func (s *stage) url(name string) string { return "http://" + s.parts[name].http }

// names are the parts, the log first where it is one.
func (s *stage) names() []string {
	var names []string
	for name := range s.parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case a == "log":
			return -1
		case b == "log":
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

func (s *stage) start(name string) {
	s.t.Helper()
	p := s.parts[name]
	line := slices.Concat(p.prefix, []string{s.binary}, p.args, []string{"--data", s.log.Data}, s.shared)
	if p.http != "" {
		line = append(line, "--http", p.http)
	}
	out, err := os.OpenFile(filepath.Join(s.dir, name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "TURNO_ADMIN_TOKEN="+adminToken, "TURNO_LOG_LEVEL="+s.level)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed, mostly
	}()
	s.running[name], s.ended[name] = cmd, ended
}

func (s *stage) kill(name string) {
	_ = s.running[name].Process.Signal(syscall.SIGKILL)
	<-s.ended[name]
}

// said is what the processes logged last.
func (s *stage) said() string {
	var all strings.Builder
	for name := range s.parts {
		data, _ := os.ReadFile(filepath.Join(s.dir, name+".out"))
		fmt.Fprintf(&all, "--- %s\n%s\n", name, data[max(0, len(data)-2000):])
	}
	return all.String()
}
