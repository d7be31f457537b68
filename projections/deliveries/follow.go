package deliveries

import (
	"context"
	"errors"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

const (
	chunk     = 500
	saveEvery = 200 * time.Millisecond // where there is nothing to deliver; so much is read again after a crash
)

// follow makes deliveries of what the log brings.
func (p *office) follow(ctx context.Context) error {
	var err error
	if p.cursor, err = p.where(ctx); err != nil {
		return err
	}
	at, saved := p.cursor, time.Time{}
	err = p.Log.Read(ctx, at.position, projections.ReadOptions{Max: chunk}, func(commits []domain.Commit) error {
		if err := p.live.room(ctx); err != nil {
			return err
		}
		all, asked := p.chosen(commits)
		to, last := at, commits[len(commits)-1]
		to.position, to.commit = last.Position, last.ID
		if len(all)+len(asked) == 0 && time.Since(saved) < saveEvery {
			at = to
			return nil
		}
		added, err := p.book.move(ctx, p.id, p.cursor, to, all, asked)
		if err != nil {
			return err
		}
		at, p.cursor, saved = to, to, time.Now()
		p.queued(p.live, added)
		if len(asked) > 0 {
			signal(p.asked)
		}
		return nil
	})
	if ctx.Err() != nil && at != p.cursor {
		ended, done := context.WithTimeout(context.WithoutCancel(ctx), p.o.Patience)
		defer done()
		_, merr := p.book.move(ended, p.id, p.cursor, at, nil, nil) // what was only looked at is not looked at again
		err = errors.Join(err, merr)
	}
	return err
}

// chosen is what of the commits is to be delivered, and what is to be delivered again.
func (p *office) chosen(commits []domain.Commit) (all []fresh, asked []request) {
	for i := range commits {
		c := &commits[i]
		all = append(all, p.of(c, "")...)
		if c.Aggregate != p.aggregate() {
			continue
		}
		for _, e := range c.Events {
			if r, ok := e.(setting.SubscriptionRedelivered); ok {
				if r.To == 0 {
					r.To = c.Position
				}
				asked = append(asked, request{id: c.ID, asked: c.Recorded, first: r.From, last: r.To, failedOnly: r.FailedOnly})
			}
		}
	}
	return all, asked
}

// of is what of a commit is for the subscription.
func (p *office) of(c *domain.Commit, run string) (all []fresh) {
	if c.Aggregate.Workspace != p.workspace || c.Origin == domain.OriginImport {
		return nil
	}
	s := p.subscription.Load()
	for i, e := range c.Events {
		kind := p.Codec.TypeOf(e)
		takes := s.Takes(c, kind)
		if e, addressed := e.(thread.WebhookRequested); addressed {
			takes = e.Subscription == s.ID
		}
		if !takes {
			continue
		}
		f := fresh{item: item{position: c.Position, index: i, run: run, commit: c.ID, made: p.o.Now()}, lane: string(c.Aggregate.Category) + "/" + c.Aggregate.ID, kind: kind}
		if f.subject = c.Conversation; f.subject == "" {
			f.subject = f.lane
		}
		all = append(all, f)
	}
	return all
}

// queued hands deliveries that are written down to those who try them.
func (p *office) queued(q *queue, all []fresh) {
	if len(all) == 0 {
		return
	}
	now := p.o.Now()
	q.with(func(l *lanes) {
		for _, f := range all {
			l.add(laneOf(f.lane, f.item), f.item, now)
		}
	})
}
