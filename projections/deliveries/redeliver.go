package deliveries

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// redeliver makes the deliveries of redeliveries that were asked for, one redelivery after the other.
func (p *office) redeliver(ctx context.Context) error {
	for {
		r, found, err := p.book.asked(ctx, p.id)
		switch {
		case err != nil:
			return err
		case found && r.failedOnly:
			err = p.failedAgain(ctx, r)
		case found:
			err = p.allAgain(ctx, r)
		default:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-p.asked:
			}
		}
		if err != nil {
			return err
		}
	}
}

// allAgain makes deliveries of everything between two positions.
func (p *office) allAgain(ctx context.Context, r request) error {
	head, err := p.Log.Head(ctx)
	if err != nil {
		return err
	}
	after := max(r.position, r.first-1)
	if after, err = projections.Onto(ctx, p.Log, after, head); err != nil {
		return err
	}
	if after >= min(r.last, head) {
		_, err := p.book.advance(ctx, p.id, r, max(r.position, after), true, nil)
		return err
	}
	over := errors.New("over")
	err = p.Log.Read(ctx, after, projections.ReadOptions{Max: chunk, ToHead: true}, func(commits []domain.Commit) error {
		if err := p.again.room(ctx); err != nil {
			return err
		}
		var all []fresh
		done := false
		to := r.position
		for i := range commits {
			if done = commits[i].Position > r.last; done {
				break
			}
			all = append(all, p.of(&commits[i], r.id)...)
			to = commits[i].Position
			done = to == r.last
		}
		added, err := p.book.advance(ctx, p.id, r, to, done, all)
		if err != nil {
			return err
		}
		r.position = to
		p.queued(p.again, added)
		if done {
			return over
		}
		return nil
	})
	switch {
	case errors.Is(err, over):
		return nil
	case err != nil:
		return err
	}
	_, err = p.book.advance(ctx, p.id, r, r.position, true, nil) // the log ends before
	return err
}

// failedAgain makes deliveries of those between two positions that have failed, as far as they are still listed.
func (p *office) failedAgain(ctx context.Context, r request) error {
	for {
		if err := p.again.room(ctx); err != nil {
			return err
		}
		all, err := p.book.failed(ctx, p.id, max(r.position, r.first-1), r.last, chunk)
		if err != nil {
			return err
		}
		to, now := r.position, p.o.Now()
		for i := range all {
			all[i].run, all[i].made, to = r.id, now, all[i].position
		}
		added, err := p.book.advance(ctx, p.id, r, to, len(all) == 0, all)
		if err != nil || len(all) == 0 {
			return err
		}
		r.position = to
		p.queued(p.again, added)
	}
}
