package stats

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
)

// How many samples a page has: when not told, and at most.
const (
	pageDefault = 50
	pageMost    = 200
)

// mark is where a sample stands in the order of a listing: by time, those that still go on last.
type mark struct {
	at   int64
	ref  metric.Ref
	kind metric.Kind
	nth  int
}

func markOf(s *metric.Sample) mark {
	if s.Ref == 0 {
		return mark{math.MaxInt64, s.Start, s.Kind, s.Nth}
	}
	return mark{s.At, s.Ref, s.Kind, s.Nth}
}

func (m mark) compare(o mark) int {
	return cmp.Or(cmp.Compare(m.at, o.at), cmp.Compare(m.ref, o.ref), cmp.Compare(m.kind, o.kind), cmp.Compare(m.nth, o.nth))
}

// cursor is the page's end and the position that the listing began at, so that all pages are of one view.
func cursor(p domain.Position, m mark) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %d %d %d", p, m.at, m.ref, m.kind, m.nth))
}

func parseCursor(s string) (p domain.Position, m mark, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		var n int
		if n, err = fmt.Sscanf(string(b), "%d %d %d %d %d", &p, &m.at, &m.ref, &m.kind, &m.nth); n != 5 && err == nil {
			err = errors.New("too short")
		}
	}
	if err != nil || cursor(p, m) != s {
		return 0, mark{}, invalid("The cursor is none of this listing's.", "cursor")
	}
	return p, m, nil
}

// Samples lists what a number was counted from, in the order of the end events' times; spans that still go on come last.
// The pages of one listing are all of the position of the first.
func (q *Queries) Samples(ctx context.Context, workspace string, s Scope, r SamplesRequest) (Samples, error) {
	var after mark
	if err := r.complete(); err != nil {
		return Samples{}, err
	}
	if r.Cursor != "" {
		p, m, err := parseCursor(r.Cursor)
		if err != nil {
			return Samples{}, err
		}
		r.Position, after = p, m
	}
	v, done, err := q.look(ctx, workspace, r.Position)
	if err != nil {
		return Samples{}, err
	}
	defer done()
	ask, err := v.ask(ctx, r.Metric, r.Version, s, r.Filter, r.Cohort, r.Actors, GroupNone)
	if err != nil {
		return Samples{}, err
	}
	ask.from, ask.to = r.From.UnixMilli(), r.To.UnixMilli()
	found, err := v.page(ctx, ask, after, r.Limit+1)
	if err != nil {
		return Samples{}, err
	}
	page := Samples{Items: []Sample{}, Position: v.position}
	if page.HasMore = len(found) > r.Limit; page.HasMore {
		found = found[:r.Limit]
		page.Next = cursor(v.position, markOf(&found[len(found)-1]))
	}
	page.Items, err = v.describe(ctx, ask, found)
	return page, err
}

func (r *SamplesRequest) complete() error {
	if err := period(r.From, r.To); err != nil {
		return err
	}
	if err := one(&r.Cohort, "cohort", CohortEnd, CohortOpened); err != nil {
		return err
	}
	if err := one(&r.Actors, "actors", ActorsHuman, ActorsMachine, ActorsAll); err != nil {
		return err
	}
	if r.Limit == 0 {
		r.Limit = pageDefault
	}
	if r.Limit < 1 || r.Limit > pageMost {
		return invalid(fmt.Sprintf("A page has 1 to %d items.", pageMost), "limit")
	}
	return nil
}

var errEnough = errors.New("the page is full")

// page gathers the first n samples after a place in the order.
func (v *view) page(ctx context.Context, q *question, after mark, n int) ([]metric.Sample, error) {
	if q.OnlyLast() {
		return v.lastCloses(ctx, q, after, n)
	}
	var all []metric.Sample
	take := func(k metric.Kind) error {
		got := 0
		err := v.kindFrom(ctx, q, k, max(q.from, after.at), true, func(s *metric.Sample) error {
			if markOf(s).compare(after) <= 0 || !q.covers(s) {
				return nil
			}
			all = append(all, *s)
			if got++; got == n {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	}
	if v.space == 0 {
		return nil, nil
	}
	for _, k := range q.Kinds() {
		if err := take(k); err != nil {
			return nil, fmt.Errorf("stats: read %s: %w", q.Name, err)
		}
	}
	if q.Spans() {
		running, err := v.running(ctx, q.Kinds())
		if err != nil {
			return nil, fmt.Errorf("stats: read what goes on: %w", err)
		}
		for i := range running {
			s := &running[i]
			q.Credit(s)
			if s.From < q.to && s.At >= q.from && q.admits(s) && q.covers(s) && markOf(s).compare(after) > 0 {
				all = append(all, *s)
			}
		}
	}
	slices.SortFunc(all, func(a, b metric.Sample) int { return markOf(&a).compare(markOf(&b)) })
	return all[:min(n, len(all))], nil
}

// covers reports whether a sample takes part: of a stock, those that stand at the period's end; of other spans, those that
// reach into it.
func (q *question) covers(s *metric.Sample) bool {
	switch {
	case !q.Spans():
		return true
	case q.Stock():
		return s.From < q.to && (s.At >= q.to && s.At > s.From || s.Ref == 0)
	}
	return s.From < q.to && (s.At > q.from || s.From >= q.from)
}

// lastCloses is the closes that no later one and no reopening of the period replaced.
func (v *view) lastCloses(ctx context.Context, q *question, after mark, n int) ([]metric.Sample, error) {
	last := map[string]metric.Sample{}
	err := v.samples(ctx, q, func(s *metric.Sample) error {
		if was, ok := last[s.Conversation]; !ok || markOf(s).compare(markOf(&was)) > 0 {
			last[s.Conversation] = *s
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var all []metric.Sample
	for _, s := range last {
		if s.Kind == metric.Episode && markOf(&s).compare(after) > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b metric.Sample) int { return markOf(&a).compare(markOf(&b)) })
	return all[:min(n, len(all))], nil
}

// describe names the conversations and the parts of a page's samples.
func (v *view) describe(ctx context.Context, q *question, found []metric.Sample) ([]Sample, error) {
	names := map[string]named{}
	for i := range found {
		if found[i].Conversation != "" {
			names[found[i].Conversation] = named{}
		}
	}
	if err := v.named(ctx, names); err != nil {
		return nil, fmt.Errorf("stats: name the conversations: %w", err)
	}
	parts, err := v.parts(ctx, q, found)
	if err != nil {
		return nil, fmt.Errorf("stats: read the parts: %w", err)
	}
	items := make([]Sample, len(found))
	for i := range found {
		s := &found[i]
		n := names[s.Conversation]
		item := Sample{
			Metric: q.Name, Kind: s.Kind.String(), Conversation: n.id, Ticket: n.ticket, Operator: s.Operator, Department: s.Department, Channel: s.Channel,
			Detail: s.Detail, At: Time(s.At), Event: event(s.Ref), StartEvent: event(s.Start), Parts: parts[i],
		}
		if s.Start != 0 {
			start := Time(s.From)
			item.Start = &start
		}
		item.Value, item.Seconds, item.Without = q.values(s)
		items[i] = item
	}
	return items, nil
}

// values is what a sample is worth: a count's, a share's or a score's value, or a duration with and without pauses.
func (q *question) values(s *metric.Sample) (value, seconds, without *float64) {
	number := func(x float64) *float64 { return &x }
	switch {
	case q.Spans() && !q.Stock():
		return nil, number(float64(max(0, min(s.At, q.to)-max(s.From, q.from))) / 1000), nil
	case q.Unit == metric.Count:
		return number(float64(q.Weight(s))), nil, nil
	case q.Unit != metric.Seconds:
		return number(float64(q.Worth(s))), nil, nil
	case q.Pauses:
		without = number(float64(s.Net) / 1000)
	}
	return nil, number(float64(s.Value) / 1000), without
}

func event(r metric.Ref) *Event {
	if r == 0 {
		return nil
	}
	return &Event{Position: r.Position(), Index: r.Index()}
}
