package esdbtest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Line lies before a server and fails in the ways of a network. Each failure ends the connections when it is over: what was
// lost on the way can't be mended.
type Line struct {
	listener net.Listener
	target   string

	loseAnswers, loseRequests, cut atomic.Bool

	done  chan struct{}
	mu    sync.Mutex
	conns map[net.Conn]bool
	busy  sync.WaitGroup
}

// NewLine puts a line before an address, until the test is over.
func NewLine(t testing.TB, target string) *Line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{listener: listener, target: target, conns: map[net.Conn]bool{}, done: make(chan struct{})}
	l.busy.Go(l.accept)
	t.Cleanup(func() {
		close(l.done)
		listener.Close()
		l.hangUp()
		l.busy.Wait()
	})
	return l
}

// Address is where the line begins.
func (l *Line) Address() string { return l.listener.Addr().String() }

func (l *Line) accept() {
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
		l.busy.Go(func() { carry(far, near, &l.loseRequests) })
		l.busy.Go(func() { carry(near, far, &l.loseAnswers) })
	}
}

// carry moves bytes, or loses them, until either side hangs up.
func carry(to, from net.Conn, lose *atomic.Bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !lose.Load() {
			if _, err := io.Writer(to).Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *Line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Close()
	}
	clear(l.conns)
}

func (l *Line) fail(d time.Duration, lost ...*atomic.Bool) {
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

// LoseAnswers lets arrive what is sent, and nothing come back.
func (l *Line) LoseAnswers(d time.Duration) { l.fail(d, &l.loseAnswers) }

// LoseEverything lets nothing arrive.
func (l *Line) LoseEverything(d time.Duration) { l.fail(d, &l.loseAnswers, &l.loseRequests) }

// Cut lets nobody connect until it is mended.
func (l *Line) Cut() (mend func()) {
	l.cut.Store(true)
	l.hangUp()
	return func() { l.cut.Store(false) }
}
