package memory

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Store is a log in memory. It is safe for concurrent use and needs no closing.
type Store struct {
	codec Codec
	id    string
	born  error // why the first commit could not be made; every call fails with it

	mu      sync.RWMutex
	records []record          // the one at index i has sequence i+1
	tails   map[string]uint64 // last sequence by subject
	ids     map[string]uint64 // sequence by command id
	grown   chan struct{}     // closed, and replaced, by every append

	air air
}

// record is one message of the log.
type record struct {
	aggregate domain.Aggregate
	data      []byte
	prev      uint64
	opened    uint64
}

// New makes an empty log with an identity of its own.
func New(codec Codec) *Store {
	s := &Store{
		codec: codec,
		id:    strings.ToLower(rand.Text()),
		tails: map[string]uint64{},
		ids:   map[string]uint64{},
		grown: make(chan struct{}),
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	_, _, s.born = s.Append(context.Background(), domain.Commit{
		ID:        "log-" + s.id,
		Aggregate: domain.Aggregate{Workspace: "_", Category: domain.CategoryLog, ID: "self"},
		Recorded:  now, Time: now, Origin: domain.OriginLive,
		Actor:  domain.Actor{Kind: domain.ActorSystem},
		Events: []domain.Event{ledger.Created{ID: s.id}},
	}, 0)
	return s
}

// ID is the identity of the log.
func (s *Store) ID() string { return s.id }

// Append adds c to its aggregate if that still stands at v. See command.Log. A command id that the aggregate already holds
// answers with the position it has.
func (s *Store) Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error) {
	if err := s.ready(ctx); err != nil {
		return 0, 0, err
	}
	if !c.Aggregate.Valid() {
		return 0, 0, fmt.Errorf("append to %q: not a subject of the log", c.Aggregate)
	}
	if c.ID == "" || len(c.Events) == 0 {
		return 0, 0, fmt.Errorf("append to %s: a commit needs an id and an event", c.Aggregate)
	}
	if len(c.Events) > domain.MaxEvents {
		return 0, 0, tooLarge(fmt.Sprintf("%d events at once, at most %d are allowed", len(c.Events), domain.MaxEvents))
	}
	data, err := s.codec.Encode(ctx, &c)
	if err != nil {
		return 0, 0, fmt.Errorf("append to %s: %w", c.Aggregate, err)
	}
	if len(data) > domain.MaxCommitBytes {
		return 0, 0, tooLarge(fmt.Sprintf("%d bytes at once, at most %d are allowed", len(data), domain.MaxCommitBytes))
	}
	subject := c.Aggregate.String()

	s.mu.Lock()
	defer s.mu.Unlock()
	if tail := s.tails[subject]; tail != uint64(v) {
		return 0, 0, fmt.Errorf("append to %s at %d, which stands at %d: %w", subject, v, tail, command.ErrConflict)
	}
	if seq, ok := s.ids[c.ID]; ok {
		if s.records[seq-1].aggregate == c.Aggregate {
			return domain.Position(seq), domain.Version(seq), nil
		}
		return 0, 0, fmt.Errorf("append to %s: command %s has already written %s", subject, c.ID, s.records[seq-1].aggregate)
	}
	seq := uint64(len(s.records)) + 1
	r := record{aggregate: c.Aggregate, data: data, prev: uint64(v), opened: uint64(c.Opened)}
	if opens(&c) {
		r.opened = seq
	}
	s.records = append(s.records, r)
	s.tails[subject], s.ids[c.ID] = seq, seq
	close(s.grown)
	s.grown = make(chan struct{})
	return domain.Position(seq), domain.Version(seq), nil
}

// Load walks an aggregate back from its newest commit. See command.Log.
func (s *Store) Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	if err := s.ready(ctx); err != nil {
		return nil, 0, err
	}
	s.mu.RLock()
	records, tail := s.records, s.tails[a.String()]
	s.mu.RUnlock()
	if uint64(since) > tail {
		return nil, 0, fmt.Errorf("load %s since %d: it stands at %d", a, since, tail)
	}
	var commits []domain.Commit
	for seq := tail; seq > uint64(since); seq = records[seq-1].prev {
		c, err := s.decode(ctx, records, seq, true)
		if err != nil {
			return nil, 0, err
		}
		commits = append(commits, c)
		if stop != nil && stop(&c) {
			break
		}
	}
	for i, j := 0, len(commits)-1; i < j; i, j = i+1, j-1 {
		commits[i], commits[j] = commits[j], commits[i]
	}
	return commits, domain.Version(tail), nil
}

func (s *Store) decode(ctx context.Context, records []record, seq uint64, open bool) (domain.Commit, error) {
	r := records[seq-1]
	c, err := s.codec.Decode(ctx, r.data, open)
	if err != nil {
		return domain.Commit{}, fmt.Errorf("decode the commit at %d: %w", seq, err)
	}
	if c.Aggregate != r.aggregate {
		return domain.Commit{}, fmt.Errorf("the commit at %d is of %s, its subject is %s", seq, c.Aggregate, r.aggregate)
	}
	c.Position, c.Version = domain.Position(seq), domain.Version(seq)
	c.Prev, c.Opened = domain.Position(r.prev), domain.Position(r.opened)
	return c, nil
}

func (s *Store) ready(ctx context.Context) error {
	if s.born != nil {
		return fmt.Errorf("create the log: %w", s.born)
	}
	return ctx.Err()
}

// snapshot returns the log as it is now and a channel that is closed when it has grown.
func (s *Store) snapshot() ([]record, <-chan struct{}) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.records, s.grown
}

// Head is the newest position.
func (s *Store) Head(ctx context.Context) (domain.Position, error) {
	records, _ := s.snapshot()
	return domain.Position(len(records)), s.ready(ctx)
}

// At returns the commit at a position, sealed, or projections.ErrNoCommit.
func (s *Store) At(ctx context.Context, p domain.Position) (domain.Commit, error) {
	if err := s.ready(ctx); err != nil {
		return domain.Commit{}, err
	}
	records, _ := s.snapshot()
	if p == 0 || p > domain.Position(len(records)) {
		return domain.Commit{}, fmt.Errorf("position %d: %w", p, projections.ErrNoCommit)
	}
	return s.decode(ctx, records, uint64(p), false)
}

func opens(c *domain.Commit) bool {
	for _, e := range c.Events {
		if _, ok := e.(thread.Opened); ok {
			return true
		}
	}
	return false
}

func tooLarge(detail string) error {
	return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "The command holds " + detail + "."}
}
