package stats

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/thread"
)

// Live tells how things stand: what is open by state, who waits and how long, who is there and what they have. A scope of
// departments sees the operators who belong to them; an operator's own sees their own conversations only.
func (q *Queries) Live(ctx context.Context, workspace string, s Scope, r LiveRequest) (Live, error) {
	v, done, err := q.look(ctx, workspace, r.Position)
	if err != nil {
		return Live{}, err
	}
	defer done()
	now := v.now
	if !r.Now.IsZero() {
		now = r.Now.UnixMilli()
	}
	live := Live{Position: v.position, Now: Time(now), Departments: []LiveDepartment{}, Operators: []LiveOperator{}}
	if v.space == 0 {
		return live, nil
	}
	seen, err := v.members(ctx, s, r.Department)
	if err != nil {
		return Live{}, err
	}
	spans, err := v.running(ctx, []metric.Kind{metric.Wait, metric.Attending, metric.Pause, metric.Bot, metric.Available, metric.Away})
	if err != nil {
		return Live{}, fmt.Errorf("stats: read what goes on: %w", err)
	}
	places, people := map[string]*place{}, map[string]*LiveOperator{}
	shown := func(id string) *LiveOperator {
		if seen != nil && !seen[id] || !s.All && s.Operator != "" && id != s.Operator {
			return nil
		}
		o := people[id]
		if o == nil {
			o = &LiveOperator{Operator: id}
			people[id] = o
		}
		return o
	}
	err = v.presences(ctx, func(p *metric.Presence) {
		if p.Heard < v.limit {
			shown(p.Operator)
		}
	})
	if err != nil {
		return Live{}, fmt.Errorf("stats: read the presences: %w", err)
	}
	for i := range spans {
		span := &spans[i]
		if span.Kind == metric.Available || span.Kind == metric.Away {
			if o := shown(span.Operator); o != nil {
				since := Time(span.From)
				o.Connected, o.Available, o.Since = true, span.Kind == metric.Available, &since
			}
			continue
		}
		if !s.sees(span.Operator, span.Department) || r.Department != "" && span.Department != r.Department {
			continue
		}
		if places[span.Department] == nil {
			places[span.Department] = &place{}
		}
		places[span.Department].add(span, now)
		if span.Operator == "" {
			continue
		}
		if o := shown(span.Operator); o != nil {
			if span.Kind == metric.Pause {
				o.Paused++
			} else {
				o.Attending++
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(places)) {
		live.Departments = append(live.Departments, places[id].row(id))
	}
	for _, id := range slices.Sorted(maps.Keys(people)) {
		live.Operators = append(live.Operators, *people[id])
	}
	return live, nil
}

// place adds up what is open in a department.
type place struct {
	states       map[string]int
	waits        int64
	sum, longest int64
	since        int64
}

func (p *place) add(s *metric.Sample, now int64) {
	if p.states == nil {
		p.states = map[string]int{}
	}
	p.states[s.Detail]++
	if s.Kind != metric.Wait {
		return
	}
	wait := max(0, now-s.From)
	if p.waits == 0 || s.From < p.since {
		p.longest, p.since = wait, s.From
	}
	p.waits, p.sum = p.waits+1, p.sum+wait
}

func (p *place) row(id string) LiveDepartment {
	d := LiveDepartment{
		Department: id, Waiting: p.states[thread.StateWaiting], OutOfHours: p.states[thread.StateOutOfHours],
		Attending: p.states[thread.StateAttending], Paused: p.states[thread.StatePaused], Bot: p.states[thread.StateBot],
	}
	if p.waits > 0 {
		longest, mean, since := Millis(p.longest), Millis(p.sum/p.waits), Time(p.since)
		d.LongestWait, d.MeanWait, d.WaitingSince = &longest, &mean, &since
	}
	return d
}

// Presence tells when an operator was there. A scope that does not see the operator gets CodeNotFound.
func (q *Queries) Presence(ctx context.Context, workspace string, s Scope, r PresenceRequest) (Presence, error) {
	if r.Operator == "" {
		return Presence{}, invalid("Say whose presence.", "operator")
	}
	if err := period(r.From, r.To); err != nil {
		return Presence{}, err
	}
	loc, err := zone(&r.TZ)
	if err != nil {
		return Presence{}, err
	}
	cut, err := bounds(r.From, r.To, loc, BucketDay)
	if err != nil {
		return Presence{}, err
	}
	v, done, err := q.look(ctx, workspace, r.Position)
	if err != nil {
		return Presence{}, err
	}
	defer done()
	seen, err := v.members(ctx, s, "")
	if err != nil {
		return Presence{}, err
	}
	if !s.All && s.Operator != "" && s.Operator != r.Operator || seen != nil && !seen[r.Operator] {
		return Presence{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such operator."}
	}
	p := Presence{Position: v.position, Now: Time(v.now), Operator: r.Operator, Days: make([]PresenceDay, len(cut)-1), Spans: []PresenceSpan{}}
	for i := range p.Days {
		p.Days[i].From, p.Days[i].To = Time(cut[i]), Time(cut[i+1])
	}
	for _, name := range []string{"connected", "available", "away", "occupied", "idle", "occupancy"} {
		ask, err := v.ask(ctx, name, 0, Scope{All: true}, Filter{Operator: r.Operator}, CohortEnd, ActorsAll, GroupNone)
		if err != nil {
			return Presence{}, err
		}
		ask.from, ask.to = cut[0], cut[len(cut)-1]
		t := metric.NewTabulator(metric.Question{Definition: ask.Definition, Bounds: cut})
		err = v.samples(ctx, ask, func(s *metric.Sample) error {
			t.Add(s)
			if name == "connected" && ask.covers(s) {
				p.Spans = append(p.Spans, presenceSpan(s, ask))
			}
			return nil
		})
		if err != nil {
			return Presence{}, err
		}
		row := t.Table().Total
		p.Total.set(name, row.Total.With)
		for i := range p.Days {
			p.Days[i].set(name, row.Buckets[i].With)
		}
	}
	slices.SortFunc(p.Spans, func(a, b PresenceSpan) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.StartEvent.Position, b.StartEvent.Position))
	})
	return p, nil
}

func presenceSpan(s *metric.Sample, q *question) PresenceSpan {
	return PresenceSpan{
		State: s.Kind.String(), From: Time(max(s.From, q.from)), To: Time(min(s.At, q.to)), Open: s.Ref == 0,
		StartEvent: *event(s.Start), Event: event(s.Ref),
	}
}

// set puts the figure of the metric of that name in its place.
func (p *PresenceSum) set(name string, f metric.Figure) {
	length := Millis(0)
	if f.Sum != nil {
		length = Millis(*f.Sum*1000 + 0.5)
	}
	switch name {
	case "connected":
		p.Connected = length
	case "available":
		p.Available = length
	case "away":
		p.Away = length
	case "occupied":
		p.Occupied = length
	case "idle":
		p.Idle = length
	case "occupancy":
		p.Occupancy = f.Mean
	}
}
