package jetstream

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
)

// What is said on core NATS is heard by whoever listens at that moment, and kept nowhere.
const (
	subjectAnnounce = "turno-live.at."
	subjectTopic    = "turno-live.topic."
)

// Air carries announcements and topics for a process, whatever its log is kept in. A Store is one on its own connection.
type Air struct {
	conn    *nats.Conn
	timeout time.Duration
	logger  *zap.Logger
}

// NewAir makes an Air on a connection, which it does not close. A nil logger is silent.
func NewAir(nc *nats.Conn, logger *zap.Logger) *Air {
	if logger == nil {
		logger = zap.NewNop()
	}
	return &Air{conn: nc, timeout: listenWithin, logger: logger}
}

// listenWithin is how long the server may take to know of a listener.
const listenWithin = 5 * time.Second

// Announce tells every process how far a projection has come. It does not wait, and may be lost.
func (a *Air) Announce(projection string, p domain.Position) {
	if err := a.conn.Publish(subjectAnnounce+projection, strconv.AppendUint(nil, uint64(p), 10)); err != nil {
		a.logger.Debug("announcement lost: " + err.Error())
	}
}

// OnAnnounce calls fn, one at a time, for every announcement that arrives until cancel is called.
func (a *Air) OnAnnounce(fn func(projection string, p domain.Position)) (cancel func(), err error) {
	return a.hear(subjectAnnounce+"*", func(m *nats.Msg) {
		if p, err := strconv.ParseUint(string(m.Data), 10, 64); err == nil {
			fn(strings.TrimPrefix(m.Subject, subjectAnnounce), domain.Position(p))
		}
	})
}

// Publish says data to every process that is subscribed to the topic now. A topic is made of tokens of a–z, 0–9, '-' and '_'
// with dots between them. It does not wait, and may be lost.
func (a *Air) Publish(topic string, data []byte) error {
	if err := a.conn.Publish(subjectTopic+topic, data); err != nil {
		return fmt.Errorf("publish on %s: %w", topic, err)
	}
	return nil
}

// Subscribe calls fn, one at a time, for everything that is published on the topic until cancel is called.
func (a *Air) Subscribe(topic string, fn func(data []byte)) (cancel func(), err error) {
	return a.hear(subjectTopic+topic, func(m *nats.Msg) { fn(m.Data) })
}

// hear subscribes, and returns when the server knows of it: what is said from then on is heard.
func (a *Air) hear(subject string, fn nats.MsgHandler) (cancel func(), err error) {
	sub, err := a.conn.Subscribe(subject, fn)
	if err != nil {
		return nil, fmt.Errorf("listen to %s: %w", subject, err)
	}
	if err := a.conn.FlushTimeout(a.timeout); err != nil {
		return nil, fmt.Errorf("listen to %s: %w", subject, err)
	}
	return func() {
		if err := sub.Unsubscribe(); err != nil {
			a.logger.Debug("stop listening: " + err.Error())
		}
	}, nil
}
