package main

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/turno-desk/turno/cmd/turno/demo"
)

// switchboard sends each request to one of several engines. What was not answered, or with 503, goes to another engine when
// it is said again with its key. It notes what was answered, and what no engine may answer.
type switchboard struct {
	engines []string // host:port
	lines   http.RoundTripper
	route   func(*http.Request) int // which engine, when it is not left to the switchboard

	mu      sync.Mutex
	tried   map[string]int // failures by Idempotency-Key
	answers map[string]int // by status, "no answer" among them
	wrong   []string       // answers that should not have been
	acks    []time.Time    // of commands that succeeded
}

// newSwitchboard returns a client on engines, and what it noted. A call waits as long as patience.
func newSwitchboard(engines []string, parallel int, patience time.Duration) (*demo.Client, *switchboard) {
	c := demo.NewClient("http://engines.invalid", adminToken, parallel)
	b := &switchboard{engines: engines, lines: c.HTTP.Transport, tried: map[string]int{}, answers: map[string]int{}}
	c.HTTP = &http.Client{Transport: b, Timeout: patience}
	return c, b
}

// RoundTrip sends the request to the engine whose turn it is for its key.
func (b *switchboard) RoundTrip(req *http.Request) (*http.Response, error) {
	key := req.Header.Get("Idempotency-Key")
	sum := fnv.New32a()
	sum.Write([]byte(key))
	b.mu.Lock()
	n := int(sum.Sum32()%1000) + b.tried[key]
	b.mu.Unlock()
	if b.route != nil {
		n = b.route(req)
	}
	sent := req.Clone(req.Context())
	sent.URL.Host = b.engines[n%len(b.engines)]
	res, err := b.lines.RoundTrip(sent)

	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil:
		b.answers["no answer"]++
		b.tried[key]++
		return nil, err
	case res.StatusCode == http.StatusServiceUnavailable:
		b.tried[key]++
		if res.Header.Get("Retry-After") == "" {
			b.wrong = append(b.wrong, fmt.Sprintf("%s %s: 503 without Retry-After", req.Method, req.URL.Path))
		}
	case res.StatusCode >= 500:
		b.wrong = append(b.wrong, fmt.Sprintf("%s %s: %s", req.Method, req.URL.Path, res.Status))
	case res.StatusCode < 300 && req.Method == http.MethodPost:
		b.acks = append(b.acks, time.Now())
	}
	b.answers[fmt.Sprint(res.StatusCode)]++
	return res, nil
}

// silence is the longest time without a command that succeeded, from a moment on.
func (b *switchboard) silence(from time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	last, longest := from, time.Duration(0)
	for _, at := range b.acks {
		if at.After(last) {
			longest = max(longest, at.Sub(last))
			last = at
		}
	}
	return longest
}

// said tells how often each status was answered.
func (b *switchboard) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, status := range slices.Sorted(maps.Keys(b.answers)) {
		all = append(all, fmt.Sprintf("%s: %d", status, b.answers[status]))
	}
	return strings.Join(all, ", ")
}
