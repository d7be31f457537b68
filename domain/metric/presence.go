package metric

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/presence"
)

// The states of presence that have a length.
const (
	StateAvailable = "available" // connected, and takes new conversations
	StateAway      = "away"      // connected, and takes none
)

// Presence is what the numbers of one operator's presence need to remember. The zero value was never heard of.
type Presence struct {
	Operator string
	Heard    Ref // the first event
	Last     int64
	State    string // StateAvailable, StateAway, or empty while disconnected
	Since    Mark
	Left     int64 // when it disconnected, while it is gone after having been there; 0 otherwise
	Absent   int64 // finished absences: between a `disconnected` and the next `connected`
}

// Gone is how long the operator had been disconnected after having been there, up to t.
func (p *Presence) Gone(t int64) int64 {
	if p.Left == 0 {
		return p.Absent
	}
	return p.Absent + max(0, t-p.Left)
}

// Apply folds a commit of the operator's presence; they come in the order of the log.
func (p *Presence) Apply(c *domain.Commit, sink Sink) {
	t := max(c.Time.UnixMilli(), p.Last)
	p.Last, p.Operator = t, c.Aggregate.ID
	for i, e := range c.Events {
		status, ok := presenceStatus(e)
		if !ok {
			continue
		}
		if p.Heard == 0 {
			p.Heard = NewRef(c.Position, i)
		}
		state := ""
		switch {
		case status.Connected && status.Available:
			state = StateAvailable
		case status.Connected:
			state = StateAway
		}
		p.move(state, Mark{At: t, Ref: NewRef(c.Position, i)}, sink)
	}
}

func presenceStatus(e domain.Event) (presence.Status, bool) {
	switch e := e.(type) {
	case presence.Connected:
		return e.Status, true
	case presence.Disconnected:
		return e.Status, true
	case presence.BecameAvailable:
		return e.Status, true
	case presence.BecameUnavailable:
		return e.Status, true
	}
	return presence.Status{}, false
}

func (p *Presence) move(state string, at Mark, sink Sink) {
	if state == p.State {
		return
	}
	if p.State != "" {
		k := Available
		if p.State == StateAway {
			k = Away
		}
		length := at.At - p.Since.At
		sink.Add(&Sample{
			Kind: k, Ref: at.Ref, At: at.At, Start: p.Since.Ref, From: p.Since.At, Opened: p.Since.At,
			Value: length, Net: length, Operator: p.Operator,
		})
	}
	switch {
	case state == "":
		p.Left = at.At
	case p.Left != 0:
		p.Absent, p.Left = p.Absent+at.At-p.Left, 0
	}
	p.State, p.Since = state, at
}
