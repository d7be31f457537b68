package http

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain/access"
)

// writeWithin is how long one write to a feed's client may take unless Options say otherwise. A client that does not read
// for so long is cut off; it comes back with the last position that it has.
const writeWithin = 10 * time.Second

// errSlow ends a feed whose client does not read.
var errSlow = errors.New("the client did not read in time")

// liveWriter writes to a client that stays. It is safe for concurrent use; the first write sends the status.
type liveWriter struct {
	c  *call
	rc *http.ResponseController

	mu     sync.Mutex
	failed error
	last   time.Time
}

func newLiveWriter(c *call, contentType string) *liveWriter {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w := &liveWriter{c: c, rc: http.NewResponseController(c.Response().Writer), last: time.Now()}
	_ = w.rc.SetReadDeadline(time.Time{}) // the body was read; where it can't be lifted the client comes back
	return w
}

// write sends text at once. After a failure every further write fails.
func (w *liveWriter) write(text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	if text == "" {
		return nil
	}
	if err := w.rc.SetWriteDeadline(time.Now().Add(w.c.s.patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return w.fail(err)
	}
	if !w.c.Response().Committed {
		w.c.Response().WriteHeader(http.StatusOK)
	}
	if _, err := w.c.Response().Write([]byte(text)); err != nil {
		return w.fail(err)
	}
	if err := w.rc.Flush(); err != nil {
		return w.fail(err)
	}
	w.last = time.Now()
	return nil
}

func (w *liveWriter) fail(err error) error {
	w.failed = errors.Join(errSlow, err)
	return w.failed
}

// keepAlive writes what text gives whenever nothing was written for a beat, from a goroutine that ends with ctx, and whose
// end stop waits for.
func (w *liveWriter) keepAlive(ctx context.Context, text func() string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(beat / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if w.idle() >= beat && w.write(text()) != nil {
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (w *liveWriter) idle() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.last)
}

// untilStopped is the request's context, ended too when the server stops: feeds are what a graceful stop does not wait for.
func (s *Server) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(s.life, func() { cancel(errStopping) })
	return ctx, func() { detach(); cancel(nil) }
}

// errStopping is why feeds end when the server does.
var errStopping = errors.New("the server is stopping")

// errRights ends a feed whose caller's rights ended or changed.
var errRights = errors.New("the rights of the caller changed")

// allowed checks that the caller's token is still good, and that it may see the same as when the feed began.
func (s *Server) allowed(ctx context.Context, c *call) error {
	now, err := s.identify(ctx, c.Context)
	if err != nil {
		var p *Problem
		if errors.As(err, &p) && p.Status < http.StatusInternalServerError {
			return errRights
		}
		return err
	}
	if !now.MayDo(access.ReadEvents) || !same(now.Viewer(), c.viewer) {
		return errRights
	}
	return nil
}

// ended turns the end of a feed into the end of its answer. Once something was sent only the end itself can be seen.
func (s *Server) ended(c *call, err error) error {
	switch {
	case err == nil, errors.Is(err, errFound), errors.Is(err, errStopping), errors.Is(err, errRights), errors.Is(err, context.Canceled):
		if !c.Response().Committed {
			c.Response().WriteHeader(http.StatusOK)
		}
		return nil
	case errors.Is(err, errSlow):
		s.log.Debug("a feed's client was cut off", zap.String("route", c.Path()), zap.Error(err))
		return nil
	case c.Response().Committed:
		if _, logged := problem(err); logged {
			s.log.Error("a feed broke off", zap.String("route", c.Path()), zap.Error(err))
		}
		return nil
	}
	return err
}
