// Package demo is a service desk at work: customers who write and operators who answer, pause, transfer and close, all
// through the HTTP API and nothing else.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Client speaks the API with one token. It is safe for concurrent use.
type Client struct {
	URL   string // "http://127.0.0.1:8080"
	Token string // an administrator's, or a service's that may do what the demo does
	HTTP  *http.Client

	Calls   atomic.Int64 // answered calls
	Retries atomic.Int64 // calls that were said again after a 503, a 429 or a lost connection
}

// NewClient returns a client that keeps up to n connections.
func NewClient(base, token string, n int) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = n, n
	return &Client{URL: strings.TrimRight(base, "/"), Token: token, HTTP: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

// Problem is an answer that refuses.
type Problem struct {
	Status int
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Owner  struct {
		ID string `json:"id"`
	} `json:"owner"`
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// IsCode reports whether err is a refusal with this code.
func IsCode(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// Answer is what the demo reads of a command's success.
type Answer struct {
	Position int64  `json:"position"`
	Message  string `json:"message"`
	Replayed bool   `json:"replayed"`
	Events   []struct {
		ID string `json:"id"` // "<commit>.<index>"
	} `json:"events"`
	Conversation struct {
		ID     string `json:"id"`
		Ticket int64  `json:"ticket"`
		State  string `json:"state"`
	} `json:"conversation"`
}

// Do sends one command. key may be empty; actor is "operator:ana", "contact" or empty for the token's own. A 503, a 429 or
// a lost connection is said again, with the same key, until ctx ends: without a key that is done only where nothing can
// have happened.
func (c *Client) Do(ctx context.Context, method, path, actor, key string, body any) (Answer, error) {
	var a Answer
	raw, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := c.once(ctx, method, path, actor, key, raw, &a)
		var p *Problem
		again := errors.As(err, &p) && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests)
		var lost *url.Error
		again = again || errors.As(err, &lost)
		if err == nil || !again || key == "" || ctx.Err() != nil {
			return a, err
		}
		c.Retries.Add(1)
		select {
		case <-ctx.Done():
			return a, err
		case <-time.After(wait):
		}
	}
}

// Get reads a query into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.once(ctx, http.MethodGet, path, "", "", nil, out)
}

func (c *Client) once(ctx context.Context, method, path, actor, key string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	if actor != "" {
		req.Header.Set("Turno-Actor", actor)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	c.Calls.Add(1)
	if res.StatusCode >= 300 {
		p := &Problem{Status: res.StatusCode}
		if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(p); err != nil {
			p.Code = "http_" + strconv.Itoa(res.StatusCode)
		}
		p.Status = res.StatusCode
		_, _ = io.Copy(io.Discard, res.Body)
		return p
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return nil
}
