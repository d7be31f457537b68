package jetstream

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/domain"
)

// What is said on core NATS is heard by whoever listens at that moment, and kept nowhere.
const (
	subjectAnnounce = "turno-live.at."
	subjectTopic    = "turno-live.topic."
)

// Announce tells every process how far a projection has come. It does not wait, and may be lost.
func (s *Store) Announce(projection string, p domain.Position) {
	if err := s.nc.Publish(subjectAnnounce+projection, strconv.AppendUint(nil, uint64(p), 10)); err != nil {
		s.log.Debug("announcement lost: " + err.Error())
	}
}

// OnAnnounce calls fn, one at a time, for every announcement that arrives until cancel is called.
func (s *Store) OnAnnounce(fn func(projection string, p domain.Position)) (cancel func(), err error) {
	return s.hear(subjectAnnounce+"*", func(m *nats.Msg) {
		if p, err := strconv.ParseUint(string(m.Data), 10, 64); err == nil {
			fn(strings.TrimPrefix(m.Subject, subjectAnnounce), domain.Position(p))
		}
	})
}

// Publish says data to every process that is subscribed to the topic now. A topic is made of tokens of a–z, 0–9, '-' and '_'
// with dots between them. It does not wait, and may be lost.
func (s *Store) Publish(topic string, data []byte) error {
	if err := s.nc.Publish(subjectTopic+topic, data); err != nil {
		return fmt.Errorf("publish on %s: %w", topic, err)
	}
	return nil
}

// Subscribe calls fn, one at a time, for everything that is published on the topic until cancel is called.
func (s *Store) Subscribe(topic string, fn func(data []byte)) (cancel func(), err error) {
	return s.hear(subjectTopic+topic, func(m *nats.Msg) { fn(m.Data) })
}

// hear subscribes, and returns when the server knows of it: what is said from then on is heard.
func (s *Store) hear(subject string, fn nats.MsgHandler) (cancel func(), err error) {
	sub, err := s.nc.Subscribe(subject, fn)
	if err != nil {
		return nil, fmt.Errorf("listen to %s: %w", subject, err)
	}
	if err := s.nc.FlushTimeout(s.opts.Timeout); err != nil {
		return nil, fmt.Errorf("listen to %s: %w", subject, err)
	}
	return func() {
		if err := sub.Unsubscribe(); err != nil {
			s.log.Debug("stop listening: " + err.Error())
		}
	}, nil
}
