package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	nethttp "net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/turno-desk/turno/api/http"
)

// contract is api/openapi.yaml.
type contract struct {
	doc *openapi3.T
	ops []operation
}

// operation is one method on one path of the contract.
type operation struct {
	method, path string
	matches      *regexp.Regexp
	*openapi3.Operation
}

// theContract is read once for all tests.
var theContract = sync.OnceValues(readContract)

func newContract(t testing.TB) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readContract() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	if err != nil {
		return nil, err
	}
	c := &contract{doc: doc}
	for path, item := range doc.Paths.Map() {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, `[^/]+`) + "$")
		for method, op := range item.Operations() {
			c.ops = append(c.ops, operation{method, path, pattern, op})
		}
	}
	slices.SortFunc(c.ops, func(a, b operation) int { // what is named stands before what is a parameter
		return strings.Compare(strings.ReplaceAll(a.path, "{", "~"), strings.ReplaceAll(b.path, "{", "~"))
	})
	return c, nil
}

func (c *contract) find(method, path string) *operation {
	for i := range c.ops {
		if c.ops[i].method == method && c.ops[i].matches.MatchString(path) {
			return &c.ops[i]
		}
	}
	return nil
}

// hold fails the test when the answer isn't what the contract says of that request, or when a request that succeeded has a
// body that the contract forbids.
func (c *contract) hold(t testing.TB, req *nethttp.Request, body string, a answer) {
	t.Helper()
	op := c.find(req.Method, req.URL.EscapedPath())
	if op == nil {
		if a.status != 404 && a.status != 405 && a.status != 400 {
			t.Errorf("%s answered %d and is not in the contract", a.asked, a.status)
		}
		c.problem(t, a)
		return
	}
	if a.status < 300 && op.RequestBody != nil && body != "" {
		media, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
		if taken := op.RequestBody.Value.Content.Get(media); taken == nil {
			t.Errorf("%s took %q, which the contract doesn't know", a.asked, media)
		} else if media == "application/json" {
			if err := against(taken.Schema.Value, []byte(body)); err != nil {
				t.Errorf("%s took a body that the contract forbids: %v\n%s", a.asked, err, body)
			}
		}
	}
	declared := op.Responses.Status(a.status)
	if declared == nil {
		c.problem(t, a)
		return
	}
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if media == "application/json" {
		c.headers(t, declared.Value, a)
	}
	content := declared.Value.Content.Get(media)
	if content == nil {
		t.Errorf("%s answered %q, which the contract doesn't know", a.asked, a.header.Get("Content-Type"))
	} else if media == "application/json" {
		if err := against(content.Schema.Value, a.body); err != nil {
			t.Errorf("%s answered what the contract forbids: %v\n%s", a.asked, err, a.body)
		}
	} else if one := content.Schema.Value; media == "application/x-ndjson" && len(one.OneOf) > 0 {
		for line := range bytes.Lines(a.body) {
			if err := against(one, line); err != nil {
				t.Errorf("%s answered a line that the contract forbids: %v\n%s", a.asked, err, line)
			}
		}
	}
}

func (c *contract) headers(t testing.TB, declared *openapi3.Response, a answer) {
	t.Helper()
	for name, h := range declared.Headers {
		got := a.header.Get(name)
		if got == "" && !strings.EqualFold(name, "ETag") { // a command of which nothing may be shown has no revision
			t.Errorf("%s answered without the header %s", a.asked, name)
		} else if got != "" && against(h.Value.Schema.Value, []byte(strconv.Quote(got))) != nil {
			t.Errorf("%s answered %s: %q", a.asked, name, got)
		}
	}
}

// problem holds an answer against what every problem is.
func (c *contract) problem(t testing.TB, a answer) {
	t.Helper()
	if a.status < 400 {
		t.Errorf("%s answered %d, which the contract doesn't know: %s", a.asked, a.status, a.body)
		return
	}
	if len(a.body) == 0 && strings.HasPrefix(a.asked, "HEAD ") {
		return
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s answered %d as %q: %s", a.asked, a.status, got, a.body)
		return
	}
	if err := against(c.doc.Components.Schemas["Problem"].Value, a.body); err != nil {
		t.Errorf("%s answered a problem that is none: %v\n%s", a.asked, err, a.body)
	}
	if a.status == 503 && a.header.Get("Retry-After") == "" {
		t.Errorf("%s answered 503 without Retry-After", a.asked)
	}
}

func against(schema *openapi3.Schema, data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	err := schema.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors())
	var all openapi3.MultiError
	if !errors.As(err, &all) {
		return err
	}
	var said []error
	for _, e := range all {
		said = append(said, errors.New(strings.SplitN(e.Error(), "\n", 2)[0])) // without the schema
	}
	return errors.Join(said...)
}

func TestTheContractIsValidOpenAPI(t *testing.T) {
	c := newContract(t)
	if !c.doc.IsOpenAPI31OrLater() {
		t.Fatalf("the contract is OpenAPI %s", c.doc.OpenAPI)
	}
	if err := c.doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestEveryRouteIsInTheContractAndTheReverse also compares the rights that routes take
// and the query parameters that they know.
func TestEveryRouteIsInTheContractAndTheReverse(t *testing.T) {
	c := newContract(t)
	served := map[string]bool{}
	for _, r := range http.Routes() {
		path := regexp.MustCompile(`:([a-z]+)`).ReplaceAllString(r.Path, "{$1}")
		served[r.Method+" "+path] = true
		op := c.find(r.Method, path)
		if op == nil || op.path != path {
			t.Errorf("%s %s is served and not in the contract", r.Method, path)
			continue
		}
		if right, _ := op.Extensions["x-right"].(string); right != r.Right {
			t.Errorf("%s %s takes the right %q, the contract says %q", r.Method, path, r.Right, right)
		}
		declared := []string{}
		for _, p := range op.Parameters {
			if p.Value.In == "query" {
				declared = append(declared, p.Value.Name)
			}
		}
		known := append([]string{}, r.Params...)
		slices.Sort(declared)
		slices.Sort(known)
		if !slices.Equal(declared, known) {
			t.Errorf("%s %s takes the parameters %v, the contract says %v", r.Method, path, known, declared)
		}
	}
	for _, op := range c.ops {
		if !served[op.method+" "+op.path] {
			t.Errorf("%s %s is in the contract and not served", op.method, op.path)
		}
	}
}
