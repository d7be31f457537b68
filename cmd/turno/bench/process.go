package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// benchToken is the administrator's token of engines that a bench starts: they listen on the loopback and hold made-up
// people.
const benchToken = "a-token-for-benches-alone"

// process is a `turno serve` of its own, as a user would start it.
type process struct {
	cmd    *exec.Cmd
	url    string
	began  time.Time
	stderr bytes.Buffer
	ended  chan error
}

// startServe starts the program on a folder and a free port.
func startServe(ctx context.Context, program, dir, sync string, more ...string) (*process, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	addr := "127.0.0.1:" + strconv.Itoa(ports[0])
	p := &process{url: "http://" + addr, began: time.Now(), ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(ctx, program, "--log-level", "error", "serve", "--data", dir, "--http", addr, "--sync", sync)
	p.cmd.Args = append(p.cmd.Args, more...)
	p.cmd.Env = append(os.Environ(), "TURNO_ADMIN_TOKEN="+benchToken)
	p.cmd.Stderr = &p.stderr
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

// answers waits until the engine answers at all.
func (p *process) answers(ctx context.Context, atMost time.Duration) error {
	_, err := p.await(ctx, "/healthz", atMost)
	return err
}

// ready waits until the engine says so, and returns how long that took since the start.
func (p *process) ready(ctx context.Context, atMost time.Duration) (time.Duration, error) {
	return p.await(ctx, "/readyz", atMost)
}

func (p *process) await(ctx context.Context, path string, atMost time.Duration) (time.Duration, error) {
	for until := time.Now().Add(atMost); time.Now().Before(until); {
		select {
		case err := <-p.ended:
			return 0, fmt.Errorf("serve ended: %w: %s", err, p.stderr.String())
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		res, err := http.Get(p.url + path)
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return time.Since(p.began), nil
		}
	}
	return 0, fmt.Errorf("serve was not ready within %s", atMost)
}

// memory is the resident memory in MB.
func (p *process) memory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb / 1024
		}
	}
	return 0
}

// stop ends it as a user would.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return nil // it has ended
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(time.Minute):
		return errors.Join(errors.New("serve did not stop within a minute"), p.cmd.Process.Kill())
	}
}
