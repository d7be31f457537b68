package main

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// verify compares what the crowd was told with the log, and each view with one built anew.
func (s *stage) verify(ctx context.Context, c *crowd) {
	s.t.Helper()
	p := &program{ctx: ctx, getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, err := openToJoin(p, s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.close()
	log := s.read(ctx, r)
	for _, a := range c.acks {
		commit, ok := log.at[a.position]
		switch {
		case !ok:
			s.t.Errorf("%s was acknowledged at %d, where the log holds nothing", a.what, a.position)
		case commit.Conversation != a.conversation || a.commit != "" && commit.ID != a.commit:
			s.t.Errorf("%s was acknowledged as commit %s of %s at %d, which is commit %s of %s",
				a.what, a.commit, a.conversation, a.position, commit.ID, commit.Conversation)
		case a.text != "" && log.texts[a.text] != 1:
			s.t.Errorf("%s was acknowledged and is %d times in the log", a.what, log.texts[a.text])
		}
	}
	for text, n := range log.texts {
		if n > 1 {
			s.t.Errorf("%q is %d times in the log", text, n)
		}
	}
	for id, n := range log.commits {
		if n > 1 {
			s.t.Errorf("commit %s is %d times in the log", id, n)
		}
	}
	for conversation, owners := range log.owners {
		if len(owners) != 1 {
			s.t.Errorf("%s was taken by %v: it was raced for once", conversation, owners)
		}
	}
	for _, lost := range c.refusals {
		if !slices.Contains(log.owners[lost.conversation], lost.owner) {
			s.t.Errorf("somebody was told that %s owns %s; it was taken by %v", lost.owner, lost.conversation, log.owners[lost.conversation])
		}
	}
	s.compareViews(p, r)
}

type readLog struct {
	at      map[domain.Position]domain.Commit
	commits map[string]int
	texts   map[string]int
	owners  map[string][]string
}

func (s *stage) read(ctx context.Context, r *reading) readLog {
	s.t.Helper()
	l := readLog{at: map[domain.Position]domain.Commit{}, commits: map[string]int{}, texts: map[string]int{}, owners: map[string][]string{}}
	err := r.store.Read(ctx, 0, projections.ReadOptions{Open: true, ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			l.at[c.Position] = c
			l.commits[c.ID]++
			for _, e := range c.Events {
				switch e := e.(type) {
				case thread.MessageReceived:
					l.texts[string(e.Text)]++
				case thread.MessageSent:
					l.texts[string(e.Text)]++
				case thread.Taken:
					l.owners[c.Conversation] = append(l.owners[c.Conversation], e.Operator)
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// compareViews compares each view with one that is built from the log alone, on SQLite.
func (s *stage) compareViews(p *program, r *reading) {
	s.t.Helper()
	ctx := p.ctx
	views, err := s.views.openViews(p, r.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	defer views.Close()
	tracker, err := projections.NewTracker(r.store, views.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	defer tracker.Close()
	head, err := r.store.Head(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range projectionNames {
		waiting, cancel := context.WithTimeout(ctx, time.Minute)
		err := tracker.Wait(waiting, name, head)
		cancel()
		if err != nil {
			s.t.Errorf("%v\n%s", err, s.said())
			continue
		}
		projection, err := newProjection(name, r, projections.SQLite)
		if err != nil {
			s.t.Fatal(err)
		}
		fresh, err := sqlstore.Rebuild(ctx, r.store, projection, projections.Options{})
		if err != nil {
			s.t.Fatal(err)
		}
		grown, err := views.Digest(ctx, views.Reader(name))
		if err != nil {
			s.t.Fatal(err)
		}
		if grown != fresh {
			s.t.Errorf("the view %s differs from one that is built anew", name)
		}
	}
}
