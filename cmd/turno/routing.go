package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
)

// routingCmd looks into automatic assignments.
type routingCmd struct {
	Explain  routingExplainCmd  `cmd:"" help:"Tell how the operators of a conversation were chosen or asked: among whom, with which loads, by which rule; and decide it again."`
	Simulate routingSimulateCmd `cmd:"" help:"Replay the arrivals of a period under another rule or another staffing: waiting times side by side, as it was and as it would have been."`
}

type routingExplainCmd struct {
	logFlags
	Conversation string `arg:"" help:"The conversation's id."`
}

// Run writes every assignment and every offer by a rule that the conversation has had.
func (cmd routingExplainCmd) Run(p *program) error {
	id, _, ok := thread.SplitConversationID(cmd.Conversation)
	if !ok {
		return fmt.Errorf("%q is no conversation's id", cmd.Conversation)
	}
	r, err := openToRead(p, cmd.logFlags)
	if err != nil {
		return stopped(p.ctx, err)
	}
	defer r.close()
	commits, _, err := r.store.Load(p.ctx, domain.Aggregate{Workspace: r.workspace, Category: domain.CategoryThread, ID: id}, 0, nil)
	if err != nil {
		return fmt.Errorf("load the thread of %s: %w", cmd.Conversation, err)
	}
	return explain(p.stdout, cmd.Conversation, commits)
}

func explain(out io.Writer, conversation string, commits []domain.Commit) error {
	found := false
	for _, c := range commits {
		for _, e := range c.Events {
			x, ok := thread.Explain(e)
			if !ok || c.Conversation != conversation {
				continue
			}
			found = true
			if err := explainOne(out, c, x); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("no rule has assigned or offered %s to anybody", conversation)
	}
	return nil
}

func explainOne(out io.Writer, c domain.Commit, a thread.Explanation) error {
	what := fmt.Sprintf("%s got %s", a.Chosen[0], c.Conversation)
	if a.How == thread.HowOffered {
		what = fmt.Sprintf("%s was offered to %s, round %d until %s,", c.Conversation, strings.Join(a.Chosen, ", "), a.Round, when(a.Until))
	}
	fmt.Fprintf(out, "%s  position %d: %s in %s by the rule %s\n", c.Recorded.UTC().Format(time.RFC3339), c.Position, what, c.After.Department, a.Rule)
	if c.Origin == domain.OriginImport {
		fmt.Fprint(out, "It was imported: it was decided elsewhere, at places of another log.\n\n")
	} else {
		fmt.Fprintf(out, "It waited since position %d; loads were read at position %d.\n\n", a.Entry, a.Read)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  \toperator\tload\tcapacity\tlast assigned\tidle since")
	for _, k := range a.Candidates {
		mark := ""
		if slices.Contains(a.Chosen, k.Operator) {
			mark = "*"
		}
		fmt.Fprintf(w, "  %s\t%s\t%d\t%s\t%s\t%s\n", mark, k.Operator, k.Load, room(k), when(k.Assigned), when(k.Idle))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if a.Omitted > 0 {
		fmt.Fprintf(out, "  and %d more, behind these\n", a.Omitted)
	}
	chosen, same := a.Again()
	again := strings.Join(chosen, ", ")
	switch {
	case len(chosen) == 0:
		again = "nobody: none of them has room"
	case same:
		again += ", the same"
	}
	_, err := fmt.Fprintf(out, "\nDecided again: %s\n\n", again)
	return err
}

func room(c routing.Candidate) string {
	if c.Capacity == 0 {
		return "any"
	}
	return fmt.Sprint(c.Capacity)
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}
