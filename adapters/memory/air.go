package memory

import (
	"maps"
	"slices"
	"sync"

	"github.com/turno-desk/turno/domain"
)

// air carries what is said aloud and never written down: announcements and topics.
type air struct {
	mu        sync.Mutex
	next      int
	announced map[int]func(string, domain.Position)
	topics    map[string]map[int]func([]byte)
}

// Announce tells every listener, before it returns, how far a projection has come.
func (s *Store) Announce(projection string, p domain.Position) {
	s.air.mu.Lock()
	fns := slices.Collect(maps.Values(s.air.announced))
	s.air.mu.Unlock()
	for _, fn := range fns {
		fn(projection, p)
	}
}

// OnAnnounce calls fn for every announcement until cancel is called.
func (s *Store) OnAnnounce(fn func(projection string, p domain.Position)) (cancel func(), err error) {
	s.air.mu.Lock()
	defer s.air.mu.Unlock()
	if s.air.announced == nil {
		s.air.announced = map[int]func(string, domain.Position){}
	}
	n := s.air.next
	s.air.next++
	s.air.announced[n] = fn
	return func() {
		s.air.mu.Lock()
		defer s.air.mu.Unlock()
		delete(s.air.announced, n)
	}, nil
}

// Publish says data to whoever is subscribed to the topic now.
func (s *Store) Publish(topic string, data []byte) error {
	s.air.mu.Lock()
	fns := slices.Collect(maps.Values(s.air.topics[topic]))
	s.air.mu.Unlock()
	for _, fn := range fns {
		fn(slices.Clone(data))
	}
	return nil
}

// Subscribe calls fn for everything that is published to the topic until cancel is called.
func (s *Store) Subscribe(topic string, fn func(data []byte)) (cancel func(), err error) {
	s.air.mu.Lock()
	defer s.air.mu.Unlock()
	if s.air.topics == nil {
		s.air.topics = map[string]map[int]func([]byte){}
	}
	if s.air.topics[topic] == nil {
		s.air.topics[topic] = map[int]func([]byte){}
	}
	n := s.air.next
	s.air.next++
	s.air.topics[topic][n] = fn
	return func() {
		s.air.mu.Lock()
		defer s.air.mu.Unlock()
		delete(s.air.topics[topic], n)
	}, nil
}
