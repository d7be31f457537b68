package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// update writes the golden files anew.
var update = flag.Bool("update", false, "write the golden files anew")

const adminToken = "an-administrator-of-a-test"

// env is an environment for run.
func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

// output collects what a program writes while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

var address = regexp.MustCompile(`answers at (http://\S+)/v1`)

// await returns the URL that a serving program tells.
func (o *output) await(t *testing.T, ended <-chan error, errors *output) string {
	t.Helper()
	limit := time.After(60 * time.Second)
	for {
		if m := address.FindStringSubmatch(o.String()); m != nil {
			return m[1]
		}
		select {
		case err := <-ended:
			t.Fatalf("the program ended before it answered: %v\n%s", err, errors)
		case <-limit:
			t.Fatalf("the program does not answer\n%s", errors)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// server is a `turno serve` in this process.
type server struct {
	api
	stop func() // tells it to stop, and fails the test unless it ends well
	said *output
}

// serveOn runs `turno serve` on a folder until the test ends or stop is called.
func serveOn(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var stdout, stderr output
	ended := make(chan error, 1)
	go func() {
		all := append([]string{"serve", "--data", dir, "--http", "127.0.0.1:0", "--log-level", "warn"}, args...)
		ended <- run(ctx, all, env(map[string]string{"TURNO_ADMIN_TOKEN": adminToken}), &stdout, &stderr)
	}()
	s := &server{said: &stdout}
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("serve ended with: %v\n%s", err, &stderr)
			}
		case <-time.After(60 * time.Second):
			t.Fatalf("serve does not stop\n%s", &stderr)
		}
		if logged := stderr.String(); strings.Contains(logged, `"level":"error"`) {
			t.Errorf("serve logged an error:\n%s", logged)
		}
	})
	t.Cleanup(func() { cancel(); s.stop() })
	s.api = api{t: t, url: stdout.await(t, ended, &stderr)}
	return s
}

// turno runs a subcommand to its end and returns what it printed.
func turno(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var out, errs output
	err = run(ctx, args, env(nil), &out, &errs)
	return out.String(), errs.String(), err
}

// api talks to a desk as its administrator.
type api struct {
	t   *testing.T
	url string
}

// object is a JSON object of an answer.
type object map[string]any

// call makes a request and fails the test unless it is answered with status. as is the operator to act for, or empty. A
// query that is told to come again, because its view has not reached the position that it asks for, does so for a minute: a
// desk waits two seconds, which is little where many tests share the processors.
func (a api) call(status int, as, method, path string, body any) object {
	a.t.Helper()
	got, data := a.ask(as, method, path, body)
	for limit := time.Now().Add(time.Minute); got == http.StatusServiceUnavailable && got != status && method == "GET" &&
		bytes.Contains(data, []byte(`"view_behind"`)) && time.Now().Before(limit); {
		got, data = a.ask(as, method, path, body)
	}
	if got != status {
		a.t.Fatalf("%s %s: %d, want %d\n%s", method, path, got, status, data)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		a.t.Fatalf("%s %s: %v\n%s", method, path, err, data)
	}
	return o
}

// ask makes a request, once.
func (a api) ask(as, method, path string, body any) (status int, answer []byte) {
	a.t.Helper()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, a.url+path, payload)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	if as != "" {
		req.Header.Set("Turno-Actor", "operator:"+as)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, data
}

func (a api) put(path string, body any) object {
	a.t.Helper()
	return a.call(200, "", "PUT", path, body)
}
func (a api) get(path string) object { a.t.Helper(); return a.call(200, "", "GET", path, nil) }
func (a api) post(as, path string, body any) object {
	a.t.Helper()
	return a.call(200, as, "POST", path, body)
}

// furnish makes a department, an operator and a channel.
func (a api) furnish() {
	a.t.Helper()
	a.put("/v1/departments/support", object{"name": "Support"})
	a.put("/v1/operators/ana", object{"name": "Ana", "role": "operator", "departments": []string{"support"}})
	a.put("/v1/channels/web", object{"type": "generic", "name": "Web", "department": "support"})
}

// receive brings in a contact's message and returns its conversation's id.
func (a api) receive(id, from, text string) (conversation string, position int64) {
	a.t.Helper()
	o := a.call(202, "", "POST", "/v1/channels/web/messages", object{"message_id": id, "from": object{"address": from, "name": "Carla"}, "text": text})
	return o.text("conversation", "id"), o.number("position")
}

// at finds what is under a path of names and indices.
func (o object) at(path ...any) any {
	var v any = map[string]any(o)
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func (o object) text(path ...any) string { s, _ := o.at(path...).(string); return s }
func (o object) number(path ...any) int64 {
	f, _ := o.at(path...).(float64)
	return int64(f)
}
func (o object) list(path ...any) []any { l, _ := o.at(path...).([]any); return l }

// after is a query parameter that makes a query wait for a position.
func after(position int64) string { return fmt.Sprintf("after=%d", position) }
