package jetstream_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// line is a proxy before a server, that can fail in the ways of a network.
type line struct {
	listener net.Listener
	target   string
	latency  time.Duration // set before the first connection

	loseAnswers, loseRequests, cut atomic.Bool

	done  chan struct{}
	mu    sync.Mutex
	conns map[net.Conn]bool
	busy  sync.WaitGroup
}

func newLine(t *testing.T, target string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, target: target, conns: map[net.Conn]bool{}, done: make(chan struct{})}
	l.busy.Go(l.accept)
	t.Cleanup(func() {
		close(l.done)
		listener.Close()
		l.hangUp()
		l.busy.Wait()
	})
	return l
}

func (l *line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		if l.cut.Load() {
			near.Close()
			continue
		}
		far, err := net.Dial("tcp", l.target)
		if err != nil {
			near.Close()
			continue
		}
		l.mu.Lock()
		l.conns[near], l.conns[far] = true, true
		l.mu.Unlock()
		l.busy.Go(func() { l.carry(far, near, &l.loseRequests) })
		l.busy.Go(func() { l.carry(near, far, &l.loseAnswers) })
	}
}

// carry moves bytes, or loses them, until either side hangs up.
func (l *line) carry(to, from net.Conn, lose *atomic.Bool) {
	type packet struct {
		due  time.Time
		data []byte
	}
	packets := make(chan packet, 4096)
	l.busy.Go(func() {
		defer to.Close()
		for p := range packets {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				break
			}
		}
		from.Close()
		for range packets {
		}
	})
	defer close(packets)
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		if n > 0 && !lose.Load() {
			packets <- packet{time.Now().Add(l.latency), buf[:n]}
		}
		if err != nil {
			return
		}
	}
}

func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Close()
	}
	clear(l.conns)
}

// fail sets what is lost, and mends it after d. What was lost on the way can't be mended: the connection ends.
func (l *line) fail(d time.Duration, lost ...*atomic.Bool) {
	for _, b := range lost {
		b.Store(true)
	}
	l.busy.Go(func() {
		select {
		case <-time.After(d):
		case <-l.done:
		}
		l.hangUp()
		for _, b := range lost {
			b.Store(false)
		}
	})
}

func (l *line) LoseAnswers(d time.Duration) { l.fail(d, &l.loseAnswers) }

func (l *line) LoseEverything(d time.Duration) { l.fail(d, &l.loseAnswers, &l.loseRequests) }

func (l *line) Cut() (mend func()) {
	l.cut.Store(true)
	l.hangUp()
	return func() { l.cut.Store(false) }
}
