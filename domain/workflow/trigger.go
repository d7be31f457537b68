package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Occasion is one thing that happened to a conversation, as far as triggers go.
type Occasion struct {
	On     string   // opened, message_received, assigned, tagged, closed, rated
	Source string   // who did it
	By     string   // the workflow that did it, or ""
	How    string   // assigned: in which way
	Tags   []string // tagged
}

// Starts reports whether the occasion is what the workflow waits for. What a workflow does never starts itself.
func Starts(w setting.Workflow, o Occasion) bool {
	t := w.Trigger
	return w.Starts() && t.On == o.On && o.By != w.ID && !t.Timed() &&
		(len(t.Source) == 0 || slices.Contains(t.Source, o.Source)) &&
		(len(t.How) == 0 || slices.Contains(t.How, o.How)) &&
		(len(t.Tags) == 0 || slices.ContainsFunc(o.Tags, func(tag string) bool { return slices.Contains(t.Tags, tag) }))
}

// via is the beginning of the via of what a workflow does: its id stands behind it.
const via = "workflow:"

// Actor is who acts when a workflow does.
func Actor(id string) domain.Actor { return domain.Actor{Kind: domain.ActorSystem, Via: via + id} }

// Source says who did what an actor did, and which workflow it was, if it was one.
func Source(a domain.Actor) (source, by string) {
	switch a.Kind {
	case domain.ActorOperator, domain.ActorAdmin:
		return setting.SourceUser, ""
	case domain.ActorContact:
		return setting.SourceContact, ""
	case domain.ActorBot:
		return setting.SourceBot, ""
	case domain.ActorService:
		return setting.SourceService, ""
	}
	if id, ok := strings.CutPrefix(a.Via, via); ok {
		return setting.SourceWorkflow, id
	}
	return setting.SourceSystem, ""
}

// The limits of runs. What would go past them begins and ends in one commit, with the reason loop or too_many.
const (
	MaxDepth   = 5         // runs that one started after the other: the first has depth 1
	MaxStarts  = 20        // runs of one conversation within StartsSpan
	StartsSpan = time.Hour //
	MaxOpen    = 10        // runs of one conversation at once
)

// The reasons why a run ended before its last step, besides the codes of refusals.
const (
	ReasonLoop     = "loop"     // too many runs started one another, or one after the other
	ReasonTooMany  = "too_many" // too many are open in the conversation
	ReasonClosed   = "closed"   // the conversation was closed
	ReasonAnswered = "answered" // the contact wrote, and the wait said unless
)

// Enough is why a run may not begin: of this depth, in a conversation that had these starts before, open of which go on.
// Empty: it may.
func Enough(depth int, starts []time.Time, open int, now time.Time) (reason string) {
	recent := 0
	for _, at := range starts {
		if now.Sub(at) < StartsSpan {
			recent++
		}
	}
	switch {
	case depth > MaxDepth, recent >= MaxStarts:
		return ReasonLoop
	case open >= MaxOpen:
		return ReasonTooMany
	}
	return ""
}
