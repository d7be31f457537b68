package jetstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/projections"
)

// self is the aggregate of the log's own commits.
var self = domain.Aggregate{Workspace: "_", Category: domain.CategoryLog, ID: "self"}

const sequenceMask = 1<<domain.EpochBits - 1

// epochs tells positions from sequences. A log that was restored from an older copy hands out sequences for a second time;
// from the first message after the copy on, its positions carry another epoch.
type epochs struct {
	mu    sync.RWMutex
	begin []epoch // ascending
}

type epoch struct {
	number uint64
	after  uint64 // it holds from the next sequence on
}

func (e *epochs) position(seq uint64) domain.Position {
	if seq == 0 {
		return 0
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for i := len(e.begin) - 1; i >= 0; i-- {
		if seq > e.begin[i].after {
			return domain.Position(e.begin[i].number<<domain.EpochBits | seq)
		}
	}
	return domain.Position(seq)
}

// sequence is where a position is in the stream. ok is false when it is none of this log's: it was before a restore.
func (e *epochs) sequence(p domain.Position) (seq uint64, ok bool) {
	seq = uint64(p) & sequenceMask
	return seq, e.position(seq) == p
}

// learn notes the restores among the events of a commit of the log's own.
func (e *epochs) learn(events []domain.Event) {
	for _, event := range events {
		r, ok := event.(ledger.Restored)
		if !ok {
			continue
		}
		e.mu.Lock()
		if n := len(e.begin); n == 0 || e.begin[n-1].number < r.Epoch {
			e.begin = append(e.begin, epoch{number: r.Epoch, after: r.From})
		}
		e.mu.Unlock()
	}
}

// identify returns the log's identity: that of its first commit, which is appended when the stream is empty.
func (s *Store) identify(ctx context.Context) (string, error) {
	for {
		first, err := s.message(ctx, 1)
		if errors.Is(err, projections.ErrNoCommit) && !s.opts.ReadOnly {
			if err := s.create(ctx); err != nil {
				return "", err
			}
			continue
		}
		if errors.Is(err, projections.ErrNoCommit) {
			return "", ErrNoLog
		}
		if err != nil {
			return "", wrap(ctx, "read the first commit", err)
		}
		c, err := s.codec.Decode(ctx, first.data, false)
		if err != nil {
			return "", fmt.Errorf("read the first commit: %w", err)
		}
		if len(c.Events) > 0 && first.subject == self.String() {
			if created, ok := c.Events[0].(ledger.Created); ok && created.ID != "" {
				return created.ID, nil
			}
		}
		return "", fmt.Errorf("stream %s does not begin with the creation of a log", StreamName)
	}
}

// create appends the first commit, unless somebody else does at the same time.
func (s *Store) create(ctx context.Context) error {
	id := strings.ToLower(rand.Text())
	now := time.Now().UTC().Truncate(time.Millisecond)
	w, err := s.prepare(ctx, &domain.Commit{
		ID: "log-" + id, Aggregate: self, Recorded: now, Time: now, Origin: domain.OriginLive,
		Actor: domain.Actor{Kind: domain.ActorSystem}, Events: []domain.Event{ledger.Created{ID: id}},
	}, 0)
	if err != nil {
		return err
	}
	w.msg.Header.Set(jetstream.ExpectedLastSeqHeader, "0")
	_, err = s.publish(ctx, w)
	if errors.Is(err, command.ErrConflict) {
		return nil
	}
	return err
}

// Restored begins the next epoch of a log that was put together from an older copy, by a commit behind the copy's last one: from
// here on its positions are others than those that the lost log handed out. to is the highest sequence that it may have handed
// out, 0 when nobody knows. It returns the new commit's position. An epoch that the log has passed is an error, and so is a
// log that somebody else writes to.
func (s *Store) Restored(ctx context.Context, epoch, to uint64) (domain.Position, error) {
	const doing = "begin a new epoch"
	if now := s.epochs.newest(); epoch <= now || epoch > MaxEpoch {
		return 0, fmt.Errorf("%s: %d does not come after %d, or is beyond %d", doing, epoch, now, MaxEpoch)
	}
	from, err := s.head(ctx)
	if err != nil {
		return 0, wrap(ctx, doing, err)
	}
	_, v, err := s.load(ctx, self, 0, func(*domain.Commit) bool { return true })
	if err != nil {
		return 0, wrap(ctx, doing, err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	restored := ledger.Restored{Epoch: epoch, From: from, To: to, At: now}
	w, err := s.prepare(ctx, &domain.Commit{
		ID: "log-restored-" + strings.ToLower(rand.Text()), Aggregate: self, Recorded: now, Time: now, Origin: domain.OriginLive,
		Actor: domain.Actor{Kind: domain.ActorSystem}, Events: []domain.Event{restored},
	}, v)
	if err != nil {
		return 0, err
	}
	w.msg.Header.Set(jetstream.ExpectedLastSeqHeader, fmt.Sprint(from))
	seq, err := s.publish(ctx, w)
	if err != nil {
		return 0, wrap(ctx, doing, err)
	}
	s.epochs.learn([]domain.Event{restored})
	return s.epochs.position(seq), nil
}

// MaxEpoch is the last epoch: positions stay exact JSON numbers.
const MaxEpoch = 1<<(53-domain.EpochBits) - 1

// newest is the epoch that positions are handed out in.
func (e *epochs) newest() uint64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if len(e.begin) == 0 {
		return 0
	}
	return e.begin[len(e.begin)-1].number
}

// loadEpochs reads the log's own commits.
func (s *Store) loadEpochs(ctx context.Context) error {
	commits, _, err := s.load(ctx, self, 0, nil)
	if err != nil {
		return fmt.Errorf("read the restores of the log: %w", err)
	}
	for _, c := range commits {
		s.epochs.learn(c.Events)
	}
	return nil
}
