package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

const (
	// window is how many events the server looks at for one answer of a subscription.
	window = 512

	// again is how long a feed that broke off waits before the next try.
	again = 100 * time.Millisecond
)

// errDropped says that a subscription ended for a reason that is worth another try.
var errDropped = errors.New("the subscription was dropped")

// feed hands every commit's event after a position to take, in order, until take returns false (then it returns nil), ctx
// ends, or the log itself is at fault. It outlives dropped subscriptions, and finds out afterwards whether the log still
// holds what it has seen. Where `after` is no commit's position it begins before it, and hands over what comes behind.
func (s *Store) feed(ctx context.Context, after domain.Position, take func(e *esdb.RecordedEvent) bool) error {
	for seen := domain.Position(0); ; {
		from, err := s.anchor(ctx, after, seen)
		if err == nil {
			err = s.subscribe(ctx, from, func(e *esdb.RecordedEvent) bool {
				p := domain.Position(e.Position.Commit)
				if !s.ours(e) || p <= max(after, seen) {
					return true
				}
				seen = p
				return take(e)
			})
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, errDropped) && !unreachable(err) && !errors.Is(err, command.ErrUnavailable):
			return err
		}
		s.log.Debug("reading broke off: " + err.Error())
		pause(ctx, again)
	}
}

// anchor is where a subscription begins so that it misses nothing after `after`. What was seen must still be there.
func (s *Store) anchor(ctx context.Context, after, seen domain.Position) (esdb.AllPosition, error) {
	p := max(after, seen)
	if p == 0 {
		return esdb.Start{}, nil
	}
	e, doubt, err := s.exactly(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case e != nil:
		return exact(p), nil
	case seen > 0 && doubt == nil:
		return nil, fmt.Errorf("the commit at %d, which was read before, is gone: %w", seen, projections.ErrAhead)
	case seen > 0:
		return nil, fmt.Errorf("%w: %w", errDropped, doubt)
	}
	if p = s.marks.upTo(p); p == 0 {
		return esdb.Start{}, nil
	}
	return exact(p), nil
}

func exact(p domain.Position) esdb.Position {
	return esdb.Position{Commit: uint64(p), Prepare: uint64(p)}
}

// exactly returns the commit's event at a position, nil when there is none. doubt is why the server would not say: it reads
// only where a record begins.
func (s *Store) exactly(ctx context.Context, p domain.Position) (e *esdb.RecordedEvent, doubt, err error) {
	if p == 0 || p > maxPosition {
		return nil, nil, nil
	}
	e, err = persist(ctx, s, func(ctx context.Context, c *esdb.Client) (found *esdb.RecordedEvent, err error) {
		o := esdb.ReadAllOptions{Direction: esdb.Forwards, From: exact(p)}
		err = all(ctx, c, o, 1, func(e *esdb.RecordedEvent) bool {
			if e.Position.Commit == uint64(p) && s.ours(e) {
				found = e
			}
			return false
		})
		return found, err
	})
	switch {
	case err == nil:
		return e, nil, nil
	case ctx.Err() != nil, unreachable(err), errors.Is(err, command.ErrUnavailable), refused(err):
		return nil, nil, err
	}
	return nil, err, nil
}

// subscribe hands over every event of the log's streams behind from. It returns nil when take returned false, errDropped
// when the subscription ended otherwise.
func (s *Store) subscribe(ctx context.Context, from esdb.AllPosition, take func(e *esdb.RecordedEvent) bool) error {
	sub, err := s.line.subscribe(ctx, s.opts.AckWait, esdb.SubscribeToAllOptions{
		From:               from,
		MaxSearchWindow:    window,
		CheckpointInterval: 1,
		Filter:             &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{s.opts.Within + prefix}},
	})
	if err != nil {
		return err
	}
	defer sub.close()
	for {
		event := sub.subscription.Recv()
		switch {
		case event.SubscriptionDropped != nil:
			if err := event.SubscriptionDropped.Error; lost(err) && ctx.Err() == nil {
				s.line.retire(sub.session, err)
			}
			return fmt.Errorf("%w: %w", errDropped, event.SubscriptionDropped.Error)
		case event.EventAppeared != nil && event.EventAppeared.Event != nil:
			if !take(event.EventAppeared.Event) {
				return nil
			}
		}
		// What is left are checkpoints and signs of being live: a checkpoint is a place where no commit is.
	}
}

// subscribed is a subscription that holds its session.
type subscribed struct {
	line         *line
	session      *session
	subscription *esdb.Subscription
	cancel       context.CancelFunc
	done         chan struct{}
}

// subscribe begins a subscription, which ends with ctx and with its session, and must be closed.
func (l *line) subscribe(ctx context.Context, within time.Duration, o esdb.SubscribeToAllOptions) (*subscribed, error) {
	bounded, stop := context.WithTimeout(ctx, within)
	defer stop()
	s, err := l.acquire(bounded)
	if err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(ctx)
	sub := &subscribed{line: l, session: s, cancel: cancel, done: make(chan struct{})}
	go func() {
		select {
		case <-s.retired:
		case <-l.alive.Done():
		case <-sub.done:
		}
		cancel()
	}()
	type outcome struct {
		subscription *esdb.Subscription
		err          error
	}
	made, left := make(chan outcome), make(chan struct{})
	go func() {
		var got outcome
		got.subscription, got.err = guarded(func() (*esdb.Subscription, error) { return s.client.SubscribeToAll(leader(inner), o) })
		select {
		case made <- got:
		case <-left:
			close(sub.done)
			l.release(s)
		}
	}()
	select {
	case got := <-made:
		if got.err != nil {
			if lost(got.err) && ctx.Err() == nil {
				l.retire(s, got.err)
			}
			sub.close()
			return nil, got.err
		}
		sub.subscription = got.subscription
		return sub, nil
	case <-bounded.Done():
		cancel()
		close(left)
		return nil, fmt.Errorf("%w: %w", errDropped, bounded.Err())
	}
}

func (s *subscribed) close() {
	s.cancel()
	if s.subscription != nil {
		_ = s.subscription.Close() // always nil
	}
	close(s.done)
	s.line.release(s.session)
}
