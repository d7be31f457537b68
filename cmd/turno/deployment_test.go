package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/adapters/eventstoredb/esdbtest"
	"github.com/turno-desk/turno/adapters/jetstream/natstest"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
)

// deployment is docker-compose.yml as processes on this machine: no containers, but every service's command, environment
// and configuration file as the file has them. Each container's address is one of the loopback's, so that the ports stay.
type deployment struct {
	t         *testing.T
	project   *types.Project
	hosts     map[string]string // address by service; a replica's by service and number
	names     *regexp.Regexp    // the services' names, as hosts of a URL
	data      string            // the volume that Turno's processes share
	database  string            // URL of the views
	log       string            // URL of an EventStoreDB, where that keeps the log
	processes map[string]*process
	up        map[string]bool
}

// deploy starts all services, each when those that it waits for are healthy; with EventStoreDB as the page's first lines say.
func deploy(t *testing.T, eventStoreDB bool) *deployment {
	t.Helper()
	env, log, profiles := composeSecrets(), "", []string(nil)
	if eventStoreDB {
		env["TURNO_LOG"], log, profiles = "esdb://eventstoredb:2113?tls=false", esdbtest.New(t).URL(), []string{"eventstoredb"}
	}
	d := &deployment{
		t: t, log: log, project: mustCompose(t, env, profiles...), hosts: map[string]string{}, data: t.TempDir(), database: pgtest.Database(t),
		processes: map[string]*process{}, up: map[string]bool{},
	}
	var net3 [2]byte
	_, _ = rand.Read(net3[:]) // never fails
	var names []string
	for i, name := range d.project.ServiceNames() {
		for replica := range replicas(d.project.Services[name]) {
			d.hosts[container(name, replica)] = fmt.Sprintf("127.%d.%d.%d", 64+net3[0]%128, net3[1], 10+4*i+replica)
		}
		names = append(names, regexp.QuoteMeta(name))
	}
	d.names = regexp.MustCompile(`\b(` + strings.Join(names, "|") + `):(\d)`)
	if l, err := net.Listen("tcp", d.hosts["proxy"]+":0"); err != nil {
		t.Skipf("this machine gives one process no second address of the loopback: %v", err)
	} else {
		l.Close()
	}
	for _, name := range d.project.ServiceNames() {
		d.bring(name)
	}
	return d
}

func replicas(s types.ServiceConfig) int {
	if s.Deploy != nil && s.Deploy.Replicas != nil {
		return *s.Deploy.Replicas
	}
	return 1
}

func container(service string, replica int) string {
	if replica == 0 {
		return service
	}
	return fmt.Sprintf("%s/%d", service, replica+1)
}

// resolved puts addresses for the services' names, and the container's own for every address and the loopback.
func (d *deployment) resolved(text, self string) string {
	text = d.names.ReplaceAllStringFunc(text, func(found string) string {
		name, port, _ := strings.Cut(found, ":")
		return d.hosts[name] + ":" + port
	})
	return strings.ReplaceAll(text, "127.0.0.1:", self+":")
}

// bring starts a service after those that it depends on, and waits until its health check is content.
func (d *deployment) bring(name string) {
	d.t.Helper()
	if d.up[name] {
		return
	}
	d.up[name] = true
	s := d.project.Services[name]
	for _, on := range slices.Sorted(mapKeys(s.DependsOn)) {
		if _, is := d.project.Services[on]; is {
			d.bring(on)
		}
	}
	for replica := range replicas(s) {
		d.run(s, container(name, replica))
	}
	for replica := range replicas(s) {
		d.await(s, d.hosts[container(name, replica)])
	}
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// run starts one container's process.
func (d *deployment) run(s types.ServiceConfig, name string) {
	d.t.Helper()
	self := d.hosts[name]
	switch image, _, _ := strings.Cut(s.Image, ":"); {
	case ours(s):
		d.processes[name] = d.program(s, self)
	case image == "nats":
		d.nats(s, self)
	case image == "haproxy":
		d.proxy(s, self)
	case image == "postgres", image == "eventstore/eventstore": // run already
	default:
		d.t.Fatalf("no process stands for %s", s.Image)
	}
}

// program starts a service that is this program.
func (d *deployment) program(s types.ServiceConfig, self string) *process {
	d.t.Helper()
	var env []string
	if given := environmentOf(d.t, s)["TURNO_LOG"]; (given != "") != (d.log != "") {
		d.t.Fatalf("%s is given the log %q", s.Name, given)
	}
	for name, value := range environmentOf(d.t, s) {
		switch {
		case name == "TURNO_DATA":
			value = d.data
		case name == "TURNO_VIEWS":
			value = d.database
		case name == "TURNO_LOG" && strings.HasPrefix(value, "esdb://eventstoredb:2113"):
			value = d.log
		case strings.HasPrefix(value, ":"):
			value = self + value
		default:
			value = d.resolved(value, self)
		}
		env = append(env, name+"="+value)
	}
	return startIn(d.t, env, s.Command...)
}

// mounted is the file of the repository that a service finds at a path.
func (d *deployment) mounted(s types.ServiceConfig, at string) string {
	d.t.Helper()
	for _, v := range s.Volumes {
		if v.Target == at {
			text, err := os.ReadFile(v.Source)
			if err != nil {
				d.t.Fatal(err)
			}
			return string(text)
		}
	}
	d.t.Fatalf("%s has nothing at %s", s.Name, at)
	return ""
}

// nats starts a node on its configuration, which then listens on the node's own address.
func (d *deployment) nats(s types.ServiceConfig, self string) {
	d.t.Helper()
	if len(s.Command) != 4 || s.Command[0] != "-c" || s.Command[2] != "--name" {
		d.t.Fatalf("%s is run as %v", s.Name, s.Command)
	}
	for name, value := range s.Environment {
		d.t.Setenv(name, *value)
	}
	config := d.resolved(d.mounted(s, s.Command[1]), self)
	config = strings.Replace(config, "/data", d.t.TempDir(), 1)
	for _, port := range []string{"port: 4222", "port: 6222"} {
		config = strings.Replace(config, port, fmt.Sprintf("listen: %q", self+strings.TrimPrefix(port, "port: ")), 1)
	}
	config = strings.ReplaceAll(config, `listen: "`+self, `listen: "`+self+":")
	config = strings.Replace(config, "http: 8222", fmt.Sprintf("http: %q", self+":8222"), 1)
	file := filepath.Join(d.t.TempDir(), s.Name)
	if err := os.WriteFile(file, []byte("server_name: "+s.Command[3]+"\n"+config), 0o600); err != nil {
		d.t.Fatal(err)
	}
	natstest.Start(d.t, file, self+":4222", nats.UserInfo("turno", composeSecrets()["NATS_PASSWORD"]))
}

// proxy starts HAProxy on its configuration, or where there is none a proxy that does as much of it as this test needs.
func (d *deployment) proxy(s types.ServiceConfig, self string) {
	d.t.Helper()
	config := d.mounted(s, "/usr/local/etc/haproxy/haproxy.cfg")
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		d.t.Log("there is no haproxy here (apt-get install haproxy): another proxy stands for it")
		d.standIn(self)
		return
	}
	config = strings.Replace(d.resolved(config, self), "bind :8080", "bind "+self+":8080", 1)
	config = strings.Replace(config, "resolvers docker init-addr last,libc,none", "", 1)
	file := filepath.Join(d.t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
	cmd, said := exec.Command(haproxy, "-db", "-f", file), &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if d.t.Failed() {
			d.t.Logf("haproxy said:\n%s", said)
		}
	})
}

// standIn is a proxy that asks the engines in turn, and the other one when the first can't be reached.
func (d *deployment) standIn(self string) {
	d.t.Helper()
	listener, err := net.Listen("tcp", self+":8080")
	if err != nil {
		d.t.Fatal(err)
	}
	server := &http.Server{Handler: &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
			for _, engine := range []string{"engine-1", "engine-2"} {
				if conn, err = new(net.Dialer).DialContext(ctx, network, d.hosts[engine]+":8080"); err == nil {
					break
				}
			}
			return conn, err
		}},
	}}
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	d.t.Cleanup(func() { _ = server.Close() })
}

// await waits until the health check of a service says that it is well.
func (d *deployment) await(s types.ServiceConfig, self string) {
	d.t.Helper()
	check := s.HealthCheck.Test[1:]
	if check[0] == "pg_isready" || check[0] == "curl" {
		return // the test's own servers were waited for
	}
	asked := d.resolved(check[len(check)-1], self)
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var err error
		if ours(s) {
			_, _, err = turno(d.t, append(slices.Clone(check[1:len(check)-1]), asked)...)
		} else {
			err = answersWell(asked)
		}
		if err == nil {
			return
		}
		if time.Now().After(limit) {
			d.t.Fatalf("%s is not healthy: %v", s.Name, err)
		}
	}
}

func answersWell(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// pushes follows the push stream, and tells of each conversation that it names.
func (a api) pushes(told chan<- string) {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", a.url+"/v1/stream", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			var change struct{ Conversation string }
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is && json.Unmarshal([]byte(data), &change) == nil && change.Conversation != "" {
				told <- change.Conversation
			}
		}
	})
	a.t.Cleanup(func() { cancel(); resp.Body.Close(); reading.Wait() })
}

// TestTheTopologyOfComposeServesADeskAndOutlivesAnEngineAndAProjector runs docker-compose.yml as processes on the loopback:
// three NATS nodes, PostgreSQL, two engines behind a proxy, every projector and the worker twice; and with its profile.
func TestTheTopologyOfComposeServesADeskAndOutlivesAnEngineAndAProjector(t *testing.T) {
	if testing.Short() {
		t.Skip("starts twenty processes, twice")
	}
	t.Run("with the log in NATS", func(t *testing.T) { outlives(t, deploy(t, false)) })
	t.Run("with the log in EventStoreDB", func(t *testing.T) { outlives(t, deploy(t, true)) })
}

func outlives(t *testing.T, d *deployment) {
	desk := api{t: t, url: "http://" + d.hosts["proxy"] + ":8080"}
	desk.furnish()
	told := make(chan string, 1000)
	desk.pushes(told)

	id, at := desk.receive("m-1", "+1 555 0100", "Hello")
	row := desk.patiently("/v1/queues/support?state=waiting&" + after(at))
	if got := row.text("items", 0, "id"); got != id {
		t.Fatalf("waiting: %v, want %s", row, id)
	}
	select {
	case pushed := <-told:
		if pushed != id {
			t.Errorf("the push stream tells of %s, want %s", pushed, id)
		}
	case <-time.After(time.Minute):
		t.Error("the push stream, through the proxy, tells of nothing")
	}
	if err := answersWell(desk.url + "/metrics"); err == nil {
		t.Error("the metrics are told to whoever is outside")
	}

	d.processes["engine-1"].kill()
	for n := range 6 { // as many as both engines would have shared
		if again, _ := desk.receive("m-1", "+1 555 0100", "Hello"); again != id {
			t.Fatalf("after the death of an engine message m-1 is of %s, it was of %s (attempt %d)", again, id, n)
		}
	}
	taken := desk.post("ana", "/v1/conversations/"+id+"/take", nil)
	row = desk.patiently("/v1/queues/support?state=attending&" + after(taken.number("position")))
	if got := row.text("items", 0, "id"); got != id {
		t.Errorf("attending: %v, want %s", row, id)
	}

	writing := ""
	for _, name := range []string{"queue", "queue/2"} {
		_, shown := read(t, "http://"+d.hosts[name]+":9090/metrics")
		if strings.Contains(shown, `turno_projection_writing{projection="queue"} 1`) {
			writing = name
		}
	}
	if writing == "" {
		t.Fatal("no projector says that it writes the queue")
	}
	d.processes[writing].kill()
	closed := desk.post("ana", "/v1/conversations/"+id+"/close", object{"summary": "Done"})
	if left := desk.patiently("/v1/queues/support?" + after(closed.number("position"))); len(left.list("items")) != 0 {
		t.Errorf("the queue still has what was closed: %v", left)
	}
	messages := desk.patiently("/v1/conversations/" + id + "/messages?" + after(closed.number("position")))
	if got := len(messages.list("items")); got != 1 {
		t.Errorf("history has %d messages, want 1: %v", got, messages)
	}
	d.roomForAll()
	for name, p := range d.processes {
		if name != writing && name != "engine-1" {
			p.end()
		}
	}
}

// roomForAll expects that the database of docker-compose.yml takes twice the connections that there are.
func (d *deployment) roomForAll() {
	d.t.Helper()
	allowed := 0
	for _, word := range d.project.Services["postgres"].Command {
		if n, is := strings.CutPrefix(word, "max_connections="); is {
			allowed, _ = strconv.Atoi(n)
		}
	}
	conn, err := pgx.Connect(d.t.Context(), d.database)
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close(d.t.Context())
	var open int
	if err := conn.QueryRow(d.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'turno' AND datname = current_database()`).Scan(&open); err != nil {
		d.t.Fatal(err)
	}
	d.t.Logf("%d connections to PostgreSQL are open, of %d", open, allowed)
	if open == 0 || 2*open > allowed {
		d.t.Errorf("%d connections to PostgreSQL are open; docker-compose.yml allows %d", open, allowed)
	}
}
