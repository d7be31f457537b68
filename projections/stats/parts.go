package stats

import (
	"context"
	"math"
	"strings"

	"github.com/turno-desk/turno/domain/metric"
)

// summands is what the samples of a kind are the sum of.
func summands(k metric.Kind) []metric.Kind {
	switch k {
	case metric.CustomerWaiting:
		return []metric.Kind{metric.Reply, metric.Unanswered}
	case metric.WaitTotal:
		return []metric.Kind{metric.Wait}
	case metric.Handle, metric.HandleConversation:
		return []metric.Kind{metric.Attending}
	}
	return nil
}

// parts finds what each sample of a page was added up from; nothing for samples that are no sums.
func (v *view) parts(ctx context.Context, q *question, found []metric.Sample) ([][]Part, error) {
	out := make([][]Part, len(found))
	if q.Spans() || len(found) == 0 {
		return out, nil
	}
	kinds := summands(found[0].Kind)
	if kinds == nil {
		return out, nil
	}
	from, to := int64(math.MaxInt64), int64(0)
	of := map[string][]int{}
	args := []any{}
	for i := range found {
		s := &found[i]
		from, to = min(from, s.From), max(to, s.At)
		if of[s.Conversation] == nil {
			args = append(args, s.Conversation)
		}
		of[s.Conversation] = append(of[s.Conversation], i)
	}
	in := strings.TrimSuffix(strings.Repeat("CAST(? AS INTEGER), ", len(args)), ", ")
	away := map[metric.Ref]int64{}
	read := func(k metric.Kind, fn func(s *metric.Sample)) error {
		return each(ctx, v.tx, `SELECT at, ref, CAST(conversation AS TEXT), dim, opened, start_ref, start, coalesce(value, 1), coalesce(net, value, 1)
			FROM samples WHERE series = ? AND at >= ? AND at <= ? AND ref < ? AND conversation IN (`+in+`) ORDER BY at, ref`,
			append([]any{v.series(k), from, to, int64(v.limit)}, args...), func(scan scanner) error {
				s := metric.Sample{Kind: k}
				var id int64
				if err := scan(&s.At, &s.Ref, &s.Conversation, &id, &s.Opened, &s.Start, &s.From, &s.Value, &s.Net); err != nil {
					return err
				}
				if id > 0 && id < int64(len(v.dims)) {
					s.Operator = v.dims[id].operator
				}
				fn(&s)
				return nil
			})
	}
	if kinds[0] == metric.Attending {
		if err := read(metric.Unattended, func(s *metric.Sample) { away[s.Ref] = s.Value }); err != nil {
			return nil, err
		}
	}
	for _, k := range kinds {
		err := read(k, func(p *metric.Sample) {
			p.Value, p.Net = p.Value-away[p.Ref], p.Net-away[p.Ref]
			for _, i := range of[p.Conversation] {
				if belongs(p, &found[i]) {
					out[i] = append(out[i], part(p, q.Pauses))
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// belongs reports whether p was added up in whole: of its episode, or, where it sums up a conversation, of any.
func belongs(p, whole *metric.Sample) bool {
	switch whole.Kind {
	case metric.Handle:
		return p.Ref <= whole.Ref && p.Operator == whole.Operator
	case metric.HandleConversation:
		return p.Ref <= whole.Ref
	}
	return p.Ref <= whole.Ref && p.Opened == whole.Opened && p.Start >= whole.Start
}

func part(p *metric.Sample, pauses bool) Part {
	out := Part{Start: Time(p.From), At: Time(p.At), Seconds: float64(p.Value) / 1000, StartEvent: event(p.Start), Event: event(p.Ref)}
	if pauses {
		net := float64(p.Net) / 1000
		out.Without = &net
	}
	return out
}
