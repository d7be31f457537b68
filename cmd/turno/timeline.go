package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

type timelineCmd struct {
	logFlags
	Ticket int64  `arg:"" help:"The ticket's number."`
	AsOf   moment `help:"The ticket as it was then: a position, or a time of recording."`
}

func (cmd timelineCmd) Run(p *program) error {
	l, err := openToRead(p, cmd.logFlags)
	if err != nil {
		return err
	}
	defer l.close()
	commits, err := l.ticket(p.ctx, cmd.Ticket, cmd.AsOf, true)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(p.stdout)
	fmt.Fprintf(out, "ticket %d, conversation %s, channel %s\n", cmd.Ticket, commits[0].Conversation, commits[0].Channel)
	for i := range commits {
		c := &commits[i]
		for _, e := range c.Events {
			fmt.Fprintf(out, "%s  %-14s  %s\n", stamp(c), c.Actor, tell(e))
		}
	}
	last := &commits[len(commits)-1]
	fmt.Fprintf(out, "it is %s", last.After.State)
	if owner := last.After.Owner; owner != "" {
		fmt.Fprintf(out, ", with %s", owner)
	}
	fmt.Fprintf(out, " (position %d)\n", last.Position)
	return out.Flush()
}

// ticket is every commit of a ticket, oldest first, up to asOf. It reads the log itself, not a view: an auditor's answer
// must not rest on one.
func (l *reading) ticket(ctx context.Context, number int64, asOf moment, open bool) ([]domain.Commit, error) {
	var commits []domain.Commit
	err := l.store.Read(ctx, 0, projections.ReadOptions{ToHead: true, Max: 2000}, func(chunk []domain.Commit) error {
		for i := range chunk {
			c := &chunk[i]
			if asOf.after(c) {
				return errPast
			}
			if c.Ticket == number && c.Conversation != "" && c.Aggregate.Workspace == l.workspace {
				commits = append(commits, *c)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPast) {
		return nil, err
	}
	if len(commits) == 0 {
		return nil, fmt.Errorf("there is no ticket %d", number)
	}
	if !open {
		return commits, nil
	}
	opened, _, err := l.store.Load(ctx, commits[0].Aggregate, 0, func(c *domain.Commit) bool { return c.Position <= commits[0].Position })
	if err != nil {
		return nil, err
	}
	last := commits[len(commits)-1].Position
	commits = commits[:0]
	for _, c := range opened {
		if c.Ticket == number && c.Position <= last {
			commits = append(commits, c)
		}
	}
	return commits, nil
}
