package deliveries

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/lead"
)

// dispatch tries what is due, several lanes at once, until ctx ends; then it waits for the calls.
func (p *office) dispatch(ctx, calls context.Context, q *queue, failed func(error)) {
	var trying sync.WaitGroup
	defer trying.Wait()
	slots := make(chan struct{}, q.slots)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		at, first := p.due(ctx, q)
		if at == nil {
			return
		}
		trying.Go(func() {
			defer func() { <-slots }()
			if err := p.try(calls, q, at, first); err != nil {
				if errors.Is(err, lead.ErrDeposed) {
					failed(err)
				} else if ctx.Err() == nil {
					p.log.Warn("a delivery could not be tried, and will be", zap.Error(err))
				}
				q.with(func(l *lanes) { l.retry(at, p.o.Now().Add(p.o.Retry), false) })
			}
		})
	}
}

// due waits for a lane whose first delivery may be tried; nil when ctx ends.
func (p *office) due(ctx context.Context, q *queue) (at *lane, first item) {
	for {
		now := p.o.Now()
		q.mu.Lock()
		if at = q.lanes.due(now); at != nil {
			first = at.items[0]
		}
		next, waits := q.lanes.next()
		q.mu.Unlock()
		if at != nil {
			return at, first
		}
		wait := time.Hour
		if waits {
			wait = min(max(next.Sub(now), time.Millisecond), p.o.Look) // the clock may be set meanwhile
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, item{}
		case <-q.more:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// try makes an attempt at a lane's first delivery and writes down what came of it. After an error nothing is written down, and the
// lane is the caller's.
func (p *office) try(calls context.Context, q *queue, at *lane, i item) error {
	s, begun := *p.subscription.Load(), p.o.Now()
	call, err := p.call(calls, s, i, begun)
	if errors.Is(err, errLost) {
		return p.over(calls, q, at, i, outcome{state: Failed, attempts: i.attempts, tried: begun, err: "lost"})
	}
	if err != nil {
		return err
	}
	answer := p.Caller.Call(calls, call)
	if calls.Err() != nil && !answer.taken() {
		return calls.Err() // broken off: that says nothing of the receiver
	}
	o := outcome{state: Delivered, attempts: i.attempts + 1, tried: begun, took: p.o.Now().Sub(begun), status: answer.Status, err: answer.Error}
	if answer.taken() {
		return p.over(calls, q, at, i, o)
	}
	if answer.Status == http.StatusGone && answer.Error == "" {
		if err := p.Desk.Stop(calls, s.ID, s.URL); err != nil {
			return fmt.Errorf("disable a subscription whose receiver is gone: %w", err)
		}
		p.log.Warn("the receiver is gone: the subscription is disabled")
	}
	next, more := again(o.attempts, begun, answer.After, p.o.Random())
	if o.state, o.next = Pending, next; !more {
		o.state = Failed
		return p.over(calls, q, at, i, o)
	}
	if err := p.book.note(calls, p.id, i, o); err != nil {
		return err
	}
	p.o.Observe("retried", o.took)
	q.with(func(l *lanes) {
		l.retry(at, next, true)
		if answer.After > 0 && (answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusServiceUnavailable) {
			l.rest(begun.Add(min(answer.After, maxRest)))
		}
	})
	return nil
}

// over writes down that a delivery is over: its lane goes on.
func (p *office) over(ctx context.Context, q *queue, at *lane, i item, o outcome) error {
	if err := p.book.note(ctx, p.id, i, o); err != nil {
		return err
	}
	p.o.Observe(o.state, o.took)
	q.with(func(l *lanes) { l.done(at, p.o.Now()) })
	return nil
}

// errLost says that the log has not got the commit any more: it was restored from an older copy.
var errLost = errors.New("the commit is lost")

// call makes an attempt's call of what can be read of the event now.
func (p *office) call(ctx context.Context, s setting.Subscription, i item, now time.Time) (Call, error) {
	commit, err := p.Log.At(ctx, i.position)
	if errors.Is(err, projections.ErrNoCommit) || errors.Is(err, projections.ErrAhead) {
		return Call{}, errLost
	}
	if err != nil {
		return Call{}, fmt.Errorf("read the commit at %d: %w", i.position, err)
	}
	if commit.ID != i.commit || i.index >= len(commit.Events) {
		return Call{}, errLost
	}
	if s.Personal {
		if commit, err = p.Codec.Open(ctx, commit); err != nil {
			return Call{}, err
		}
	}
	events, err := p.Codec.Structured(&commit)
	if err != nil {
		return Call{}, err
	}
	keys, err := p.signing(ctx, s, now)
	return Call{URL: s.URL, ID: WebhookID(i.commit, i.index), At: now, Body: events[i.index], Keys: keys}, err
}

// WebhookID is the webhook-id of an event. What is signed has full stops between its parts, so there is none in it.
func WebhookID(commit string, index int) string { return commit + "-" + strconv.Itoa(index) }

// signing are the secrets that sign at an instant.
func (p *office) signing(ctx context.Context, s setting.Subscription, now time.Time) ([][]byte, error) {
	p.keys.Lock()
	defer p.keys.Unlock()
	var keys [][]byte
	for _, f := range s.Signing(now) {
		key := p.keys.by[f]
		if key == nil {
			var err error
			if key, err = p.Desk.Secret(ctx, s.ID, f); err != nil {
				return nil, err
			}
		}
		if key != nil {
			p.keys.by[f] = key
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the vault has none of the subscription's secrets: add one")
	}
	return keys, nil
}
