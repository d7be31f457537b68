package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/domain/thread"
)

// Append is a bench of commands on the embedded log.
type Append struct {
	Sync     string        `enum:"always,1s,off" default:"always" help:"When an acknowledged command is on disk."`
	Parallel int           `default:"64" help:"Commands at once."`
	Long     time.Duration `default:"3s" help:"How long a round takes."`
	Rounds   int           `default:"3" help:"Rounds of each kind; the median counts."`
	New      bool          `help:"Open new conversations, which pays for a key and a claim, instead of writing in existing ones."`
}

// Run measures commands through the engine and bare guarded publishes of the same size in turn, and prints the ratio.
func (b Append) Run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "turno-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := host(ctx, dir, jetstream.Sync(b.Sync))
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.desk(ctx, b.Parallel); err != nil {
		return err
	}
	conversations, size, err := b.conversations(ctx, w)
	if err != nil {
		return err
	}
	bare, err := newBare(ctx, w, b.Parallel, size)
	if err != nil {
		return err
	}
	var ours, theirs []*sample
	for round := range b.Rounds {
		s, err := hammer(b.Parallel, b.Long, bare.publish(ctx))
		if err != nil {
			return fmt.Errorf("bare publishes: %w", err)
		}
		theirs = append(theirs, s)
		if s, err = hammer(b.Parallel, b.Long, b.command(ctx, w, conversations, round)); err != nil {
			return fmt.Errorf("commands: %w", err)
		}
		ours = append(ours, s)
	}
	what := "messages in existing conversations"
	if b.New {
		what = "openings"
	}
	header(out, "append: "+what, fmt.Sprintf("sync %s, %d at once, %d bytes a message with our headers, %d rounds of %s", b.Sync, b.Parallel, size, b.Rounds, b.Long))
	m, n := median(ours), median(theirs)
	fmt.Fprintf(out, "  commands          %s\n  bare publishes    %s\n  ratio             %.2f\n", m, n, m.rate()/n.rate())
	return nil
}

// perWorker is how many conversations a worker writes in, in turn.
const perWorker = 100

// conversations opens and takes what the workers write in, and measures how many bytes a message takes in the log.
func (b Append) conversations(ctx context.Context, w *world) ([][]string, int, error) {
	all := make([][]string, b.Parallel)
	_, err := hammerTimes(b.Parallel, perWorker, func(worker, call int) error {
		r, err := w.engine.Receive(ctx, byContact(), inbound(fmt.Sprintf("w%d-%d", worker, call), "m", 0))
		if err != nil {
			return err
		}
		if _, err = w.engine.Do(ctx, byOperator(worker), r.Conversation.ID, thread.Take{}); err != nil {
			return err
		}
		all[worker] = append(all[worker], r.Conversation.ID)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	r, err := w.engine.Do(ctx, byOperator(0), all[0][0], thread.Send{Content: text(0)})
	if err != nil {
		return nil, 0, err
	}
	size, err := stored(ctx, w, r.Commit.Aggregate.String())
	return all, size, err
}

// stored is how many bytes the newest message of a subject has, our own headers included.
func stored(ctx context.Context, w *world, subject string) (int, error) {
	log, err := bareStream(ctx, w)
	if err != nil {
		return 0, err
	}
	m, err := log.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return 0, err
	}
	size := len(m.Data)
	for name, values := range m.Header {
		if strings.HasPrefix(name, "Turno-") {
			size += len(name) + len(": ") + len(values[0]) + len("\r\n")
		}
	}
	return size, nil
}

func (b Append) command(ctx context.Context, w *world, conversations [][]string, round int) func(worker, call int) error {
	if b.New {
		return func(worker, call int) error {
			_, err := w.engine.Receive(ctx, byContact(), inbound(fmt.Sprintf("n%d-%d-%d", round, worker, call), "m", call))
			return err
		}
	}
	return func(worker, call int) error {
		_, err := w.engine.Do(ctx, byOperator(worker), conversations[worker][call%perWorker], thread.Send{Content: text(call)})
		return err
	}
}

// bare publishes guarded messages of a size on a stream like the log's, on the same server.
type bare struct {
	js    natsjs.JetStream
	data  []byte
	tails [][]uint64
}

func newBare(ctx context.Context, w *world, workers, size int) (*bare, error) {
	js, err := natsjs.New(w.conn)
	if err != nil {
		return nil, err
	}
	b := &bare{js: js, data: make([]byte, size), tails: make([][]uint64, workers)}
	for i := range b.tails {
		b.tails[i] = make([]uint64, perWorker)
	}
	_, err = js.CreateStream(ctx, natsjs.StreamConfig{
		Name: "BARE", Subjects: []string{"bare.>"}, Storage: natsjs.FileStorage, Discard: natsjs.DiscardNew, DenyDelete: true, DenyPurge: true, AllowDirect: true,
	})
	if err != nil {
		return nil, err
	}
	_, err = rand.Read(b.data)
	return b, err
}

func (b *bare) publish(ctx context.Context) func(worker, call int) error {
	return func(worker, call int) error {
		k := call % perWorker
		ack, err := b.js.Publish(ctx, fmt.Sprintf("bare.w%d-%d", worker, k), b.data,
			natsjs.WithExpectLastSequencePerSubject(b.tails[worker][k]), natsjs.WithMsgID(fmt.Sprintf("b%d-%d-%d", worker, k, b.tails[worker][k])))
		if err != nil {
			return err
		}
		b.tails[worker][k] = ack.Sequence
		return nil
	}
}
