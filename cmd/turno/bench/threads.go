package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Threads is a bench of what many threads cost: the servers' memory and disk, their start, and loading one conversation.
type Threads struct {
	Threads  int           `default:"1000000" help:"Threads of the log: contacts on a channel, each with a key in the vault."`
	Replicas int           `default:"1" enum:"1,3" help:"1: the log that turno hosts; 3: three NATS servers."`
	Long     int           `default:"1000" help:"How many of them have a conversation of 20 commits; the others have 1 to 3."`
	Settle   time.Duration `default:"150s" help:"How long after filling and after starting the memory is read; indexes that nobody asks for are dropped within two minutes."`
	Views    bool          `default:"true" negatable:"" help:"Build the views too, and tell their size (with one replica)."`
	Keep     string        `type:"path" placeholder:"DIR" help:"Use this folder, and keep it; a filled one is used as it is."`

	Program string `kong:"-"` // path of the binary, for the servers
}

// longCommits is how many commits a long conversation has.
const longCommits = 20

// Run fills the log of servers that are processes of their own, and measures them then, and after they were started anew with
// nothing of the log in the system's cache.
func (b Threads) Run(ctx context.Context, out io.Writer) error {
	dir := b.Keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "turno-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	s := newServers(b.Program, dir, b.Replicas)
	defer s.stop()
	empty, long, few, err := b.measureFilled(ctx, out, s)
	if err != nil {
		return err
	}
	s.stop()
	if err := forgetFiles(dir); err != nil {
		return err
	}
	if err := b.measureStarted(ctx, out, s, empty, long, few); err != nil {
		return err
	}
	s.stop()
	if b.Views && b.Replicas == 1 {
		return b.measureViews(ctx, out, dir)
	}
	return nil
}

// measureFilled fills the log where it is empty and tells what the servers take then. It returns what they took before, if
// that is known, and conversations to load.
func (b Threads) measureFilled(ctx context.Context, out io.Writer, s *servers) (empty memory, long, few []string, err error) {
	if err := s.start(ctx); err != nil {
		return empty, nil, nil, err
	}
	empty = s.memory()
	w, err := s.world(ctx)
	if err != nil {
		return empty, nil, nil, err
	}
	defer w.close() //nolint:errcheck // nothing is lost with it
	log, keys, err := streams(ctx, w)
	if err != nil {
		return empty, nil, nil, err
	}
	written, state := "written before", "started"
	if int(log.NumSubjects) >= b.Threads {
		empty = memory{} // nobody knows what it would be without the log
	} else {
		began := time.Now()
		if err := b.fill(ctx, w); err != nil {
			return empty, nil, nil, fmt.Errorf("fill the log: %w", err)
		}
		if log, keys, err = streams(ctx, w); err != nil {
			return empty, nil, nil, err
		}
		took := time.Since(began)
		written, state = fmt.Sprintf("written in %s (%.0f commits/s)", took.Round(time.Second), float64(log.Msgs)/took.Seconds()), "filled"
	}
	header(out, "threads: a log of many", fmt.Sprintf("%d threads, %d commits of %d aggregates, %d keys; on %d server(s), sync off, %s",
		b.Threads, log.Msgs, log.NumSubjects, keys.NumSubjects, b.Replicas, written))
	if limit := os.Getenv("GOMEMLIMIT"); limit != "" {
		fmt.Fprintf(out, "  the servers' GOMEMLIMIT is %s\n", limit)
	}
	logBytes, vaultBytes := s.disk(jetstream.StreamName), s.disk(vault.Stream)
	fmt.Fprintf(out, "  on disk           log %d MB, %d B a commit; vault %d MB, %d B a key (one server)\n",
		logBytes>>20, logBytes/log.Msgs, vaultBytes>>20, vaultBytes/keys.Msgs)
	if state == "filled" {
		fmt.Fprintf(out, "  server, empty     RSS %d MB\n", empty.resident>>20)
	}
	fmt.Fprintf(out, "  %-16s  %s\n", "server, "+state, s.memory().beyond(empty, b.Threads))
	if err := rest(ctx, b.Settle); err != nil {
		return empty, nil, nil, err
	}
	fmt.Fprintf(out, "  %-16s  %s\n", "after "+b.Settle.String(), s.memory().beyond(empty, b.Threads))
	long, few, err = b.pick(ctx, w)
	return empty, long, few, err
}

// measureStarted starts the servers on the filled log, and loads the conversations.
func (b Threads) measureStarted(ctx context.Context, out io.Writer, s *servers, empty memory, long, few []string) error {
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	w, err := s.world(ctx)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // nothing is lost with it
	fmt.Fprintf(out, "  started again     answers in %s with cold files; %s\n", time.Since(began).Round(10*time.Millisecond), s.memory().beyond(empty, b.Threads))
	if err := measureThreads(ctx, out, w, "20 commits", long); err != nil {
		return err
	}
	if err := measureThreads(ctx, out, w, "1 to 3 commits", few); err != nil {
		return err
	}
	fmt.Fprintf(out, "  after the loads   %s\n", s.memory().beyond(empty, b.Threads))
	if err := rest(ctx, b.Settle); err != nil {
		return err
	}
	fmt.Fprintf(out, "  %-16s  %s\n", "after "+b.Settle.String(), s.memory().beyond(empty, b.Threads))
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func streams(ctx context.Context, w *world) (log, keys natsjs.StreamState, err error) {
	js, err := natsjs.New(w.conn)
	if err != nil {
		return log, keys, err
	}
	for name, state := range map[string]*natsjs.StreamState{jetstream.StreamName: &log, vault.Stream: &keys} {
		s, err := js.Stream(ctx, name)
		if err != nil {
			return log, keys, err
		}
		*state = s.CachedInfo().State
	}
	return log, keys, nil
}

// fill writes threads as a desk does: an address that claims its thread, and commands on it.
func (b Threads) fill(ctx context.Context, w *world) error {
	if err := w.desk(ctx, 20); err != nil {
		return err
	}
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		failed = make([]error, fillers)
	)
	for i := range fillers {
		wg.Go(func() {
			for failed[i] == nil {
				n := int(next.Add(1))
				if n > b.Threads || ctx.Err() != nil {
					return
				}
				failed[i] = b.one(ctx, w, n)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(failed, ctx.Err())...)
}

// one writes the n-th thread.
func (b Threads) one(ctx context.Context, w *world, n int) error {
	r, err := w.engine.Receive(ctx, byContact(), inbound(fmt.Sprintf("c-%d", n), "m0", n))
	if err != nil {
		return err
	}
	id, op := r.Conversation.ID, byOperator(n%20)
	do := func(c thread.Command) {
		if err == nil {
			_, err = w.engine.Do(ctx, op, id, c)
		}
	}
	if n%max(1, b.Threads/b.Long) == 0 {
		do(thread.Take{})
		for i := range longCommits - 3 {
			do(thread.Send{Content: text(i)})
		}
		do(thread.Close{Category: "solved", Summary: "It was answered."})
		return err
	}
	if n%3 > 0 {
		do(thread.Take{})
	}
	if n%3 > 1 {
		do(thread.Close{Category: "solved", Summary: "It was answered."})
	}
	return err
}

// pick reads the log through and draws conversations from it: the long ones, and as many of the others.
func (b Threads) pick(ctx context.Context, w *world) (long, few []string, err error) {
	commits := make(map[string]int, b.Threads)
	err = w.store.Read(ctx, 0, projections.ReadOptions{Max: 5000, ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			if id := chunk[i].Conversation; id != "" {
				commits[id]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the log through: %w", err)
	}
	for id, n := range commits { // in no order
		switch {
		case n >= longCommits-1 && len(long) < b.Long:
			long = append(long, id)
		case n < longCommits-1 && len(few) < b.Long:
			few = append(few, id)
		}
	}
	return long, few, nil
}

// measureThreads loads conversations one after the other, in random order: for the first time since the servers started, and
// then again by an engine that remembers nothing.
func measureThreads(ctx context.Context, out io.Writer, w *world, what string, ids []string) error {
	for _, state := range []string{"cold", "warm"} {
		loads, engine := newSample(), w.another()
		for _, id := range ids {
			began := time.Now()
			if _, _, err := engine.Conversation(ctx, workspace, id); err != nil {
				return err
			}
			loads.add([]time.Duration{time.Since(began)})
		}
		fmt.Fprintf(out, "  load, %s        %s: n %d, p50 %s, p99 %s\n", state, what, len(loads.took), short(loads.quantile(0.5)), short(loads.quantile(0.99)))
	}
	return nil
}

// measureViews builds all views in one process and tells what they take.
func (b Threads) measureViews(ctx context.Context, out io.Writer, dir string) error {
	p, err := startServe(ctx, b.Program, dir, "off")
	if err != nil {
		return err
	}
	defer p.stop() //nolint:errcheck // ended below, when all goes well
	took, err := p.ready(ctx, time.Hour)
	if err != nil {
		return err
	}
	resident := p.memory()
	if err := p.stop(); err != nil {
		return err
	}
	views, err := os.ReadDir(filepath.Join(dir, "views"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  views             built in %s by one process, RSS %d MB then\n", took.Round(time.Second), resident)
	for _, v := range views {
		size := sizeOf(filepath.Join(dir, "views", v.Name()))
		if size>>20 > 0 {
			fmt.Fprintf(out, "    %-28s %d MB, %d B a conversation\n", v.Name(), size>>20, size/uint64(b.Threads))
		}
	}
	return nil
}
