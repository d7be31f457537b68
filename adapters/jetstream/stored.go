package jetstream

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/domain"
)

// Message is one message of the log as it is stored: sealed, with Turno's own headers and none of the server's.
type Message struct {
	Subject string
	Header  map[string]string
	Data    []byte
}

// ownHeaders is how the names of the headers begin that are kept when a message is copied.
const ownHeaders = "Turno-"

func stored(m *message) Message {
	c := Message{Subject: m.subject, Header: make(map[string]string, len(m.header)), Data: m.data}
	for name, values := range m.header {
		if strings.HasPrefix(name, ownHeaders) && len(values) > 0 {
			c.Header[name] = values[0]
		}
	}
	return c
}

func (m *Message) read(seq uint64) *message {
	h := make(nats.Header, len(m.Header))
	for name, value := range m.Header {
		h[name] = []string{value}
	}
	return &message{seq: seq, subject: m.Subject, header: h, data: m.Data}
}

// Messages delivers what is stored behind a sequence, in order and without a gap, up to the head that the log has when it is
// called, and returns that head. fn gets the sequence of the first message of each chunk; its error ends the reading.
func (s *Store) Messages(ctx context.Context, after uint64, fn func(first uint64, messages []Message) error) (head uint64, err error) {
	const doing = "read the log's messages"
	if head, err = s.head(ctx); err != nil {
		return 0, wrap(ctx, doing, err)
	}
	return head, wrap(ctx, doing, s.messages(ctx, after, head, fn))
}

// messages delivers what lies behind a sequence, up to another one.
func (s *Store) messages(ctx context.Context, after, head uint64, fn func(first uint64, messages []Message) error) error {
	for from := after + 1; from <= head; {
		var failed error
		f := &feed{from: from, max: 2 * chunk, deliver: func(chunk []*message, _ uint64) bool {
			first := chunk[0].seq
			chunk = chunk[:min(uint64(len(chunk)), head-first+1)]
			all := make([]Message, len(chunk))
			for i, m := range chunk {
				all[i] = stored(m)
			}
			failed = fn(first, all)
			return failed == nil && first+uint64(len(chunk)) <= head
		}}
		err := f.run(ctx, s)
		if failed != nil {
			return failed
		}
		if errors.Is(err, errBroken) {
			s.pause(ctx, again)
			if from = f.next; s.id != "" {
				err = s.resume(ctx, from-1)
			} else {
				err = ctx.Err()
			}
		}
		if err != nil || f.next > head {
			return err
		}
		from = f.next
	}
	return ctx.Err()
}

// PositionOf is the position of a message at a sequence of the log.
func (s *Store) PositionOf(seq uint64) domain.Position { return s.epochs.position(seq) }

// Epoch is the epoch that positions are handed out in: how often the log was restored from an older copy, at least.
func (s *Store) Epoch() uint64 { return s.epochs.newest() }
