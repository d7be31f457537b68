package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/cmd/turno/demo"
)

// HTTP is a bench of commands over HTTP: the engine is a process of its own, the client another on the same machine.
type HTTP struct {
	Sync     string        `enum:"always,1s,off" default:"always" help:"When an acknowledged command is on disk."`
	Parallel int           `default:"64" help:"Commands at once."`
	Long     time.Duration `default:"5s" help:"How long a round takes."`
	Rounds   int           `default:"3" help:"Rounds; the median counts."`

	Program string `kong:"-"` // path of the binary
}

// Run measures messages in existing conversations, and bare guarded publishes before them.
func (b HTTP) Run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "turno-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	raw, err := b.bare(ctx, dir+"/bare")
	if err != nil {
		return fmt.Errorf("bare publishes: %w", err)
	}
	header(out, "http: messages in existing conversations", fmt.Sprintf("sync %s, %d at once, %d rounds of %s", b.Sync, b.Parallel, b.Rounds, b.Long))
	fmt.Fprintf(out, "  bare publishes              %s\n", raw)
	for _, parts := range []string{"log,engine", "log,engine,projectors"} {
		m, err := b.measure(ctx, filepath.Join(dir, parts), parts)
		if err != nil {
			return fmt.Errorf("with the parts %s: %w", parts, err)
		}
		fmt.Fprintf(out, "  %-27s %s, ratio %.2f\n", parts, m, m.rate()/raw.rate())
	}
	return nil
}

// measure lets an engine of its own, with these parts, answer commands.
func (b HTTP) measure(ctx context.Context, dir, parts string) (*sample, error) {
	p, err := startServe(ctx, b.Program, dir, b.Sync, "--parts", parts)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := p.answers(ctx, time.Minute); err != nil {
		return nil, err
	}
	c := demo.NewClient(p.url, benchToken, b.Parallel)
	conversations, err := b.setUp(ctx, c)
	if err != nil {
		return nil, err
	}
	var rounds []*sample
	for range b.Rounds {
		s, err := hammer(b.Parallel, b.Long, func(worker, call int) error {
			_, err := c.Do(ctx, http.MethodPost, "/v1/conversations/"+conversations[worker][call%perWorker]+"/messages",
				"operator:"+operatorID(worker), "", map[string]any{"text": lines[call%len(lines)]})
			return err
		})
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, s)
	}
	return median(rounds), nil
}

func (b HTTP) setUp(ctx context.Context, c *demo.Client) ([][]string, error) {
	put := func(path string, body map[string]any) error {
		_, err := c.Do(ctx, http.MethodPut, path, "", "", body)
		return err
	}
	if err := put("/v1/departments/bench", map[string]any{"name": "Bench"}); err != nil {
		return nil, err
	}
	if err := put("/v1/channels/bench", map[string]any{"type": "generic", "name": "Bench", "department": "bench"}); err != nil {
		return nil, err
	}
	for i := range b.Parallel {
		if err := put("/v1/operators/"+operatorID(i), map[string]any{"name": "Operator", "role": "operator", "departments": []string{"bench"}}); err != nil {
			return nil, err
		}
	}
	all := make([][]string, b.Parallel)
	_, err := hammerTimes(b.Parallel, perWorker, func(worker, call int) error {
		a, err := c.Do(ctx, http.MethodPost, "/v1/channels/bench/messages", "", "", map[string]any{
			"from": map[string]any{"address": fmt.Sprintf("w%d-%d", worker, call)}, "kind": "text", "text": lines[0], "message_id": "m",
		})
		if err != nil {
			return err
		}
		all[worker] = append(all[worker], a.Conversation.ID)
		_, err = c.Do(ctx, http.MethodPost, "/v1/conversations/"+a.Conversation.ID+"/take", "operator:"+operatorID(worker), "", map[string]any{})
		return err
	})
	return all, err
}

// messageBytes is about what a message of this bench takes in the log.
const messageBytes = 1000

// bare measures guarded publishes on an embedded server with the same sync mode, in this process.
func (b HTTP) bare(ctx context.Context, dir string) (*sample, error) {
	w, err := host(ctx, dir, jetstream.Sync(b.Sync))
	if err != nil {
		return nil, err
	}
	defer w.close()
	raw, err := newBare(ctx, w, b.Parallel, messageBytes)
	if err != nil {
		return nil, err
	}
	return hammer(b.Parallel, b.Long, raw.publish(ctx))
}
