package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

type replayCmd struct {
	logFlags
	From   moment   `help:"Begin here: a position, or a time or day of the events."`
	To     moment   `help:"End here: a position (counted in), or a time or day of the events (not counted in)."`
	AsOf   moment   `help:"The log as it was then: a position, or a time of recording."`
	Ticket int64    `help:"Only this ticket."`
	Types  []string `help:"Only these event types: turno.conversation.taken.v1, conversation.taken, or a pattern such as conversation.*."`
	Format string   `enum:"json,text" default:"json" help:"json: one CloudEvent a line. text: one line each, for people."`
	Open   bool     `help:"Open the personal fields. Without it they are as in the log: sealed."`
}

func (cmd replayCmd) Run(p *program) error {
	l, err := openToRead(p, cmd.logFlags)
	if err != nil {
		return err
	}
	defer l.close()
	for _, t := range cmd.Types {
		if _, err := path.Match(t, ""); err != nil {
			return fmt.Errorf("type %q: %w", t, err)
		}
		if !slices.ContainsFunc(codec.Types(), func(known codec.Type) bool { return wanted([]string{t}, known.Name) }) {
			return fmt.Errorf("no event is of type %q: docs/events.md lists them", t)
		}
	}
	out := bufio.NewWriterSize(p.stdout, 1<<16)
	write := func(c *domain.Commit) error {
		if !between(c, cmd.From, cmd.To) {
			return nil
		}
		events, err := l.codec.Structured(c)
		if err != nil {
			return fmt.Errorf("commit at %d: %w", c.Position, err)
		}
		for _, e := range events {
			if err := writeEvent(out, c, e, cmd.Types, cmd.Format); err != nil {
				return err
			}
		}
		return nil
	}
	if cmd.Ticket != 0 {
		commits, err := l.ticket(p.ctx, cmd.Ticket, cmd.AsOf, cmd.Open)
		if err != nil {
			return err
		}
		for i := range commits {
			if err := write(&commits[i]); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	after := domain.Position(0)
	if cmd.From.position > 0 {
		after = cmd.From.position - 1
	}
	err = l.store.Read(p.ctx, after, projections.ReadOptions{Open: cmd.Open, ToHead: true}, func(commits []domain.Commit) error {
		for i := range commits {
			c := &commits[i]
			if cmd.AsOf.after(c) || cmd.To.position != 0 && c.Position > cmd.To.position {
				return errPast
			}
			if c.Aggregate.Workspace != cmd.Workspace && c.Aggregate.Category != domain.CategoryLog {
				continue
			}
			if err := write(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPast) {
		return err
	}
	return out.Flush()
}

// errPast ends a read at the place where it was asked to end.
var errPast = errors.New("past the end of what was asked for")

// envelope is what a line for people needs of a structured event.
type envelope struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

func writeEvent(out io.Writer, c *domain.Commit, event json.RawMessage, types []string, format string) error {
	var e envelope
	if err := json.Unmarshal(event, &e); err != nil {
		return fmt.Errorf("commit at %d: %w", c.Position, err)
	}
	if !wanted(types, e.Type) {
		return nil
	}
	var line bytes.Buffer
	if format == "text" {
		about := c.Aggregate.String()
		if c.Conversation != "" {
			about = fmt.Sprintf("ticket %d", c.Ticket)
		}
		fmt.Fprintf(&line, "%8d  %s  %-14s  %s  %s  ", c.Position, stamp(c), c.Actor, about, e.Type)
		event = e.Data
	}
	if err := json.Compact(&line, event); err != nil {
		return fmt.Errorf("commit at %d: %w", c.Position, err)
	}
	line.WriteByte('\n')
	_, err := out.Write(line.Bytes())
	return err
}

func stamp(c *domain.Commit) string { return c.Time.UTC().Format("2006-01-02 15:04:05.000") }

// wanted reports whether a type is one of those asked for, by its whole name or without prefix and version.
func wanted(types []string, name string) bool {
	short := strings.TrimPrefix(name, "turno.")
	if i := strings.LastIndex(short, ".v"); i > 0 {
		short = short[:i]
	}
	for _, t := range types {
		whole, _ := path.Match(t, name)
		brief, _ := path.Match(t, short)
		if whole || brief {
			return true
		}
	}
	return len(types) == 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
