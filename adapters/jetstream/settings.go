package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// freshly is how often Follow finds out whether it has delivered everything.
const freshly = 200 * time.Millisecond

func filters(workspace string, categories []domain.Category) ([]string, error) {
	out := make([]string, 0, len(categories))
	for _, c := range categories {
		if !(domain.Aggregate{Workspace: workspace, Category: c, ID: "x"}).Valid() {
			return nil, fmt.Errorf("workspace %q, category %q: not a subject of the log", workspace, c)
		}
		out = append(out, prefix+workspace+"."+string(c)+".>")
	}
	if len(out) == 0 {
		return nil, errors.New("no categories")
	}
	return out, nil
}

// Latest returns the newest commit of every aggregate of the categories, by position. See command.SettingsLog. Commits that
// are appended meanwhile may be among them, beyond the position that it returns.
func (s *Store) Latest(ctx context.Context, workspace string, categories ...domain.Category) ([]domain.Commit, domain.Position, error) {
	subjects, err := filters(workspace, categories)
	if err != nil {
		return nil, 0, err
	}
	bounded, cancel := s.within(ctx)
	defer cancel()
	for {
		commits, p, err := s.latest(bounded, subjects, workspace, categories)
		if bounded.Err() != nil || !errors.Is(err, errBroken) && !errors.Is(err, errStale) {
			return commits, p, wrap(ctx, "read the newest settings", err)
		}
		s.pause(bounded, 10*time.Millisecond)
	}
}

// Newest returns the position of the newest commit of the categories: one read of a tail for each. See command.SettingsLog.
func (s *Store) Newest(ctx context.Context, workspace string, categories ...domain.Category) (newest, upTo domain.Position, err error) {
	const doing = "find the newest setting"
	subjects, err := filters(workspace, categories)
	if err != nil {
		return 0, 0, err
	}
	bounded, cancel := s.within(ctx)
	defer cancel()
	head, err := s.head(bounded) // first: what is appended after it may be found or not
	if err != nil {
		return 0, 0, wrap(ctx, doing, err)
	}
	var last uint64
	for _, subject := range subjects {
		m, err := s.tail(bounded, subject)
		if errors.Is(err, projections.ErrNoCommit) {
			continue
		}
		if err != nil {
			return 0, 0, wrap(ctx, doing, err)
		}
		last = max(last, m.seq)
	}
	if last == 0 {
		return 0, s.epochs.position(head), nil
	}
	return s.epochs.position(last), s.epochs.position(head), nil
}

// errStale says that a follower has answered that is behind the leader.
var errStale = errors.New("the answer is older than what was acknowledged")

func (s *Store) latest(ctx context.Context, subjects []string, workspace string, categories []domain.Category) ([]domain.Commit, domain.Position, error) {
	head, err := s.head(ctx)
	if err != nil {
		return nil, 0, err
	}
	// The consumer may run on a follower. Where there are followers it also delivers the newest message of the subject that
	// the leader wrote last: if that is there, so is all before it.
	witness := ""
	if s.replicas {
		m, err := s.askLeader(ctx, lastRequest{Seq: head})
		if err != nil {
			return nil, 0, err
		}
		witness = m.subject
		if !belongs(witness, workspace, categories) {
			subjects = append(slices.Clone(subjects), witness)
		}
	}
	var messages []*message
	f := &feed{filters: subjects, latest: true, max: chunk, deliver: func(more []*message, pending uint64) bool {
		messages = append(messages, more...)
		return pending > 0
	}}
	if err := f.run(ctx, s); err != nil {
		return nil, 0, err
	}
	commits, witnessed := make([]domain.Commit, 0, len(messages)), witness == ""
	for _, m := range messages {
		witnessed = witnessed || m.subject == witness && m.seq >= head
		if !belongs(m.subject, workspace, categories) {
			continue
		}
		c, err := s.commit(ctx, m, true)
		if err != nil {
			return nil, 0, err
		}
		commits = append(commits, c)
	}
	if !witnessed {
		return nil, 0, errStale
	}
	return commits, s.epochs.position(head), nil
}

func belongs(subject, workspace string, categories []domain.Category) bool {
	for _, c := range categories {
		p := prefix + workspace + "." + string(c) + "."
		if len(subject) > len(p) && subject[:len(p)] == p {
			return true
		}
	}
	return false
}

// Follow delivers the commits of the categories as they come. See command.SettingsLog. fn and fresh are called one at a time.
func (s *Store) Follow(ctx context.Context, workspace string, after domain.Position, categories []domain.Category, fn func(domain.Commit), fresh func()) error {
	subjects, err := filters(workspace, categories)
	if err != nil {
		return err
	}
	from, _, err := s.start(ctx, after)
	if err != nil {
		return wrap(ctx, "follow the settings", err)
	}
	following, cancel := context.WithCancel(ctx)
	p := pipeline{todo: make(chan *job, waiting), ordered: make(chan *job, waiting)}
	targets := make(chan uint64)
	ended := make(chan struct{}, 3)
	for _, work := range []func(){
		func() { p.decode(following, s, true) },
		func() { p.fetch(following, s, from, chunk, subjects...) },
		func() { s.target(following, subjects, targets) },
	} {
		go func() { work(); ended <- struct{}{} }()
	}
	defer func() {
		cancel()
		for range cap(ended) {
			<-ended
		}
	}()

	delivered, due := from-1, uint64(0) // due: what must be delivered for everything to be; 0: nothing is asked
	for {
		var j *job
		select {
		case <-ctx.Done():
			return ctx.Err()
		case target := <-targets:
			if target > delivered {
				due = target
			} else {
				due = 0
				fresh()
			}
			continue
		case j = <-p.ordered:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-j.done:
		}
		if j.err != nil {
			return wrap(ctx, "follow the settings", j.err)
		}
		for _, c := range j.commits {
			fn(c)
		}
		delivered = j.last
		if due > 0 && delivered >= due {
			due = 0
			fresh()
		}
	}
}

// target tells, five times a second while the leader answers, the sequence of the newest message of the subjects.
func (s *Store) target(ctx context.Context, subjects []string, targets chan<- uint64) {
	tick := time.NewTicker(freshly)
	defer tick.Stop()
	for {
		newest, err := s.newest(ctx, subjects)
		if err == nil {
			select {
			case targets <- newest:
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

func (s *Store) newest(ctx context.Context, subjects []string) (uint64, error) {
	if err := s.sure(ctx); err != nil {
		return 0, err
	}
	var newest uint64
	for _, subject := range subjects {
		m, err := s.tail(ctx, subject)
		if errors.Is(err, projections.ErrNoCommit) {
			continue
		}
		if err != nil {
			return 0, err
		}
		newest = max(newest, m.seq)
	}
	return newest, nil
}
