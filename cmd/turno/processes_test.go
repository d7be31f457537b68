package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes this test binary the program itself, with the race detector if the test has it.
const asProgram = "TURNO_TEST_IS_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		os.Stderr.WriteString("turno: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// process is the program as a process of the operating system.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stdout output
	stderr output
	ended  chan error
}

func start(t *testing.T, args ...string) *process { t.Helper(); return startIn(t, nil, args...) }

// startIn starts it with more in its environment, as NAME=value.
func startIn(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return launch(t, env, args, exec.Command(self, args...))
}

// launch starts it by a command line that ends in args.
func launch(t *testing.T, env, args []string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: strings.Join(args, " "), cmd: cmd, ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), asProgram+"=1", "TURNO_ADMIN_TOKEN="+adminToken)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.cmd.Process.Kill() //nolint:errcheck // it has ended already, mostly
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, &p.stderr)
		}
	})
	return p
}

// kill ends it as a power cut of the process would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.ended
}

// end tells it to stop and expects it to do so well.
func (p *process) end() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("%s ended with %v\n%s", p.name, err, &p.stderr)
		}
	case <-time.After(time.Minute):
		p.t.Fatalf("%s does not stop", p.name)
	}
}

func (p *process) api() api {
	p.t.Helper()
	return api{t: p.t, url: p.stdout.await(p.t, p.ended, &p.stderr)}
}

// patiently is a GET that is repeated while the answer is 503: what is behind the API is starting.
func (a api) patiently(path string) object {
	a.t.Helper()
	for limit := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequest("GET", a.url+path, nil)
		if err != nil {
			a.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusServiceUnavailable {
				return a.get(path)
			}
		}
		if time.Now().After(limit) {
			a.t.Fatalf("GET %s is not answered: %v", path, err)
		}
	}
}

func TestThePartsAreProcessesThatRideThroughEachOthersDeaths(t *testing.T) {
	dir := t.TempDir()
	part := func(args ...string) *process { return start(t, append(args, "--data", dir)...) }
	hostLog := func() *process { return part("serve", "--parts", "log") }
	newEngine := func() *process { return part("engine", "--http", "127.0.0.1:0") }

	engine := newEngine() // before there is a log to join
	projectors := map[string]*process{}
	for _, name := range projectionNames {
		projectors[name] = part("projector", name)
	}
	log := hostLog()
	desk := engine.api()
	desk.furnish()
	id, at := desk.receive("m-1", "+1 555 0100", "Hello")
	waiting := func(at int64) {
		t.Helper()
		row := desk.patiently("/v1/queues/support?state=waiting&" + after(at))
		if got := row.text("items", 0, "id"); got != id {
			t.Fatalf("waiting: %v, want %s", row, id)
		}
	}
	waiting(at)

	for name, p := range projectors {
		p.kill()
		projectors[name] = part("projector", name)
	}
	_, at = desk.receive("m-2", "+1 555 0100", "Anybody there?")
	waiting(at)

	engine.kill()
	engine = newEngine()
	desk = engine.api()
	if again, _ := desk.receive("m-2", "+1 555 0100", "Anybody there?"); again != id {
		t.Errorf("a new engine made %s of a message that %s has", again, id)
	}
	waiting(at)

	log.kill()
	log = hostLog()
	desk.patiently("/v1/me")
	taken := desk.post("ana", "/v1/conversations/"+id+"/take", nil)
	row := desk.patiently("/v1/queues/support?state=attending&" + after(taken.number("position")))
	if got := row.text("items", 0, "id"); got != id {
		t.Errorf("attending: %v, want %s", row, id)
	}
	messages := desk.patiently("/v1/conversations/" + id + "/messages?" + after(taken.number("position")))
	if got := len(messages.list("items")); got != 2 {
		t.Errorf("history has %d messages, want 2: %v", got, messages)
	}

	engine.end()
	for _, p := range projectors {
		p.end()
	}
	log.end()
}

func TestAKilledServeLosesNothingThatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	serve := start(t, "serve", "--data", dir, "--http", "127.0.0.1:0")
	desk := serve.api()
	desk.furnish()
	var acknowledged []string
	for _, from := range []string{"+1", "+2", "+3", "+4", "+5"} {
		id, _ := desk.receive("m"+from, from, "Hello")
		acknowledged = append(acknowledged, id)
	}
	serve.kill()

	serve = start(t, "serve", "--data", dir, "--http", "127.0.0.1:0")
	desk = serve.api()
	for i, from := range []string{"+1", "+2", "+3", "+4", "+5"} {
		if again, _ := desk.receive("m"+from, from, "Hello"); again != acknowledged[i] {
			t.Errorf("%s was acknowledged, and is %s after the kill", acknowledged[i], again)
		}
	}
	serve.end()
}

func TestAToolThatFindsNoServerOpensTheFolderItself(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	s.receive("m-1", "+1 555 0100", "Hello")
	joined := events(t, dir)
	s.stop()
	if alone := events(t, dir); alone != joined {
		t.Errorf("%d events with a server, %d without", joined, alone)
	}
	if _, err := os.Stat(filepath.Join(dir, "nats.json")); errors.Is(err, os.ErrNotExist) {
		t.Error("a tool took the way in away")
	}
	serveOn(t, dir).stop()
}
