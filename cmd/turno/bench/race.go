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

	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Race is a bench of many operators who take one conversation at the same moment, through two engines.
type Race struct {
	Takes    int    `default:"1000" help:"Operators who take at once."`
	Rounds   int    `default:"10" help:"Conversations that are raced for."`
	Replicas int    `enum:"1,3" default:"1" help:"Servers that keep each commit: 1 is the embedded log, 3 a cluster of three servers in this process."`
	Sync     string `enum:"always,1s,off" default:"1s" help:"When an acknowledged command is on disk."`
}

// Run races and fails unless every conversation has one owner, of whom everybody else was told.
func (b Race) Run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "turno-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	engines, closeAll, err := b.engines(ctx, dir)
	if err != nil {
		return err
	}
	defer closeAll()
	if err := engines[0].desk(ctx, b.Takes); err != nil {
		return err
	}
	if err := engines[1].image.Refresh(ctx); err != nil {
		return err
	}
	header(out, "race: one conversation, many takes",
		fmt.Sprintf("%d takes at once through %d engines, R%d, sync %s", b.Takes, len(engines), b.Replicas, b.Sync))
	all := newSample()
	for round := range b.Rounds {
		owner, err := b.round(ctx, engines, round, all)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		fmt.Fprintf(out, "  round %-3d         1 owner (%s), %d refusals that name them\n", round+1, owner, b.Takes-1)
	}
	fmt.Fprintf(out, "  takes             %s\n", all)
	return nil
}

func (b Race) round(ctx context.Context, engines []*world, round int, all *sample) (string, error) {
	opened, err := engines[0].engine.Receive(ctx, byContact(), inbound(fmt.Sprintf("race-%d", round), "m", 0))
	if err != nil {
		return "", err
	}
	var (
		start  = make(chan struct{})
		wg     sync.WaitGroup
		wins   atomic.Int32
		told   = make([]string, b.Takes)
		failed = make([]error, b.Takes)
	)
	for i := range b.Takes {
		wg.Go(func() {
			<-start
			began := time.Now()
			_, err := engines[i%len(engines)].engine.Do(ctx, byOperator(i), opened.Conversation.ID, thread.Take{})
			all.add([]time.Duration{time.Since(began)})
			var refusal *domain.Refusal
			switch {
			case err == nil:
				wins.Add(1)
				told[i] = operatorID(i)
			case errors.As(err, &refusal) && refusal.Code == thread.CodeTakenByAnother:
				told[i] = refusal.Owner
			default:
				failed[i] = err
			}
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return "", err
	}
	_, conv, err := engines[0].engine.Conversation(ctx, workspace, opened.Conversation.ID)
	if err != nil {
		return "", err
	}
	if n := wins.Load(); n != 1 {
		return "", fmt.Errorf("%d winners", n)
	}
	for i, owner := range told {
		if owner != conv.Owner {
			return "", fmt.Errorf("%s owns it, and %s was told %q", conv.Owner, operatorID(i), owner)
		}
	}
	return conv.Owner, nil
}

// engines opens two engines on one log, each with a connection and a memory of its own.
func (b Race) engines(ctx context.Context, dir string) ([]*world, func(), error) {
	if b.Replicas == 3 {
		return b.clustered(ctx, dir)
	}
	first, err := host(ctx, dir, jetstream.Sync(b.Sync))
	if err != nil {
		return nil, nil, err
	}
	conn, err := jetstream.Join(dir)
	if err != nil {
		return nil, nil, errors.Join(err, first.close())
	}
	master, err := vault.LoadMasterKey(filepath.Join(dir, "master.key"))
	if err != nil {
		return nil, nil, errors.Join(err, first.close())
	}
	second, err := on(ctx, conn, master, jetstream.Options{Dir: dir})
	if err != nil {
		return nil, nil, errors.Join(err, first.close())
	}
	return []*world{first, second}, func() { second.close(); first.close() }, nil
}

func (b Race) clustered(ctx context.Context, dir string) ([]*world, func(), error) {
	master, err := vault.LoadMasterKey(filepath.Join(dir, "master.key"))
	if err != nil {
		return nil, nil, err
	}
	servers, err := StartCluster(dir, b.Sync)
	if err != nil {
		return nil, nil, err
	}
	var engines []*world
	closeAll := func() {
		for _, w := range engines {
			w.close()
		}
		servers.Stop()
	}
	for i := range 2 {
		var conn *nats.Conn
		if conn, err = jetstream.Dial(servers.URL(i), ""); err == nil {
			var w *world
			if w, err = on(ctx, conn, master, jetstream.Options{Replicas: 3}); err == nil {
				engines = append(engines, w)
			}
		}
		if err != nil {
			closeAll()
			return nil, nil, err
		}
	}
	return engines, closeAll, nil
}
