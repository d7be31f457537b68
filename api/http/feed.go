package http

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// Limits of one page of the feed. A page ends between two commits, so it may hold more events than were asked for by what
// one commit has; a filter that finds little ends its page after maxScan commits, with has_more.
const (
	defaultEvents = 200
	maxEvents     = 1000
	maxScan       = 20_000
)

// feed reads the log as single structured CloudEvents: a page, or with stream=true one a line for as long as the client stays.
func (s *Server) feed(c *call) error {
	f, err := s.feedRequest(c)
	if err != nil {
		return err
	}
	if f.stream {
		return s.feedLines(c, f)
	}
	return s.feedPage(c, f)
}

// feedRequest is what a client asked of the feed.
type feedRequest struct {
	after, to domain.Position // to 0: no end
	types     []string
	limit     int
	open      bool
	stream    bool
	all       bool // the caller sees everything
}

func (s *Server) feedRequest(c *call) (f feedRequest, err error) {
	if err := c.single(); err != nil {
		return f, err
	}
	f.types, f.limit = c.list("types"), defaultEvents
	if v := c.QueryParam("limit"); v != "" {
		if f.limit, err = strconv.Atoi(v); err != nil || f.limit < 1 || f.limit > maxEvents {
			return f, invalid("limit", "limit is 1 to 1000.")
		}
	}
	for name, p := range map[string]*domain.Position{"after": &f.after, "to": &f.to} {
		if v := c.QueryParam(name); v != "" {
			if *p, err = parsePosition(name, v); err != nil {
				return f, err
			}
		}
	}
	for name, p := range map[string]*bool{"open": &f.open, "stream": &f.stream} {
		b, err := c.flag(name)
		if err != nil {
			return f, err
		}
		*p = b != nil && *b
	}
	if f.open && !c.can(access.OpenPersonal) {
		return f, forbidden("Opening personal fields takes the scope personal.")
	}
	f.all = c.can(access.ReadAllEvents)
	head, err := s.Log.Head(c.ctx())
	if err == nil && f.after > head {
		err = projections.ErrAhead
	}
	if err == nil {
		err = s.lost(c.ctx(), f.after, head)
	}
	return f, err
}

// feedPage answers one page.
func (s *Server) feedPage(c *call, f feedRequest) error {
	answer := page[json.RawMessage]{Items: []json.RawMessage{}, Position: f.after}
	scanned := 0
	err := s.Log.Read(c.ctx(), f.after, projections.ReadOptions{Open: f.open, Max: min(500, f.limit), ToHead: true}, func(chunk []domain.Commit) error {
		visible, err := s.visible(c.ctx(), c.viewer, f.all, chunk)
		if err != nil {
			return err
		}
		for i := range chunk {
			if answer.HasMore = len(answer.Items) >= f.limit || scanned >= maxScan; answer.HasMore || f.past(chunk[i].Position) {
				return errFound
			}
			scanned++
			if visible(&chunk[i]) {
				events, err := s.chosen(&chunk[i], f.types)
				if err != nil {
					return err
				}
				answer.Items = append(answer.Items, events...)
			}
			answer.Position = chunk[i].Position
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFound) {
		return err
	}
	answer.Next = strconv.FormatUint(uint64(answer.Position), 10)
	return c.ok(answer.Position, answer)
}

func (f feedRequest) past(p domain.Position) bool { return f.to > 0 && p > f.to }

// feedLines writes one event a line, from `after` on up to `to`, or until the client or the server ends it. An empty line
// every 15 s says that nothing happened. What was written is a whole number of commits whenever it ends by itself.
func (s *Server) feedLines(c *call, f feedRequest) error {
	ctx, cancel := s.untilStopped(c.ctx())
	defer cancel()
	w := newLiveWriter(c, "application/x-ndjson")
	stop := w.keepAlive(ctx, func() string { return "\n" })
	defer stop()
	err := s.Log.Read(ctx, f.after, projections.ReadOptions{Open: f.open}, func(chunk []domain.Commit) error {
		if err := s.allowed(ctx, c); err != nil {
			return err
		}
		visible, err := s.visible(ctx, c.viewer, f.all, chunk)
		if err != nil {
			return err
		}
		var lines strings.Builder
		for i := range chunk {
			if f.past(chunk[i].Position) {
				return errors.Join(w.write(lines.String()), errFound)
			}
			if visible(&chunk[i]) {
				events, err := s.chosen(&chunk[i], f.types)
				if err != nil {
					return err
				}
				for _, e := range events {
					lines.Write(e)
					lines.WriteByte('\n')
				}
			}
		}
		if f.to > 0 && chunk[len(chunk)-1].Position >= f.to {
			return errors.Join(w.write(lines.String()), errFound)
		}
		return w.write(lines.String())
	})
	return s.ended(c, err)
}

// chosen gives the commit's events of the types asked for; all of them when none are.
func (s *Server) chosen(commit *domain.Commit, types []string) ([]json.RawMessage, error) {
	events, err := s.Structured.Structured(commit)
	if err != nil || len(types) == 0 {
		return events, err
	}
	var chosen []json.RawMessage
	for _, e := range events {
		var head struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(e, &head); err != nil {
			return nil, err
		}
		if setting.Listens(head.Type, types) {
			chosen = append(chosen, e)
		}
	}
	return chosen, nil
}

// visible says which commits of the chunk the viewer may see: all of the workspace, or those of conversations that are
// visible to them now, and of settings and contacts. It waits for the view that knows who may see what now, so that it is
// never older than the events that are shown by it.
func (s *Server) visible(ctx context.Context, v access.Viewer, all bool, chunk []domain.Commit) (func(*domain.Commit) bool, error) {
	mine := func(c *domain.Commit) bool { return c.Aggregate.Workspace == s.workspace }
	if all {
		return mine, nil
	}
	asked := map[string]bool{}
	for i := range chunk {
		if mine(&chunk[i]) && chunk[i].Aggregate.Category == domain.CategoryThread {
			asked[chunk[i].Conversation] = true
		}
	}
	shown, err := s.seen(ctx, v, asked, chunk[len(chunk)-1].Position)
	if err != nil {
		return nil, err
	}
	return func(c *domain.Commit) bool {
		return mine(c) && (shown[c.Conversation] && c.Aggregate.Category == domain.CategoryThread || common(v, c))
	}, nil
}

// seen is which of the conversations the viewer may see now, by a view that has passed p.
func (s *Server) seen(ctx context.Context, v access.Viewer, asked map[string]bool, p domain.Position) (map[string]bool, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	if err := s.reached(ctx, viewQueue, p); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(asked))
	for id := range asked {
		ids = append(ids, id)
	}
	rows, _, err := s.Queue.RowsAt(ctx, s.workspace, v, ids, 0)
	if err != nil {
		return nil, err
	}
	shown := make(map[string]bool, len(rows))
	for id := range rows {
		shown[id] = true
	}
	return shown, nil
}

// common reports whether a commit that is about no conversation may be seen by whoever has the role to read such things.
func common(v access.Viewer, c *domain.Commit) bool {
	switch c.Aggregate.Category {
	case domain.CategoryDepartment, domain.CategoryOperator, domain.CategoryPresence:
		return access.MayDo(v, access.ReadSettings)
	case domain.CategoryContact:
		return access.MayDo(v, access.ReadContacts)
	case domain.CategorySetting:
		for _, e := range c.Events {
			switch e.(type) {
			case setting.ChannelCreated, setting.ChannelChanged, setting.ChannelRetired:
			default:
				return false
			}
		}
		return access.MayDo(v, access.ReadSettings)
	}
	return false
}

// beat is how often a feed that has nothing to say says so.
const beat = 15 * time.Second
