package stats

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/thread"
)

// few is up to how many dims are named to the database; more are sorted out here.
const few = 64

// samples calls fn with every sample that the question counts, kind by kind, each in the order of its time. The sample's
// Conversation is the position of the opening. It is reused between calls.
func (v *view) samples(ctx context.Context, q *question, fn func(*metric.Sample) error) error {
	if v.space == 0 {
		return nil
	}
	for _, k := range q.Kinds() {
		if err := v.kind(ctx, q, k, fn); err != nil {
			return fmt.Errorf("stats: read %s: %w", q.Name, err)
		}
	}
	if !q.Spans() {
		return nil
	}
	running, err := v.running(ctx, q.Kinds())
	if err != nil {
		return fmt.Errorf("stats: read what goes on: %w", err)
	}
	for i := range running {
		s := &running[i]
		q.Credit(s)
		if s.From < q.to && s.At >= q.from && q.admits(s) {
			if err := fn(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// kind reads the ended samples of one kind.
func (v *view) kind(ctx context.Context, q *question, k metric.Kind, fn func(*metric.Sample) error) error {
	return v.kindFrom(ctx, q, k, q.from, q.Distinct(), fn)
}

// kindFrom is kind, from a time on that lies in the period; it names the conversations where it is told to.
func (v *view) kindFrom(ctx context.Context, q *question, k metric.Kind, from int64, names bool, fn func(*metric.Sample) error) error {
	counted, only := v.admitted(q, k)
	if counted == nil {
		return nil
	}
	query := `SELECT at, ref, nth, conversation, dim, opened, coalesce(start_ref, 0), coalesce(start, at), coalesce(value, 1), coalesce(net, value, 1)
		FROM samples WHERE series = ? AND ref < ? AND (until = 0 OR until >= ?)`
	args := []any{v.series(k), int64(v.limit), int64(v.limit)}
	switch {
	case q.Spans():
		query, args = query+` AND at >= ? AND start < ?`, append(args, from, q.to)
	case q.byOpening:
		query, args = query+` AND at >= ? AND opened >= ? AND opened < ?`, append(args, from, q.from, q.to)
	default:
		query, args = query+` AND at >= ? AND at < ?`, append(args, from, q.to)
	}
	if len(only) <= few {
		query, args = query+` AND dim IN (`+strings.TrimSuffix(strings.Repeat("?, ", len(only)), ", ")+`)`, append(args, only...)
	}
	query += ` ORDER BY at, ref, nth`
	s := metric.Sample{Kind: k}
	return each(ctx, v.tx, query, args, func(scan scanner) error {
		var conversation, id int64
		if err := scan(&s.At, &s.Ref, &s.Nth, &conversation, &id, &s.Opened, &s.Start, &s.From, &s.Value, &s.Net); err != nil {
			return err
		}
		if id < 0 || id >= int64(len(counted)) || !counted[id] {
			return nil
		}
		d := &v.dims[id]
		s.Operator, s.Department, s.Channel, s.Detail, s.Machine = d.operator, d.department, d.channel, d.detail, d.machine
		q.Credit(&s)
		if !q.Ripe(&s, v.now) {
			return nil
		}
		if names && conversation != 0 {
			s.Conversation = strconv.FormatInt(conversation, 10)
		}
		return fn(&s)
	})
}

// admitted tells for every dim whether samples of the kind count with it, and lists those that do; nil when none does.
func (v *view) admitted(q *question, k metric.Kind) (counted []bool, only []any) {
	all := make([]bool, len(v.dims))
	for id := 1; id < len(v.dims); id++ {
		d := &v.dims[id]
		s := metric.Sample{Kind: k, Operator: d.operator, Department: d.department, Channel: d.channel, Detail: d.detail, Machine: d.machine}
		q.Credit(&s)
		if q.admits(&s) {
			all[id] = true
			only = append(only, id)
		}
	}
	if len(only) == 0 {
		return nil, nil
	}
	return all, only
}

// running is the spans of these kinds that went on at the view's position, cut at its now: those of the conversations and
// operators as they are, and those that ended only after it. The Detail of a conversation's is its state.
func (v *view) running(ctx context.Context, wanted []metric.Kind) ([]metric.Sample, error) {
	var conversations, presence bool
	for _, k := range wanted {
		presence = presence || k == metric.Available || k == metric.Away
		conversations = conversations || k == metric.Wait || k == metric.Attending || k == metric.Pause || k == metric.Bot
	}
	is := func(k metric.Kind) bool {
		for _, w := range wanted {
			if w == k {
				return true
			}
		}
		return false
	}
	var spans []metric.Sample
	add := func(s metric.Sample, ok bool) {
		if ok && s.Start < v.limit && is(s.Kind) {
			spans = append(spans, s)
		}
	}
	if presence {
		if err := v.presences(ctx, func(p *metric.Presence) { add(p.Running(v.now)) }); err != nil {
			return nil, err
		}
	}
	if conversations {
		later, err := v.outOfHours(ctx)
		if err != nil {
			return nil, err
		}
		err = v.folds(ctx, func(opened int64, c *metric.Conversation) {
			s, ok := c.Running(v.now)
			s.Conversation = strconv.FormatInt(opened, 10)
			if s.Kind == metric.Wait && c.Since.Ref >= v.limit {
				s.Detail = list(later[opened])
			}
			add(s, ok)
		})
		if err != nil {
			return nil, err
		}
	}
	if v.latest {
		return spans, nil
	}
	for _, k := range wanted {
		ended, err := v.endedSince(ctx, k)
		if err != nil {
			return nil, err
		}
		spans = append(spans, ended...)
	}
	return spans, nil
}

func list(outOfHours bool) string {
	if outOfHours {
		return thread.StateOutOfHours
	}
	return thread.StateWaiting
}

// outOfHours is the conversations that stood in that list at the view's position and were moved out of it since.
func (v *view) outOfHours(ctx context.Context) (map[int64]bool, error) {
	if v.latest {
		return nil, nil
	}
	found := map[int64]bool{}
	err := each(ctx, v.tx, `SELECT conversation FROM samples WHERE series = ? AND start_ref < ? AND ref >= ?`,
		[]any{v.series(metric.OutOfHours), int64(v.limit), int64(v.limit)}, func(scan scanner) error {
			var opened int64
			err := scan(&opened)
			found[opened] = true
			return err
		})
	return found, err
}

// endedSince is the spans of a kind that went on at the view's position and have ended since.
func (v *view) endedSince(ctx context.Context, k metric.Kind) ([]metric.Sample, error) {
	later, err := v.outOfHours(ctx)
	if err != nil {
		return nil, err
	}
	var spans []metric.Sample
	err = each(ctx, v.tx, `SELECT conversation, dim, opened, start_ref, start FROM samples WHERE series = ? AND start_ref < ? AND ref >= ? ORDER BY start_ref`,
		[]any{v.series(k), int64(v.limit), int64(v.limit)}, func(scan scanner) error {
			var opened, id int64
			s := metric.Sample{Kind: k}
			if err := scan(&opened, &id, &s.Opened, &s.Start, &s.From); err != nil {
				return err
			}
			if id <= 0 || id >= int64(len(v.dims)) {
				return fmt.Errorf("a sample with the dim %d, which is not there", id)
			}
			d := &v.dims[id]
			s.Operator, s.Department, s.Channel = d.operator, d.department, d.channel
			s.At = max(s.From, v.now)
			s.Value = s.At - s.From
			s.Net = s.Value
			switch k {
			case metric.Wait:
				s.Operator, s.Detail = "", list(later[opened])
			case metric.Attending:
				s.Detail = thread.StateAttending
			case metric.Pause:
				s.Detail = thread.StatePaused
			case metric.Bot:
				s.Detail = thread.StateBot
			}
			if opened != 0 {
				s.Conversation = strconv.FormatInt(opened, 10)
			}
			spans = append(spans, s)
			return nil
		})
	return spans, err
}

// folds calls fn for every conversation that is open now.
func (v *view) folds(ctx context.Context, fn func(opened int64, c *metric.Conversation)) error {
	return each(ctx, v.tx, `SELECT c.opened, c.id, c.ticket, c.channel, f.state
		FROM open_conversations o JOIN conversations c ON c.opened = o.opened JOIN folds f ON f.opened = o.opened
		WHERE o.workspace = ? ORDER BY o.opened`, []any{v.space}, func(scan scanner) error {
		var opened int64
		var c metric.Conversation
		var state []byte
		if err := scan(&opened, &c.ID, &c.Ticket, &c.Channel, &state); err != nil {
			return err
		}
		if err := c.UnmarshalBinary(state); err != nil {
			return err
		}
		fn(opened, &c)
		return nil
	})
}

// presences calls fn for every operator's presence now.
func (v *view) presences(ctx context.Context, fn func(*metric.Presence)) error {
	return each(ctx, v.tx, `SELECT operator, heard, state, since, since_ref FROM presence WHERE workspace = ? ORDER BY operator`,
		[]any{v.space}, func(scan scanner) error {
			var p metric.Presence
			if err := scan(&p.Operator, &p.Heard, &p.State, &p.Since.At, &p.Since.Ref); err != nil {
				return err
			}
			fn(&p)
			return nil
		})
}

// named is the id and the number of a conversation.
type named struct {
	id     string
	ticket int64
}

// named finds them for the positions of openings.
func (v *view) named(ctx context.Context, opened map[string]named) error {
	stmt, err := v.tx.PrepareContext(ctx, `SELECT id, ticket FROM conversations WHERE opened = ?`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for key := range opened {
		p, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return err
		}
		var n named
		if err := stmt.QueryRowContext(ctx, p).Scan(&n.id, &n.ticket); err != nil {
			return fmt.Errorf("conversation opened at %d: %w", domain.Position(p), err)
		}
		opened[key] = n
	}
	return nil
}
