package jetstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The protocol of atomic batches. nats.go has no publisher for it.
const (
	headerBatch       = "Nats-Batch-Id"
	headerBatchNumber = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"
)

var (
	// errRefused says that the server has refused a batch: nothing of it is stored, and one of it is why.
	errRefused = errors.New("the batch was refused")
	// errNotSent says that the last message of a batch has not left: nothing of it is stored.
	errNotSent = errors.New("the batch was not sent")
)

// publishBatch stores all of the round, each under its own guard, or nothing. It returns the sequence of the first; the
// others follow without a gap. Errors: errRefused, errNotSent; after any other the outcome is unknown.
func (s *Store) publishBatch(ctx context.Context, round []*entry) (first uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.AckWait)
	defer cancel()
	id := rand.Text()
	for i, e := range round {
		h := maps.Clone(e.msg.Header)
		h[headerBatch] = []string{id}
		h[headerBatchNumber] = []string{strconv.Itoa(i + 1)}
		m := &nats.Msg{Subject: e.subject, Header: h, Data: e.msg.Data}
		if i < len(round)-1 {
			if err := s.nc.PublishMsg(m); err != nil {
				return 0, fmt.Errorf("%w: %w", errNotSent, err)
			}
			continue
		}
		h[headerBatchCommit] = []string{"1"}
		a, err := request(ctx, s.nc, m)
		var refused *jetstream.APIError
		switch {
		case errors.As(err, &refused):
			return 0, fmt.Errorf("%w: %w", errRefused, err)
		case errors.Is(err, nats.ErrNoResponders):
			return 0, fmt.Errorf("%w: %w", errNotSent, err)
		case err != nil:
			return 0, err
		case a.Count != len(round) || a.Sequence < uint64(len(round)):
			return 0, fmt.Errorf("a batch of %d was acknowledged as %d up to %d", len(round), a.Count, a.Sequence)
		}
		return a.Sequence - uint64(a.Count) + 1, nil
	}
	return 0, nil
}
