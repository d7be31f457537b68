package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestEveryOperationOfTheContractIsWired calls each operation of the whole program, most with next to nothing in it, those whose
// body is looked at before the part that handles it with what that takes. Many are refused; none may fail for want of a part,
// and no method may be unknown to the router.
func TestEveryOperationOfTheContractIsWired(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "api", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(data, &contract); err != nil {
		t.Fatal(err)
	}
	s := serveOn(t, t.TempDir())
	s.furnish()
	id, at := s.receive("m", "+1", "Hello")
	contact := s.get("/v1/conversations/"+id+"?"+after(at)).text("contact", "id")
	bodies := map[string]object{
		"POST /v1/tickets": {"requester": contact, "subject": "Printer"},
	}
	parameter := regexp.MustCompile(`\{[a-z_]+\}`)
	called := 0
	for path, operations := range contract.Paths {
		for method := range operations {
			method = strings.ToUpper(method)
			if method == "PARAMETERS" || path == "/v1/stream" { // which has no end
				continue
			}
			path := parameter.ReplaceAllString(path, "1")
			var body any
			if known, ok := bodies[method+" "+path]; ok {
				body = known
			} else if method != "GET" {
				body = object{}
			}
			status, answer := s.ask("", method, path, body)
			called++
			if status >= 500 && status != http.StatusServiceUnavailable || status == http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d %s", method, path, status, answer)
			}
		}
	}
	if called < 100 {
		t.Errorf("%d operations were called: the contract was not read", called)
	}
}
