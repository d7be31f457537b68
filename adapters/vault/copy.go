package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrUnfinished says that a vault was being put together and is not whole.
var ErrUnfinished = errors.New("the vault is not whole: a restore or a move into it was not finished; run it again")

// ErrOtherVault says that a vault can't be put where another one is.
var ErrOtherVault = errors.New("there is another vault")

// ErrNoVault says that there is none.
var ErrNoVault = errors.New("there is no vault")

// Value is one value of a vault as it is kept: sealed under the master key.
type Value struct {
	Subject string
	Sealed  []byte
}

// Key is the id of the key that the value is, "" when it is something else.
func (v Value) Key() string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(v.Subject, subjectRoot+"."), ".")
	id, ok := strings.CutPrefix(rest, "key.")
	if !ok {
		return ""
	}
	return id
}

// Check refuses what is no value of a vault.
func (v Value) Check() error {
	if !strings.HasPrefix(v.Subject, subjectRoot+".") || len(v.Sealed) == 0 {
		return fmt.Errorf("%q is no value of a vault", v.Subject)
	}
	return nil
}

// last reports whether the value is the one that makes a vault whole: the hash key of its workspace.
func (v Value) last() bool {
	_, rest, _ := strings.Cut(strings.TrimPrefix(v.Subject, subjectRoot+"."), ".")
	return rest == "hash"
}

// copied is how many values go at once.
const copied = 500

// Export gives every value of the vault, of all workspaces, each once, and says how many. What is made or erased meanwhile is given
// or not. The values that make a vault whole come last.
func Export(ctx context.Context, js jetstream.JetStream, fn func([]Value) error) (n int, err error) {
	s, err := js.Stream(ctx, Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, ErrNoVault
	}
	if err != nil {
		return 0, unavailable("copy", err)
	}
	n, err = export(ctx, s, fn)
	if err != nil {
		return n, fmt.Errorf("copy the vault: %w", err)
	}
	return n, nil
}

func export(ctx context.Context, s jetstream.Stream, fn func([]Value) error) (n int, err error) {
	// The consumer may run on a follower that lags: the leader says which value is the newest.
	var newest *jetstream.RawStreamMsg
	err = answered(ctx, func() (err error) {
		newest, err = s.GetLastMsgForSubject(ctx, subjectRoot+".>")
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var (
		kept   = map[string][]byte{} // what is replaced at times, and what comes last
		values []Value
		at     uint64
	)
	flush := func() error {
		if len(values) == 0 {
			return nil
		}
		n += len(values)
		err := fn(values)
		values = nil
		return err
	}
	for at < newest.Sequence {
		before := at
		err := answered(ctx, func() error {
			return pass(ctx, s, at+1, func(subject string, value []byte, seq, pending uint64) error {
				at = seq
				if v := (Value{subject, value}); v.Key() != "" {
					values = append(values, v)
				} else {
					kept[subject] = value
				}
				if len(values) < copied && pending > 0 {
					return nil
				}
				return flush()
			})
		})
		if err == nil {
			err = flush()
		}
		if err != nil {
			return n, err
		}
		if at > before {
			continue
		}
		// Nothing came: the newest was erased meanwhile, or it has not come to where the consumer runs.
		err = answered(ctx, func() error {
			_, err := s.GetMsg(ctx, newest.Sequence)
			return err
		})
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		} else if err != nil {
			return n, err
		}
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	for _, last := range []bool{false, true} {
		for subject, value := range kept {
			if v := (Value{subject, value}); v.last() == last {
				values = append(values, v)
			}
		}
	}
	return n, flush()
}

// answered asks again, for ten seconds, while nobody is there to answer: the stream has no leader for a moment, or its consumer is so
// new that our server does not know where it is.
func answered(ctx context.Context, ask func() error) error {
	for try := 1; ; try++ {
		err := ask()
		if !errors.Is(err, nats.ErrNoResponders) || try == 100 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// pass reads from a sequence on until nothing more comes, or until a message was lost on the way: what came before it is right, and
// another pass goes on from there. A batch that is late is lost to its consumer.
func pass(ctx context.Context, s jetstream.Stream, from uint64, fn func(subject string, value []byte, seq, pending uint64) error) error {
	consumer, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = s.DeleteConsumer(ctx, consumer.CachedInfo().Name) // it expires by itself
	}()
	for sent := uint64(0); ctx.Err() == nil; {
		batch, err := consumer.FetchNoWait(copied)
		if err != nil {
			return err
		}
		got := 0
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return err
			}
			if meta.Sequence.Consumer != sent+1 {
				return nil
			}
			sent, got = sent+1, got+1
			if err := fn(m.Subject(), m.Data(), meta.Sequence.Stream, meta.NumPending); err != nil {
				return err
			}
		}
		if err := batch.Error(); err != nil {
			return err
		}
		if got == 0 {
			return nil
		}
	}
	return ctx.Err()
}

// Importer puts the values of a vault into another one, which is made when it is missing. Values that are there already must be
// the same: so a copy that broke off is gone on with.
type Importer struct {
	s *stream
}

// NewImporter makes the vault's stream on so many replicas where there is none.
func NewImporter(ctx context.Context, js jetstream.JetStream, replicas int) (*Importer, error) {
	s, err := openStream(ctx, js, max(replicas, 1))
	if err != nil {
		return nil, fmt.Errorf("put the vault: %w", err)
	}
	return &Importer{s}, nil
}

// Put stores the values. ErrOtherVault when one of them is there with another content.
func (i *Importer) Put(ctx context.Context, values []Value) error {
	for len(values) > 0 {
		now := values[:min(len(values), copied)]
		values = values[len(now):]
		if err := i.put(ctx, now); err != nil {
			return fmt.Errorf("put the vault: %w", err)
		}
	}
	return nil
}

func (i *Importer) put(ctx context.Context, values []Value) error {
	all := make([]sealed, len(values))
	for k, v := range values {
		if err := v.Check(); err != nil {
			return err
		}
		all[k] = sealed{v.Subject, v.Sealed}
	}
	err := i.s.add(ctx, all)
	if !errors.Is(err, errExists) {
		return err
	}
	for _, v := range all { // some are there
		there, err := i.s.get(ctx, v.subject)
		if err != nil {
			return err
		}
		switch {
		case there.value == nil:
			err = i.s.add(ctx, []sealed{v})
		case !bytes.Equal(there.value, v.value):
			err = fmt.Errorf("%w: %s has another value", ErrOtherVault, v.subject)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Empty reports whether the vault that values are put into has none.
func (i *Importer) Empty(ctx context.Context) (bool, error) {
	found, err := i.s.get(ctx, subjectRoot+".>")
	return found.value == nil, err
}
