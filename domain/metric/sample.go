package metric

import "github.com/turno-desk/turno/domain"

// Kind is what a sample is a sample of.
type Kind uint8

// Ref names one event of the log: the position of its commit, and its index there in the lowest 7 bits. Refs are in the
// order of the events. 0 is no event.
type Ref int64

// NewRef names the i-th event of the commit at p.
func NewRef(p domain.Position, i int) Ref { return Ref(p)<<7 | Ref(i&0x7f) }

// Position is the commit's.
func (r Ref) Position() domain.Position { return domain.Position(r >> 7) }

// Index is the event's place in its commit.
func (r Ref) Index() int { return int(r & 0x7f) }

// Sample is one thing that happened and counts.
type Sample struct{}

type shape uint8
