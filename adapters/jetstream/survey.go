package jetstream

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
)

// Survey reads a log's messages from the first on, checks that each is a commit that belongs where it is, and learns what
// whoever puts the log elsewhere must know. Nothing is opened: it needs no key. About 50 bytes of memory for each subject
// and each key.
type Survey struct {
	bare  *Store
	id    string
	seed  maphash.Seed
	last  uint64
	tails map[uint64]uint64 // by hash of the subject: the sequence of its newest message
	keys  map[uint64]bool   // by hash of the id: whether the log says that it was destroyed
	gone  uint64            // how many were

	counted map[domain.Aggregate]bool // the numbers that are reserved in blocks
}

// NewSurvey begins one.
func NewSurvey(codec Codec) *Survey {
	return &Survey{
		bare: &Store{codec: codec}, seed: maphash.MakeSeed(), tails: map[uint64]uint64{}, keys: map[uint64]bool{}, counted: map[domain.Aggregate]bool{},
	}
}

// Add reads the messages behind those of the call before. An error says which message is not what it must be.
func (s *Survey) Add(ctx context.Context, first uint64, messages []Message) error {
	if first != s.last+1 {
		return fmt.Errorf("message %d comes behind %d", first, s.last)
	}
	for i := range messages {
		m := messages[i].read(first + uint64(i))
		c, err := s.bare.commit(ctx, m, false)
		if err != nil {
			return err
		}
		if err := s.note(m, &c); err != nil {
			return fmt.Errorf("the commit at %d: %w", m.seq, err)
		}
		s.last = m.seq
	}
	return nil
}

func (s *Survey) note(m *message, c *domain.Commit) error {
	if m.seq == 1 {
		created, ok := c.Events[0].(ledger.Created)
		if !ok || created.ID == "" || c.Aggregate != self {
			return errors.New("a log begins with its creation, this one does not")
		}
		s.id = created.ID
	}
	subject := maphash.String(s.seed, m.subject)
	prev, err := m.prev()
	if err != nil {
		return err
	}
	if was := s.tails[subject]; was != prev {
		return fmt.Errorf("it says that %d came before it on %s, and that was %d", prev, m.subject, was)
	}
	s.tails[subject] = m.seq
	if c.Aggregate.Category == domain.CategorySequence {
		s.counted[c.Aggregate] = true
	}
	if c.Key == "" {
		return nil
	}
	key := maphash.String(s.seed, c.Key)
	destroyed := s.keys[key]
	for _, e := range c.Events {
		switch e.(type) {
		case thread.Erased, contact.Erased, operator.Erased:
			if !destroyed {
				s.gone++
			}
			destroyed = true
		}
	}
	s.keys[key] = destroyed
	return nil
}

// ID is the identity of the log, from its first commit.
func (s *Survey) ID() string { return s.id }

// Last is the sequence of the newest message, and Position its position.
func (s *Survey) Last() uint64 { return s.last }

// Position is the position of the newest message.
func (s *Survey) Position() domain.Position { return s.bare.epochs.position(s.last) }

// Epoch is the epoch of the log: how often it was restored, at least.
func (s *Survey) Epoch() uint64 { return s.bare.epochs.newest() }

// Counted are the aggregates that hand out numbers in blocks.
func (s *Survey) Counted() []domain.Aggregate {
	var all []domain.Aggregate
	for a := range s.counted {
		all = append(all, a)
	}
	return all
}

// Keys is how many keys the log names, and how many of them it says were destroyed.
func (s *Survey) Keys() (named, destroyed uint64) { return uint64(len(s.keys)), s.gone }

// Key says whether the log names a key, and whether it says that it was destroyed.
func (s *Survey) Key(id string) (named, destroyed bool) {
	destroyed, named = s.keys[maphash.String(s.seed, id)]
	return named, destroyed
}
