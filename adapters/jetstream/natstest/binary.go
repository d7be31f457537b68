package natstest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/nats-io/nats-server/v2"

var building sync.Mutex

// Binary is the path of nats-server in the version of go.mod, built from the module's own main package. It is built once and
// kept in the user's cache.
func Binary(t testing.TB) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	version := goTool(t, "list", "-m", "-f", "{{.Version}}", modulePath)
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = t.TempDir()
	}
	dir = filepath.Join(dir, "turno")
	path := filepath.Join(dir, "nats-server-"+version)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(dir, "building-") // whoever builds at the same time does so elsewhere, and both are whole
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	goTool(t, "build", "-o", filepath.Join(fresh, "nats-server"), modulePath)
	if err := os.Rename(filepath.Join(fresh, "nats-server"), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func goTool(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &problems)
	}
	return strings.TrimSpace(string(out))
}
