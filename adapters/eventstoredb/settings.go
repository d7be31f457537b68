package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/turno-desk/turno/domain"
)

// freshly is how often Follow finds out whether it has delivered everything.
const freshly = 200 * time.Millisecond

// Latest returns the newest commit of every aggregate of the categories, by position: the index names their streams, and
// each is asked for its last event. See command.SettingsLog. Commits that are appended meanwhile may be among them, beyond
// the position that it returns.
func (s *Store) Latest(ctx context.Context, workspace string, categories ...domain.Category) ([]domain.Commit, domain.Position, error) {
	const doing = "read the newest settings"
	bounded, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	head, err := s.head(bounded) // first: what is appended after it may be found or not
	if err != nil {
		return nil, 0, wrap(ctx, doing, err)
	}
	events, err := s.lasts(bounded, workspace, categories)
	if err != nil {
		return nil, 0, wrap(ctx, doing, err)
	}
	commits := make([]domain.Commit, 0, len(events))
	for _, e := range events {
		c, err := s.commit(bounded, e, true)
		if err != nil {
			return nil, 0, wrap(ctx, doing, err)
		}
		commits = append(commits, c)
	}
	return commits, head, nil
}

// Newest returns the position of the newest commit of the categories. See command.SettingsLog. It reads what was appended
// since it was last asked; the first time, and after a long while, the last event of every setting.
func (s *Store) Newest(ctx context.Context, workspace string, categories ...domain.Category) (newest, upTo domain.Position, err error) {
	const doing = "find the newest setting"
	if err := allIndexed(workspace, categories); err != nil {
		return 0, 0, wrap(ctx, doing, err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	head, err := s.head(bounded)
	if err != nil {
		return 0, 0, wrap(ctx, doing, err)
	}
	for _, category := range categories {
		p, err := s.newestOf(bounded, kind{workspace, category}, head)
		if err != nil {
			return 0, 0, wrap(ctx, doing, err)
		}
		newest = max(newest, p)
	}
	return newest, head, nil
}

// Follow delivers the commits of the categories as they come. See command.SettingsLog. fn and fresh are called one at a
// time. It is sent every commit of the log and opens those of the categories: what it was sent is all that it can compare
// with the log's head.
func (s *Store) Follow(ctx context.Context, workspace string, after domain.Position, categories []domain.Category, fn func(domain.Commit), fresh func()) error {
	const doing = "follow the settings"
	if err := allIndexed(workspace, categories); err != nil {
		return wrap(ctx, doing, err)
	}
	if _, err := s.start(ctx, after); err != nil {
		return wrap(ctx, doing, err)
	}
	wanted := make([]string, 0, len(categories))
	for _, c := range categories {
		wanted = append(wanted, s.opts.Within+kind{workspace, c}.prefix())
	}
	following, cancel := context.WithCancel(ctx)
	events, heads := make(chan item, ahead), make(chan domain.Position)
	ended := make(chan struct{}, 2)
	for _, work := range []func(){
		func() { s.carry(following, after, events) },
		func() { s.watch(following, heads) },
	} {
		go func() { work(); ended <- struct{}{} }()
	}
	defer func() {
		cancel()
		for range cap(ended) {
			<-ended
		}
	}()
	delivered, due := after, domain.Position(0) // due: what must be delivered for everything to be; 0: nothing is asked
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case due = <-heads:
		case i := <-events:
			if i.err != nil {
				return wrap(ctx, doing, i.err)
			}
			if hasPrefix(i.event.StreamID, wanted) {
				c, err := s.commit(ctx, i.event, true)
				if err != nil {
					return wrap(ctx, doing, err)
				}
				fn(c)
			}
			delivered = domain.Position(i.event.Position.Commit)
		}
		if due > 0 && delivered >= due {
			due = 0
			fresh()
		}
	}
}

// carry feeds events until ctx ends or the log is at fault.
func (s *Store) carry(ctx context.Context, after domain.Position, events chan<- item) {
	send := func(i item) bool {
		select {
		case events <- i:
			return true
		case <-ctx.Done():
			return false
		}
	}
	err := s.feed(ctx, after, func(e *esdb.RecordedEvent) bool { return send(item{event: e}) })
	if err != nil && ctx.Err() == nil {
		send(item{err: err})
	}
}

// watch tells the head, five times a second while the server answers.
func (s *Store) watch(ctx context.Context, heads chan<- domain.Position) {
	tick := time.NewTicker(freshly)
	defer tick.Stop()
	for {
		if head, err := s.head(ctx); err == nil {
			select {
			case heads <- head:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func hasPrefix(stream string, prefixes []string) bool {
	for _, p := range prefixes {
		if len(stream) > len(p) && stream[:len(p)] == p {
			return true
		}
	}
	return false
}

// allIndexed refuses what Latest could not find.
func allIndexed(workspace string, categories []domain.Category) error {
	if len(categories) == 0 {
		return errors.New("no categories")
	}
	for _, c := range categories {
		if !(domain.Aggregate{Workspace: workspace, Category: c, ID: "x"}).Valid() {
			return fmt.Errorf("workspace %q, category %q: not a subject of the log", workspace, c)
		}
		if !indexed(c) {
			return fmt.Errorf("the aggregates of category %q are not indexed", c)
		}
	}
	return nil
}
