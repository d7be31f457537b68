package demo

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Report says what a run did.
type Report struct {
	Dialogues, Skipped, Open, Closed, Rated atomic.Int64
	In, Out                                 atomic.Int64
	Refused                                 atomic.Int64 // commands that were refused, a lost race say
}

func (r *Report) String() string {
	return fmt.Sprintf("dialogues %d, skipped (no message) %d; messages in %d, out %d; closed %d, open %d; rated %d; refused %d",
		r.Dialogues.Load(), r.Skipped.Load(), r.In.Load(), r.Out.Load(), r.Closed.Load(), r.Open.Load(), r.Rated.Load(), r.Refused.Load())
}

// Options say how fast a run goes.
type Options struct {
	Rate     float64       // commands a second; 0: as fast as the API answers
	Parallel int           // customers at once
	For      time.Duration // stop so long after the desk is set up; 0: when all is done, or ctx ends
	Progress func(string)  // told now and then; may be nil
}

func (o Options) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.For > 0 {
		return context.WithTimeout(ctx, o.For)
	}
	return context.WithCancel(ctx)
}

// Dialogues replays a file of STAR dialogues: each is a contact of its own, its wizard an operator, `complete` a close by
// the contact and the answer on "calm and helpful" the rating. Every command has a key made of the dialogue and the place in
// it, so a run that was cut off can be repeated.
func Dialogues(ctx context.Context, c *Client, path string, o Options, r *Report) error {
	desk := starDesk{client: c, wizards: map[string]string{}}
	if err := desk.setUp(ctx, path); err != nil {
		return err
	}
	limited, end := o.limited(ctx)
	defer end()
	limit := newLimit(o.Rate)
	group, ctx := errgroup.WithContext(limited)
	group.SetLimit(max(1, o.Parallel))
	err := ReadStar(path, func(d Dialogue) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		group.Go(func() error { return desk.replay(ctx, d, limit, r) })
		if n := r.Dialogues.Load(); o.Progress != nil && n > 0 && n%500 == 0 {
			o.Progress(r.String())
		}
		return nil
	})
	first := group.Wait()
	switch {
	case limited.Err() != nil:
		return limited.Err()
	case first != nil:
		return first
	}
	return err
}

func newLimit(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(perSecond), 1)
}

// paced waits for a turn. A turn that would come only after ctx has ended is the end already, and not the limiter's error.
func paced(limit *rate.Limiter) func(context.Context) error {
	return func(ctx context.Context) error {
		err := limit.Wait(ctx)
		if err != nil && ctx.Err() == nil {
			return context.DeadlineExceeded
		}
		return err
	}
}

type starDesk struct {
	client  *Client
	wizards map[string]string // operator id by worker id
}

// setUp creates the departments, a channel for each and an operator for every wizard.
func (s *starDesk) setUp(ctx context.Context, path string) error {
	put := func(path string, body map[string]any) error {
		if _, err := s.client.Do(ctx, http.MethodPut, path, "", "", body); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	for _, d := range StarDepartments {
		if err := put("/v1/departments/"+d, map[string]any{"name": d}); err != nil {
			return err
		}
		if err := put("/v1/channels/star-"+d, map[string]any{"type": "generic", "name": "STAR " + d, "department": d}); err != nil {
			return err
		}
	}
	return ReadStar(path, func(d Dialogue) error {
		if _, known := s.wizards[d.Wizard]; known {
			return nil
		}
		id := fmt.Sprintf("wizard-%03d", len(s.wizards)+1)
		s.wizards[d.Wizard] = id
		return put("/v1/operators/"+id, map[string]any{"name": "Wizard " + id[7:], "role": "operator", "departments": StarDepartments})
	})
}

// replay says one dialogue.
func (s *starDesk) replay(ctx context.Context, d Dialogue, limit *rate.Limiter, r *Report) error {
	r.Dialogues.Add(1)
	if in, out := d.Messages(); in+out == 0 {
		r.Skipped.Add(1)
		return nil
	}
	operator := "operator:" + s.wizards[d.Wizard]
	conversation := ""
	say := func(n int, path, actor string, body map[string]any) error {
		if err := paced(limit)(ctx); err != nil {
			return err
		}
		a, err := s.client.Do(ctx, http.MethodPost, path, actor, fmt.Sprintf("star-%d-%d", d.ID, n), body)
		if err != nil {
			return fmt.Errorf("dialogue %d, turn %d, %s: %w", d.ID, n, path, err)
		}
		if a.Conversation.ID != "" {
			conversation = a.Conversation.ID
		}
		return nil
	}
	for n, t := range d.Turns {
		var err error
		switch {
		case t.Task != "" && conversation == "":
			continue // chosen before anybody wrote: there is nothing to tag yet
		case t.Task != "":
			err = say(n, "/v1/conversations/"+conversation+"/tags", "", map[string]any{"add": []string{t.Task}})
		case t.Inbound:
			r.In.Add(1)
			err = say(n, "/v1/channels/star-"+d.Department+"/messages", "contact", map[string]any{
				"message_id": fmt.Sprintf("star-%d-%d", d.ID, n), "kind": "text", "text": t.Text,
				"from": map[string]any{"address": fmt.Sprintf("star-%d", d.ID), "name": fmt.Sprintf("Customer %d", d.ID), "external_id": d.Customer},
			})
		default:
			r.Out.Add(1)
			err = say(n, "/v1/conversations/"+conversation+"/messages", operator, map[string]any{"text": t.Text})
		}
		if err != nil {
			return err
		}
	}
	if !d.Complete {
		r.Open.Add(1)
		return nil
	}
	if err := say(len(d.Turns), "/v1/conversations/"+conversation+"/close", "contact", map[string]any{}); err != nil {
		return err
	}
	r.Closed.Add(1)
	if d.Satisfied == nil {
		return nil
	}
	r.Rated.Add(1)
	return say(len(d.Turns)+1, "/v1/conversations/"+conversation+"/rate", "contact", map[string]any{"satisfied": *d.Satisfied})
}
