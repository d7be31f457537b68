package jetstream

import (
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// laneCount is how many connections a hosting process publishes over. A connection within the process is a pipe that
// hands over one write at a time: four of them carry a seventh more commits of 64 callers than one.
const laneCount = 4

// lanes are connections that single publishes take turns on. The zero value has none.
type lanes struct {
	conns []*nats.Conn
	turn  atomic.Uint64
}

// open connects them to the server of this process.
func (l *lanes) open(h *Server) error {
	for range laneCount {
		c, err := h.Connect(nats.Name("turno appends"))
		if err != nil {
			return err
		}
		l.conns = append(l.conns, c)
	}
	return nil
}

// next is the connection whose turn it is, or the other one where there are none.
func (l *lanes) next(other *nats.Conn) *nats.Conn {
	if len(l.conns) == 0 {
		return other
	}
	return l.conns[l.turn.Add(1)%uint64(len(l.conns))]
}

func (l *lanes) close() {
	for _, c := range l.conns {
		c.Close()
	}
}
