package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Load is a bench of loading one conversation out of a large log, and of starting on it.
type Load struct {
	Commits int           `default:"1000000" help:"Commits of the log."`
	Loads   int           `default:"2000" help:"Conversations that are loaded, each for the first time in its process."`
	Settle  time.Duration `default:"45s" help:"How long after the start the memory is read."`
	Keep    string        `type:"path" placeholder:"DIR" help:"Use this data folder, and keep it; a filled one is used as it is."`

	Program string `kong:"-"` // path of the binary, for the start
}

// Run fills a log, loads conversations of about 20 commits from it without any memory of them, and starts `serve` on it.
func (b Load) Run(ctx context.Context, out io.Writer) error {
	dir := b.Keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "turno-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	if err := b.measureLoads(ctx, out, dir); err != nil {
		return err
	}
	return b.measureStart(ctx, out, dir)
}

func (b Load) measureLoads(ctx context.Context, out io.Writer, dir string) error {
	w, err := host(ctx, dir, jetstream.SyncOff)
	if err != nil {
		return err
	}
	defer w.close()
	head, err := w.store.Head(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if int(head) < b.Commits {
		if err := w.desk(ctx, 20); err != nil {
			return err
		}
		if _, err := fill(ctx, w, b.Commits, 16); err != nil {
			return fmt.Errorf("fill the log: %w", err)
		}
		if head, err = w.store.Head(ctx); err != nil {
			return err
		}
	}
	header(out, "load: one conversation out of a large log", fmt.Sprintf("%d commits, written in %s", head, time.Since(began).Round(time.Second)))
	ids, commits, err := b.pick(ctx, w)
	if err != nil {
		return err
	}
	loads, bare, forgetful := newSample(), newSample(), w.another()
	for _, id := range ids {
		began := time.Now()
		if _, _, err := forgetful.Conversation(ctx, workspace, id); err != nil {
			return err
		}
		loads.add([]time.Duration{time.Since(began)})
	}
	stream, err := bareStream(ctx, w)
	if err != nil {
		return err
	}
	for range ids { // as many bare reads by sequence, one after the other, as a load makes
		from := rand.Uint64N(uint64(head)-uint64(commits)) + 1
		began := time.Now()
		for k := range commits {
			if _, err := stream.GetMsg(ctx, from+uint64(k)); err != nil {
				return err
			}
		}
		bare.add([]time.Duration{time.Since(began)})
	}
	fmt.Fprintf(out, "  loads             n %d, %d commits on average, p50 %s, p99 %s\n", len(loads.took), commits, short(loads.quantile(0.5)), short(loads.quantile(0.99)))
	fmt.Fprintf(out, "  bare reads        n %d, %d messages each, p50 %s, p99 %s\n", len(bare.took), commits, short(bare.quantile(0.5)), short(bare.quantile(0.99)))
	fmt.Fprintf(out, "  ratio             %.2f (bare p50 over ours)\n", float64(bare.quantile(0.5))/float64(loads.quantile(0.5)))
	return nil
}

// pick draws conversations from all over the log, and counts how many commits they have on average.
func (b Load) pick(ctx context.Context, w *world) ([]string, int, error) {
	head, err := w.store.Head(ctx)
	if err != nil {
		return nil, 0, err
	}
	var (
		ids   []string
		seen  = map[string]bool{}
		total int
	)
	for tries := 0; len(ids) < b.Loads && tries < 20*b.Loads; tries++ {
		c, err := w.store.At(ctx, 1+domain.Position(rand.Uint64N(uint64(head))))
		if err != nil {
			return nil, 0, err
		}
		if c.Conversation == "" || seen[c.Conversation] {
			continue
		}
		seen[c.Conversation] = true
		commits, _, err := w.store.Load(ctx, c.Aggregate, 0, nil)
		if err != nil {
			return nil, 0, err
		}
		if len(commits) < 18 || len(commits) > 22 {
			continue
		}
		if _, n, _ := thread.SplitConversationID(c.Conversation); n != 1 {
			continue
		}
		total += len(commits)
		ids = append(ids, c.Conversation)
	}
	if len(ids) == 0 {
		return nil, 0, fmt.Errorf("the log has no conversation of about 20 commits")
	}
	return ids, total / len(ids), nil
}

func bareStream(ctx context.Context, w *world) (natsjs.Stream, error) {
	js, err := natsjs.New(w.conn)
	if err != nil {
		return nil, err
	}
	return js.Stream(ctx, jetstream.StreamName)
}

// measureStart starts `serve` until it is ready, once to let the views catch up and once more to time it.
func (b Load) measureStart(ctx context.Context, out io.Writer, dir string) error {
	first, err := startServe(ctx, b.Program, dir, "off")
	if err != nil {
		return err
	}
	caught, err := first.ready(ctx, 30*time.Minute)
	if err != nil {
		return err
	}
	if err := first.stop(); err != nil {
		return err
	}
	second, err := startServe(ctx, b.Program, dir, "off")
	if err != nil {
		return err
	}
	defer second.stop()
	took, err := second.ready(ctx, time.Minute)
	if err != nil {
		return err
	}
	peak := second.memory()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.Settle):
	}
	fmt.Fprintf(out, "  first start       views built in %s\n  start             ready in %s, %d MB then, %d MB after %s\n",
		caught.Round(time.Second), took.Round(time.Millisecond), peak, second.memory(), b.Settle)
	return nil
}
