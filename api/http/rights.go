package http

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/queue"
)

// rights handles a commit that may have changed what the caller may do: a token that was revoked ends the stream; another
// role or other departments are told, with what was lost and won by them.
func (p *pusher) rights(ctx context.Context, g *glance, out *strings.Builder) error {
	if err := p.s.Settings.WaitFor(ctx, g.position); err != nil {
		return err
	}
	if err := p.renew(ctx); err != nil {
		return err
	}
	if g.operator == nil || g.operator.ID != p.c.viewer.Operator {
		return nil
	}
	was, is := p.then, viewerOf(*g.operator)
	if same(was, is) {
		return nil
	}
	p.then = is
	change, err := p.exchange(ctx, g.position, was, is)
	if err != nil {
		return err
	}
	return event(out, "rights", g.position, change)
}

// renew takes over the caller's present rights, and ends the stream when there are none.
func (p *pusher) renew(ctx context.Context) error {
	now, err := p.s.identify(ctx, p.c.Context)
	if err != nil {
		var problem *Problem
		if errors.As(err, &problem) && problem.Status < 500 {
			return errRights
		}
		return err
	}
	if !now.MayDo(access.ReadEvents) {
		return errRights
	}
	p.c.who, p.c.viewer = now, now.Viewer()
	return nil
}

// exchange is what other rights changed at position q. The view may be ahead of q by now: what moved since is told by its
// own push, and what was lost of it is found in the log.
func (p *pusher) exchange(ctx context.Context, q domain.Position, was, is access.Viewer) (*RightsChange, error) {
	c := &RightsChange{Position: q, Role: is.Role, Departments: is.Departments, Gone: []string{}, Rows: []queue.Row{}}
	if c.Departments == nil {
		c.Departments = []string{}
	}
	lost := map[string]bool{}
	upTo, err := p.open(ctx, was, func(r queue.Row) {
		if !access.MaySee(is, sight(r)) {
			lost[r.ID] = true
		}
	})
	if err != nil {
		return nil, err
	}
	if err := p.moved(ctx, q, upTo, was, is, lost); err != nil {
		return nil, err
	}
	_, err = p.open(ctx, p.c.viewer, func(r queue.Row) {
		if !access.MaySee(was, sight(r)) && access.MaySee(is, sight(r)) {
			c.Rows = append(c.Rows, r)
		}
	})
	for id := range lost {
		c.Gone = append(c.Gone, id)
	}
	slices.Sort(c.Gone)
	return c, err
}

// open calls fn with every open conversation that v may see, and returns the position of the view.
func (p *pusher) open(ctx context.Context, v access.Viewer, fn func(queue.Row)) (domain.Position, error) {
	f := queue.Filter{Archived: true, Limit: maxLimit}
	for {
		page, err := p.s.Queue.List(ctx, p.s.workspace, v, f)
		if err != nil {
			return 0, err
		}
		for _, r := range page.Items {
			fn(r)
		}
		if f.Cursor = page.Next; !page.HasMore {
			return page.Position, nil
		}
	}
}

// moved corrects lost by what has moved between q and upTo: lost is what stood at q as `was` could see and `is` can't.
func (p *pusher) moved(ctx context.Context, q, upTo domain.Position, was, is access.Viewer, lost map[string]bool) error {
	if upTo <= q {
		return nil
	}
	first := map[string]bool{}
	err := p.s.Log.Read(ctx, q, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			g := glanceAt(p.s.workspace, &chunk[i])
			if g.position > upTo {
				return errFound
			}
			if g.conversation == "" || first[g.conversation] {
				continue
			}
			first[g.conversation] = true
			if g.opened <= q && access.MaySee(was, g.before) && !access.MaySee(is, g.before) {
				lost[g.conversation] = true
			} else {
				delete(lost, g.conversation)
			}
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

// sight is what a row says of who may see it.
func sight(r queue.Row) *domain.Sight {
	return &domain.Sight{State: r.State, Department: r.Department, Owner: r.Operator, OwnerAtClose: r.OwnerAtClose,
		Mentioned: r.Mentioned, Archived: r.Archived, Hidden: r.Hidden}
}

// same reports whether two viewers have the same rights.
func same(a, b access.Viewer) bool {
	return a.Operator == b.Operator && a.Role == b.Role && slices.Equal(a.Departments, b.Departments) && slices.Equal(a.Scopes, b.Scopes)
}
