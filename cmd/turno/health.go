package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// healthCmd is the health check of a container that has no shell and no curl.
type healthCmd struct {
	URL     string        `arg:"" optional:"" default:"http://127.0.0.1:8080/healthz" help:"What to ask (${default}); /healthz where it names no path."`
	Timeout time.Duration `default:"3s" help:"How long the answer may take (${default})."`
}

// Run succeeds when the answer is 200, and fails with what was said otherwise.
func (cmd healthCmd) Run(p *program) error {
	u, err := url.Parse(cmd.URL)
	if err != nil {
		return err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/healthz"
	}
	ctx, cancel := context.WithTimeout(p.ctx, cmd.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", u, resp.Status, said)
	}
	_, err = p.stdout.Write(said)
	return err
}
