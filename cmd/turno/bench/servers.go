package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
)

// servers keep a log in processes of their own, so that their memory is theirs alone: `turno serve --parts log`, or three
// NATS servers.
type servers struct {
	program string
	dir     string
	nodes   []*node // of a cluster; empty: turno hosts the log itself
	running []*process
}

// node is one server of a cluster: `turno bench node`.
type node struct{ name, dir, client, monitor, route string }

func newServers(program, dir string, replicas int) *servers {
	s := &servers{program: program, dir: dir}
	for i := range replicas {
		if replicas == 1 {
			break
		}
		name := fmt.Sprintf("node-%d", i+1)
		s.nodes = append(s.nodes, &node{name: name, dir: filepath.Join(dir, name)})
	}
	return s
}

// start starts them, and returns when the log, if there is one, answers.
func (s *servers) start(ctx context.Context) error {
	if len(s.nodes) == 0 {
		ports, err := freePorts(1)
		if err != nil {
			return err
		}
		addr := "127.0.0.1:" + strconv.Itoa(ports[0])
		p, err := launch(ctx, "http://"+addr, s.program, "--log-level", "error", "serve", "--parts", "log", "--data", s.dir, "--sync", "off", "--status", addr)
		if err != nil {
			return err
		}
		s.running = []*process{p}
		_, err = p.ready(ctx, 10*time.Minute)
		return err
	}
	for _, n := range s.nodes {
		if n.client != "" {
			continue // ports are kept
		}
		ports, err := freePorts(3)
		if err != nil {
			return err
		}
		n.client, n.monitor, n.route = fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("127.0.0.1:%d", ports[1]), fmt.Sprintf("127.0.0.1:%d", ports[2])
	}
	var routes []string
	for _, n := range s.nodes {
		routes = append(routes, "nats://"+n.route)
	}
	for _, n := range s.nodes {
		p, err := launch(ctx, "http://"+n.monitor, s.program, "bench", "node", "--name", n.name, "--store", n.dir,
			"--client", n.client, "--monitor", n.monitor, "--route", n.route, "--routes", strings.Join(routes, ","))
		if err != nil {
			return err
		}
		s.running = append(s.running, p)
	}
	for _, p := range s.running {
		if _, err := p.await(ctx, "/healthz", 10*time.Minute); err != nil {
			return err
		}
	}
	return nil
}

// launch starts a program whose health is told at a URL.
func launch(ctx context.Context, url, program string, args ...string) (*process, error) {
	p := &process{url: url, began: time.Now(), ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(ctx, program, args...)
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), "TURNO_ADMIN_TOKEN="+benchToken), &p.stderr
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

// world is an engine on their log. A cluster is given a minute to find leaders.
func (s *servers) world(ctx context.Context) (*world, error) {
	master, err := vault.LoadMasterKey(filepath.Join(s.dir, "master.key"))
	if err != nil {
		return nil, err
	}
	conn, err := s.connect()
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(time.Minute); ; {
		w, err := on(ctx, conn, master, jetstream.Options{Replicas: max(1, len(s.nodes)), Timeout: 30 * time.Second, AckWait: 20 * time.Second})
		if err == nil || time.Now().After(until) || ctx.Err() != nil {
			return w, err
		}
	}
}

func (s *servers) connect() (*nats.Conn, error) {
	if len(s.nodes) == 0 {
		return jetstream.Join(s.dir)
	}
	var urls []string
	for _, n := range s.nodes {
		urls = append(urls, "nats://"+n.client)
	}
	return jetstream.Dial(strings.Join(urls, ","), "")
}

func (s *servers) stop() {
	for _, p := range s.running {
		_ = p.stop() // it ends, or is killed
	}
	s.running = nil
}

// memory is that of one server, on average.
type memory struct{ resident, heap int64 }

func (s *servers) memory() memory {
	var sum memory
	for _, p := range s.running {
		sum.resident += int64(p.memory()) << 20
		sum.heap += p.heap()
	}
	n := int64(max(1, len(s.running)))
	return memory{sum.resident / n, sum.heap / n}
}

// beyond tells it, and what of it is due to each of n threads.
func (m memory) beyond(empty memory, n int) string {
	if m.heap == 0 {
		return fmt.Sprintf("RSS %d MB, %d B a thread", m.resident>>20, max(0, m.resident-empty.resident)/int64(n))
	}
	return fmt.Sprintf("RSS %d MB, heap %d MB, %d B of heap a thread", m.resident>>20, m.heap>>20, max(0, m.heap-empty.heap)/int64(n))
}

// heap is what Go's heap holds, as turno itself tells; 0 for a NATS server, which does not.
func (p *process) heap() int64 {
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		value, found := strings.CutPrefix(lines.Text(), "go_memstats_heap_inuse_bytes ")
		if f, err := strconv.ParseFloat(value, 64); found && err == nil {
			return int64(f)
		}
	}
	return 0
}

// disk is what a stream takes on one server.
func (s *servers) disk(stream string) uint64 {
	dir := s.dir
	if len(s.nodes) > 0 {
		dir = s.nodes[0].dir
	}
	var size uint64
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == stream && filepath.Base(filepath.Dir(path)) == "streams" {
			size += sizeOf(path)
			return fs.SkipDir
		}
		return nil
	})
	return size
}

// sizeOf is how many bytes the files below a path have.
func sizeOf(path string) (size uint64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += uint64(info.Size())
			}
		}
		return nil
	})
	return size
}

// Node is one NATS server of a bench's cluster, in a process of its own.
type Node struct {
	Name, Store, Client, Monitor, Route string
	Routes                              []string
}

// Run serves until ctx ends.
func (n Node) Run(ctx context.Context) error {
	config := filepath.Join(n.Store, "server.conf")
	if err := os.MkdirAll(n.Store, 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("server_name: %s\nlisten: %q\nhttp: %q\njetstream { store_dir: %q, max_file: 1TB }\ncluster { name: bench, listen: %q, routes: [\"%s\"] }\n",
		n.Name, n.Client, n.Monitor, n.Store, n.Route, strings.Join(n.Routes, `", "`))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	o, err := server.ProcessConfigFile(config)
	if err != nil {
		return err
	}
	o.NoSigs, o.NoLog = true, true
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return errors.New("the server takes no connections")
	}
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
