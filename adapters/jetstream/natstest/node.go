package natstest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Node is one nats-server process, which keeps its place (its addresses, its folder) when it is killed and started again.
type Node struct {
	Name   string
	Client string // host:port where clients reach it
	// Monitor is host:port of its monitoring; empty for a node of Start.
	Monitor string
	Dir     string // its configuration, its log and the streams

	t      testing.TB
	prefix []string // what its command line begins with: ip netns exec …

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start runs a server on a configuration file of the caller's, and waits until it takes clients at client, a host:port that
// the file must say. opts are for the connection that finds out. The server ends with the test.
func Start(t testing.TB, config, client string, opts ...nats.Option) *Node {
	t.Helper()
	n := &Node{Name: filepath.Base(config), Client: client, Dir: t.TempDir(), t: t}
	content, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	n.configure(string(content))
	n.Start()
	n.await(opts...)
	return n
}

// URL is where clients reach it.
func (n *Node) URL() string { return "nats://" + n.Client }

func (n *Node) configure(config string) {
	n.t.Helper()
	if err := os.WriteFile(n.config(), []byte(config), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		n.Kill()
		if n.t.Failed() {
			n.t.Logf("%s said last:\n%s", n.Name, n.said())
		}
	})
}

func (n *Node) config() string { return filepath.Join(n.Dir, "server.conf") }

// Start starts the process, and does not wait until it answers. One that runs already is left alone.
func (n *Node) Start() {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		return
	}
	out, err := os.OpenFile(filepath.Join(n.Dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer out.Close()
	line := slices.Concat(n.prefix, []string{Binary(n.t), "--config", n.config()})
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = n.Dir, out, out
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed, mostly
	}()
	n.cmd, n.ended = cmd, ended
}

// Kill ends the process as a power cut of it would, by SIGKILL, and returns when it is gone.
func (n *Node) Kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Signal(syscall.SIGKILL) // it may have ended by itself
	<-n.ended
	n.cmd = nil
}

// Running reports whether the process was started and not killed.
func (n *Node) Running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cmd != nil
}

// Pause stops the process in its tracks, as a machine that hangs: its connections stay, and nothing is answered.
func (n *Node) Pause() { n.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (n *Node) Resume() { n.signal(syscall.SIGCONT) }

func (n *Node) signal(s syscall.Signal) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		n.t.Fatalf("%s does not run", n.Name)
	}
	if err := n.cmd.Process.Signal(s); err != nil {
		n.t.Fatal(err)
	}
}

// await waits until the node takes clients.
func (n *Node) await(opts ...nats.Option) {
	n.t.Helper()
	opts = append([]nats.Option{nats.Timeout(time.Second)}, opts...)
	var last error
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		conn, err := nats.Connect(n.URL(), opts...)
		if err == nil {
			conn.Close()
			return
		}
		last = err
		n.mu.Lock()
		ended := n.ended
		n.mu.Unlock()
		select {
		case <-ended:
			n.t.Fatalf("%s ended as soon as it was started:\n%s", n.Name, n.said())
		default:
		}
	}
	n.t.Fatalf("%s takes no clients: %v\n%s", n.Name, last, n.said())
}

// said is the end of its log.
func (n *Node) said() []byte {
	data, err := os.ReadFile(filepath.Join(n.Dir, "server.log"))
	if err != nil {
		return []byte(err.Error())
	}
	const enough = 4000
	if len(data) > enough {
		data = data[len(data)-enough:]
		data = data[bytes.IndexByte(data, '\n')+1:]
	}
	return data
}
