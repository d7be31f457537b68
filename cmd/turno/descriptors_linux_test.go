package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestConnectionsLeaveTheLogItsFiles keeps more connections open than the process may have files. Where the log's server can't
// open one of its own it takes what it has for what it lacks, and a thread of long ago for a new one.
func TestConnectionsLeaveTheLogItsFiles(t *testing.T) {
	const files = 300
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--data", t.TempDir(), "--http", "127.0.0.1:0"}
	p := launch(t, nil, args, exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), self}, args...)...))
	desk := p.api()
	desk.furnish()
	address := strings.TrimPrefix(desk.url, "http://")
	for range files + 50 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	open := func() int {
		all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for limit := time.Now().Add(time.Minute); open() < files/2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d files are open: the connections were not accepted", open())
		}
	}
	for n := range 20 { // on the connection that there was before
		id, at := desk.receive(fmt.Sprint("m-", n), fmt.Sprint("+1 555 01", n), "Hello")
		if got := desk.get("/v1/conversations/" + id + "?" + after(at)).text("state"); got != "waiting" {
			t.Errorf("%s is %q", id, got)
		}
	}
	if n := open(); n > files-30 {
		t.Errorf("%d of %d files are open", n, files)
	}
	p.end()
}
