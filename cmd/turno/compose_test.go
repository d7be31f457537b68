package main

import (
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"golang.org/x/mod/modfile"
)

// root is the repository's, from here.
const root = "../.."

// composeSecrets are what docker-compose.yml asks for.
func composeSecrets() types.Mapping {
	return types.Mapping{"NATS_PASSWORD": "log0secret", "POSTGRES_PASSWORD": "views0secret", "TURNO_ADMIN_TOKEN": adminToken}
}

// composed is docker-compose.yml as docker compose reads it: by the compose specification's own library, its schema included.
func composed(env types.Mapping, profiles ...string) (*types.Project, error) {
	file := filepath.Join(root, "docker-compose.yml")
	return loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: root, ConfigFiles: []types.ConfigFile{{Filename: file}}, Environment: env,
	}, func(o *loader.Options) { o.Profiles = profiles })
}

func mustCompose(t *testing.T, env types.Mapping, profiles ...string) *types.Project {
	t.Helper()
	project, err := composed(env, profiles...)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// ours reports whether a service is this program.
func ours(s types.ServiceConfig) bool { return s.Build != nil }

// environmentOf is what a service's program finds in its environment: that of its image, and of the service.
func environmentOf(t *testing.T, s types.ServiceConfig) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, pair := range dockerfile(t).all("ENV") {
		for _, one := range strings.Fields(pair) {
			name, value, _ := strings.Cut(one, "=")
			env[name] = value
		}
	}
	for name, value := range s.Environment {
		if value != nil {
			env[name] = *value
		}
	}
	return env
}

func TestComposeAsksForEverySecretAndHasNoneOfItsOwn(t *testing.T) {
	for name := range composeSecrets() {
		env := composeSecrets()
		delete(env, name)
		if _, err := composed(env); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
		env[name] = ""
		if _, err := composed(env); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("with an empty %s: %v", name, err)
		}
	}
	example, err := os.ReadFile(filepath.Join(root, "deploy", "example.env"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range composeSecrets() {
		if !regexp.MustCompile(`(?m)^` + name + `=$`).Match(example) {
			t.Errorf("deploy/example.env does not have %s, without a value", name)
		}
	}
}

func TestComposeIsTheDesignsTopology(t *testing.T) {
	project := mustCompose(t, composeSecrets())
	running := map[string]int{}
	for _, s := range project.Services {
		n := 1
		if s.Deploy != nil && s.Deploy.Replicas != nil {
			n = *s.Deploy.Replicas
		}
		switch {
		case ours(s):
			running[strings.Join(s.Command, " ")] += n
		default:
			running[strings.SplitN(s.Image, ":", 2)[0]] += n
		}
	}
	want := map[string]int{"engine": 2, "worker": 2, "nats": 3, "postgres": 1, "haproxy": 1}
	for _, name := range projectionNames {
		want["projector "+name] = 2
	}
	if !maps.Equal(running, want) {
		t.Errorf("compose runs %v, want %v", running, want)
	}
	beside := mustCompose(t, composeSecrets(), "eventstoredb")
	if len(beside.Services) != len(project.Services)+1 {
		t.Errorf("the profile eventstoredb adds %d services, want 1", len(beside.Services)-len(project.Services))
	}
}

func TestComposePinsEveryImage(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$`)
	for _, s := range mustCompose(t, composeSecrets(), "eventstoredb").Services {
		if !ours(s) && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %q is not pinned to a version", s.Name, s.Image)
		}
	}
	server := strings.TrimPrefix(required(t, "github.com/nats-io/nats-server/v2"), "v")
	for _, name := range []string{"nats-1", "nats-2", "nats-3"} {
		if got := mustCompose(t, composeSecrets()).Services[name].Image; !strings.HasPrefix(got, "nats:"+server+"-") {
			t.Errorf("%s runs %s, the tests run nats-server %s", name, got, server)
		}
	}
}

func TestEveryServiceOfComposeIsWatchedRestartedAndGivenTimeToEnd(t *testing.T) {
	project := mustCompose(t, composeSecrets(), "eventstoredb")
	for _, s := range project.Services {
		if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Test[0] != "CMD" {
			t.Errorf("%s has no health check that needs no shell", s.Name)
		}
		if s.Restart != types.RestartPolicyUnlessStopped {
			t.Errorf("%s restarts %q", s.Name, s.Restart)
		}
		if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= grace {
			t.Errorf("%s is given %v to end, requests in flight have %v", s.Name, s.StopGracePeriod, grace)
		}
		for name, on := range s.DependsOn {
			if on.Condition != types.ServiceConditionHealthy {
				t.Errorf("%s waits for %s to be %s", s.Name, name, on.Condition)
			}
		}
		if (len(s.Ports) > 0) != (s.Name == "proxy") {
			t.Errorf("%s has ports %v: the proxy, and it alone, is reached from outside", s.Name, s.Ports)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("the way in is on %q unless somebody says otherwise", p.HostIP)
			}
		}
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", s.Name, err)
			}
		}
	}
}

// TestTheProgramUnderstandsEveryCommandLineOfCompose gives each to the program's own parser, with the environment of its
// container, the health checks too.
func TestTheProgramUnderstandsEveryCommandLineOfCompose(t *testing.T) {
	lines := 0
	understood := func(service string, args []string, env map[string]string) {
		lines++
		var c cli
		parsed, err := parse(&c, args, func(name string) string { return env[name] }, io.Discard, io.Discard)
		if err != nil || parsed == nil {
			t.Errorf("%s: turno %s: %v", service, strings.Join(args, " "), err)
			return
		}
		if parsed.Selected().Name == "health" {
			return
		}
		known := map[string]bool{"TURNO_ADMIN_TOKEN": parsed.Selected().Name == "engine"}
		for _, flag := range parsed.Flags() {
			known["TURNO_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = true
		}
		if parsed.Selected().Name != "engine" {
			known["TURNO_HTTP"] = true // of the image, for who serves
		}
		for name := range env {
			if strings.HasPrefix(name, "TURNO_") && !known[name] {
				t.Errorf("%s: turno %s knows no %s", service, strings.Join(args, " "), name)
			}
		}
	}
	for _, s := range mustCompose(t, composeSecrets(), "eventstoredb").Services {
		if !ours(s) {
			continue
		}
		env := environmentOf(t, s)
		understood(s.Name, s.Command, env)
		if s.HealthCheck.Test[1] != "/turno" {
			t.Errorf("%s: %s is not in the image", s.Name, s.HealthCheck.Test[1])
		}
		understood(s.Name+"'s health check", s.HealthCheck.Test[2:], env)
	}
	if want := 2 * (2 + 1 + len(projectionNames)); lines != want {
		t.Errorf("compose has %d command lines, want %d", lines, want)
	}
}

func TestTheProxysConfigurationIsValid(t *testing.T) {
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("there is no haproxy here: apt-get install haproxy")
	}
	if out, err := exec.Command(haproxy, "-c", "-f", filepath.Join(root, "deploy", "haproxy.cfg")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// instructions are those of a Dockerfile.
type instructions [][2]string

func (d instructions) all(name string) (arguments []string) {
	for _, i := range d {
		if i[0] == name {
			arguments = append(arguments, i[1])
		}
	}
	return arguments
}

// last is the argument of an instruction that counts, as of the image that is made.
func (d instructions) last(t *testing.T, name string) string {
	t.Helper()
	all := d.all(name)
	if len(all) == 0 {
		t.Fatalf("the Dockerfile has no %s", name)
	}
	return all[len(all)-1]
}

func dockerfile(t *testing.T) (all instructions) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, argument, _ := strings.Cut(line, " ")
		all = append(all, [2]string{name, argument})
	}
	return all
}

// required is the version of a module that go.mod asks for; of Go itself when path is "go".
func required(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.ParseLax("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if path == "go" {
		return mod.Go.Version
	}
	for _, r := range mod.Require {
		if r.Mod.Path == path {
			return r.Mod.Version
		}
	}
	t.Fatalf("go.mod does not have %s", path)
	return ""
}

func TestTheImageIsTheStaticProgramAndNobodysRoot(t *testing.T) {
	d := dockerfile(t)
	from := d.all("FROM")
	if want := "golang:" + required(t, "go") + "-alpine AS build"; len(from) != 2 || from[0] != want || from[1] != "scratch" {
		t.Errorf("FROM %v, want %q and scratch", from, want)
	}
	if user := d.last(t, "USER"); !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(user) {
		t.Errorf("the image runs as %q: a number, which is not root's, is what an orchestrator can check", user)
	}
	_, check, _ := strings.Cut(d.last(t, "HEALTHCHECK"), "CMD ")
	if check != `["/turno", "health", "http://127.0.0.1:9090/healthz"]` || d.last(t, "ENTRYPOINT") != `["/turno"]` {
		t.Errorf("the image runs %s and is asked by %s", d.last(t, "ENTRYPOINT"), check)
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{".env", "turno-data", "**/*.key", "**/*.creds", ".git"} {
		if !slices.Contains(strings.Fields(string(ignored)), secret) {
			t.Errorf(".dockerignore lets %s into the build", secret)
		}
	}
}

// TestTheLineThatBuildsTheImageBuildsAStaticProgramOfItsVersion runs that very line, elsewhere.
func TestTheLineThatBuildsTheImageBuildsAStaticProgramOfItsVersion(t *testing.T) {
	build := ""
	for _, line := range dockerfile(t).all("RUN") {
		if strings.Contains(line, "go build") {
			build = line
		}
	}
	out := filepath.Join(t.TempDir(), "turno")
	cmd := exec.Command("sh", "-ec", strings.ReplaceAll(build, "/out/turno", out))
	cmd.Dir, cmd.Env = root, append(os.Environ(), "VERSION=v9.8.7")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, said)
	}
	said, err := exec.Command(out, "version").Output()
	if err != nil || !strings.HasPrefix(string(said), "turno v9.8.7 ") {
		t.Errorf("it says %q, %v", said, err)
	}
	if linked := interpreter(t, out); linked != "" {
		t.Errorf("it needs %s, which an empty image does not have", linked)
	}
}
