package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/queue"
)

// Change is what one commit changed for one viewer: a push of the stream.
type Change struct {
	Position     domain.Position `json:"position"`
	Conversation string          `json:"conversation"`
	Change       string          `json:"change"`           // changed, gone
	Notice       string          `json:"notice,omitempty"` // offered, alerted, assigned, message: the viewer is meant, and should notice
	Row          *queue.Row      `json:"row,omitempty"`    // of a conversation that the viewer could not see before
}

// RightsChange is what a change of the viewer's own role or departments changed: conversations that are open and were
// lost, and those that were won. Of closed ones it says nothing: a client that shows such asks again.
type RightsChange struct {
	Position    domain.Position `json:"position"`
	Role        operator.Role   `json:"role"`
	Departments []string        `json:"departments"`
	Gone        []string        `json:"gone"`
	Rows        []queue.Row     `json:"rows"`
}

// Kinds of a Change.
const (
	changed = "changed"
	gone    = "gone"
)

// stream pushes what changes for the caller, one server-sent event per commit, its id the position: from Last-Event-ID
// (or `after`) on, or from now. An event is sent when the view `queue` has passed its position, and says what the caller
// may see now, also of what was missed: no gap, no duplicate, in order.
func (s *Server) stream(c *call) error {
	ctx, cancel := s.untilStopped(c.ctx())
	defer cancel()
	after, err := s.resumeFrom(ctx, c)
	if err != nil {
		return err
	}
	p := &pusher{s: s, c: c, w: newLiveWriter(c, "text/event-stream"), at: after, then: c.viewer}
	if p.then, err = s.rightsAt(ctx, c.viewer, after); err != nil {
		return err
	}
	s.meter.Streaming(1)
	defer s.meter.Streaming(-1)
	defer s.attend(ctx, c)()
	if err := p.greet(); err != nil {
		return s.ended(c, err)
	}
	stop := p.w.keepAlive(ctx, p.heartbeat)
	err = p.run(ctx)
	stop()
	if errors.Is(context.Cause(ctx), errStopping) {
		err = errStopping
	}
	p.goodbye(err)
	return s.ended(c, err)
}

// attend says, now and every 20 s until the stream ends, that the operator's console is there: whoever listens is connected.
// An administrator or a service who listens as an operator is not that operator. leave waits for the end of it.
func (s *Server) attend(ctx context.Context, c *call) (leave func()) {
	id := c.viewer.Operator
	if id == "" || !c.can(access.BePresent) || c.who.Actor.Via != "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	r := command.Request{Workspace: s.workspace, Principal: c.who.Principal, Actor: c.who.Actor}
	say := func() {
		if _, err := s.Commands.Heartbeat(ctx, r, id); err != nil && ctx.Err() == nil {
			s.log.Debug("a listening operator could not be connected", zap.String("operator", id), zap.Error(err))
		}
	}
	say()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(s.beats)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				say()
			}
		}
	}()
	return func() { cancel(); <-done }
}

// resumeFrom is the position that the client has seen.
func (s *Server) resumeFrom(ctx context.Context, c *call) (domain.Position, error) {
	if err := c.single(); err != nil {
		return 0, err
	}
	head, err := s.Log.Head(ctx)
	if err != nil {
		return 0, err
	}
	field, given := "Last-Event-ID", c.Request().Header.Get("Last-Event-ID")
	if given == "" {
		field, given = "after", c.QueryParam("after")
	}
	if given == "" {
		return head, nil
	}
	p, err := parsePosition(field, given)
	if err == nil && p > head {
		err = projections.ErrAhead
	}
	if err == nil {
		err = s.lost(ctx, p, head)
	}
	return p, err
}

// rightsAt is what the viewer was at a position: an operator's role and departments as they were, nobody before the
// operator was there. Who is no operator has always been the same.
func (s *Server) rightsAt(ctx context.Context, v access.Viewer, p domain.Position) (access.Viewer, error) {
	if v.Operator == "" {
		return v, nil
	}
	a := domain.Aggregate{Workspace: s.workspace, Category: domain.CategoryOperator, ID: v.Operator}
	then := access.Viewer{Operator: v.Operator}
	_, _, err := s.Aggregates.Load(ctx, a, 0, func(c *domain.Commit) bool {
		if c.Position > p {
			return false
		}
		if d := definition(c); d != nil {
			then = viewerOf(*d)
		}
		return true
	})
	if err != nil {
		return then, fmt.Errorf("the operator's rights at %d: %w", p, err)
	}
	return then, nil
}

// viewerOf is an operator as one who looks. A deactivated one sees nothing.
func viewerOf(d operator.Definition) access.Viewer {
	if !d.Active {
		return access.Viewer{Operator: d.ID}
	}
	return access.Viewer{Operator: d.ID, Role: d.Role, Departments: d.Departments}
}

// pusher writes one stream.
type pusher struct {
	s    *Server
	c    *call
	w    *liveWriter
	then access.Viewer // the viewer's rights as of `at`
	at   domain.Position
}

// run pushes until ctx ends, the client stops reading or the caller's rights end.
func (p *pusher) run(ctx context.Context) error {
	for {
		glances, floor, moved := p.s.follower.since(p.at)
		switch {
		case floor > 0:
			if err := p.catchUp(ctx, floor); err != nil {
				return err
			}
		case len(glances) > 0:
			if err := p.push(ctx, glances); err != nil {
				return err
			}
		default:
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-moved:
			}
		}
	}
}

// catchUp reads the log itself, up to where the ring begins.
func (p *pusher) catchUp(ctx context.Context, floor domain.Position) error {
	err := p.s.Log.Read(ctx, p.at, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		glances := make([]glance, 0, len(chunk))
		for i := range chunk {
			if chunk[i].Position <= floor {
				glances = append(glances, glanceAt(p.s.workspace, &chunk[i]))
			}
		}
		if len(glances) > 0 {
			if err := p.s.follower.await(ctx, glances[len(glances)-1].position); err != nil {
				return err
			}
			if err := p.push(ctx, glances); err != nil {
				return err
			}
		}
		if p.at >= floor {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

// push writes what the glances changed for the viewer, in order.
func (p *pusher) push(ctx context.Context, glances []glance) error {
	rows, err := p.rows(ctx, glances)
	if err != nil {
		return err
	}
	var out strings.Builder
	for i := range glances {
		g := &glances[i]
		if g.rights {
			if err := p.rights(ctx, g, &out); err != nil {
				return err
			}
			if rows, err = p.rows(ctx, glances[i:]); err != nil {
				return err
			}
		}
		if change := p.change(g, rows); change != nil {
			if err := event(&out, "conversation", g.position, change); err != nil {
				return err
			}
		}
	}
	if err := p.w.write(out.String()); err != nil {
		return err
	}
	p.seen(glances[len(glances)-1].position)
	return nil
}

// rows are the conversations of the glances that the viewer may see now, as they are now.
func (p *pusher) rows(ctx context.Context, glances []glance) (map[string]queue.Row, error) {
	asked := map[string]bool{}
	var ids []string
	for i := range glances {
		if g := &glances[i]; g.conversation != "" && !asked[g.conversation] && (access.MaySee(p.c.viewer, g.after) || access.MaySee(p.then, g.after)) {
			asked[g.conversation] = true
			ids = append(ids, g.conversation)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, _, err := p.s.Queue.RowsAt(ctx, p.s.workspace, p.c.viewer, ids, 0)
	return rows, err
}

// change is what a commit changed for the viewer; nil when nothing that the viewer could see, before or after.
func (p *pusher) change(g *glance, rows map[string]queue.Row) *Change {
	if g.conversation == "" {
		return nil
	}
	before, after := access.MaySee(p.then, g.before), access.MaySee(p.then, g.after)
	if !before && !after {
		return nil
	}
	row, now := rows[g.conversation]
	change := &Change{Position: g.position, Conversation: g.conversation, Change: gone}
	if after && now {
		change.Change, change.Notice = changed, p.notice(g, &row)
		if !before {
			change.Row = &row
		}
	}
	return change
}

// notice is what the viewer should notice of a commit, or "".
func (p *pusher) notice(g *glance, row *queue.Row) string {
	v := p.c.viewer
	if v.Operator == "" {
		return ""
	}
	if slices.Contains(g.offered, v.Operator) {
		return "offered"
	}
	for _, a := range g.alerts {
		if a.Operator == v.Operator || a.Role != "" && a.Role == string(v.Role) && v.Member(g.after.Department) {
			return "alerted"
		}
	}
	switch {
	case g.given == v.Operator:
		return "assigned"
	case (g.inbound || g.listed && g.before != nil && g.by != v.Operator) && p.answers(g, row):
		return "message"
	}
	return ""
}

// answers reports whether the viewer is one of those who should answer what the contact wrote, or what has come to wait for
// them: its owner or, while it waits, those to whom it is offered, or everybody of a department that does not distribute what
// waits. Where the department offers, they are told only of what the contact writes later while it is offered to nobody: then
// everybody may take it.
func (p *pusher) answers(g *glance, row *queue.Row) bool {
	v := p.c.viewer
	switch {
	case !p.c.can(access.Converse) || g.after.State == thread.StateBot || g.after.State == thread.StateClosed:
		return false
	case g.after.Owner != "":
		return g.after.Owner == v.Operator
	case row.Offered != nil:
		return row.Offered.To(v.Operator)
	}
	image, err := p.s.Settings.Snapshot(p.c.ctx())
	if err != nil {
		return false // the row has changed all the same
	}
	rules := image.Departments[g.after.Department].Settings
	return v.Member(g.after.Department) && !rules.Automatic() && (rules.OfferTo == 0 || !g.listed && g.before != nil)
}

// event writes one server-sent event.
func event(out *strings.Builder, name string, p domain.Position, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write a push: %w", err)
	}
	fmt.Fprintf(out, "id: %d\nevent: %s\ndata: %s\n\n", p, name, body)
	return nil
}

// greet sends the answer's head, so that the client knows that it is connected, and from where.
func (p *pusher) greet() error { return p.w.write(p.heartbeat()) }

// heartbeat is a comment and the position: a client that comes back has nothing to catch up that was not for it.
func (p *pusher) heartbeat() string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return fmt.Sprintf(": %s\nid: %d\n\n", "still here", p.at)
}

// seen moves the position.
func (p *pusher) seen(at domain.Position) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.at = at
}

// goodbye says why the stream ends, where the client still listens.
func (p *pusher) goodbye(err error) {
	reason := ""
	switch {
	case errors.Is(err, errStopping):
		reason = "stopping"
	case errors.Is(err, errRights):
		reason = "unauthorized"
	case errors.Is(err, errSlow), errors.Is(err, context.Canceled):
		return
	default:
		reason = "failed"
	}
	_ = p.w.write(fmt.Sprintf("event: end\ndata: {\"reason\":%q}\n\n", reason)) // best effort: the client comes back anyway
}
