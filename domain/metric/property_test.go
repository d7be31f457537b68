package metric_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"pgregory.net/rapid"
)

func history(t *rapid.T) []domain.Commit {
	return metrictest.History(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }, rapid.IntRange(1, 120).Draw(t, "commits"))
}

// states are the kinds of spans that every instant of a conversation belongs to exactly one of.
var states = map[metric.Kind]bool{metric.Wait: true, metric.Attending: true, metric.Pause: true, metric.Bot: true}

func TestTheTimeInAllStatesAddsUpToTheLengthOfTheEpisodeExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := metric.Recount(metrictest.Workspace, history(t))
		var spans []metric.Sample
		var episodes []metric.Sample
		for _, s := range b.Samples {
			if states[s.Kind] {
				spans = append(spans, s.Sample)
			}
			if s.Kind == metric.Episode {
				episodes = append(episodes, s.Sample)
			}
		}
		for _, s := range b.Open() {
			if !states[s.Kind] {
				continue
			}
			spans = append(spans, s)
			// What is still open runs up to now: the last span of its episode is cut there.
			e := metric.Sample{Kind: metric.Episode, Conversation: s.Conversation, From: s.Opened, At: s.At, Ref: metric.NewRef(b.Position+1, 0)}
			e.Value = e.At - e.From
			for _, x := range b.Samples {
				if x.Kind == metric.Episode && x.Conversation == s.Conversation {
					e.Start = max(e.Start, x.Ref)
				}
			}
			episodes = append(episodes, e)
		}
		for _, e := range episodes {
			var sum, paused int64
			at := e.From
			for _, s := range spans {
				inside := s.Start >= e.Start && (s.Ref == 0 && e.Ref.Position() > b.Position || s.Ref != 0 && s.Ref <= e.Ref)
				if s.Conversation != e.Conversation || !inside {
					continue
				}
				if s.From != at {
					t.Fatalf("a %v begins at %d, the one before it ended at %d", s.Kind, s.From, at)
				}
				at = s.At
				sum += s.Value
				if s.Kind == metric.Pause {
					paused += s.Value
				}
			}
			if sum != e.Value {
				t.Fatalf("the states of %s add up to %d ms, the episode has %d", e.Conversation, sum, e.Value)
			}
			if e.Ref.Position() <= b.Position && e.Net != e.Value-paused {
				t.Fatalf("without pauses the episode has %d ms, want %d", e.Net, e.Value-paused)
			}
		}
	})
}

// N13: every duration comes with and without paused time.
func TestDurationsWithoutPausesAreNoLongerThanWithAndNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, s := range metric.Recount(metrictest.Workspace, history(t)).Samples {
			if s.Net < 0 || s.Net > s.Value {
				t.Fatalf("%v: %d ms, without pauses %d", s.Kind, s.Value, s.Net)
			}
			if s.Start != 0 && (s.From > s.At || s.Start > s.Ref) {
				t.Fatalf("%v runs backwards: %+v", s.Kind, s)
			}
		}
	})
}

func TestRepliesAndWhatStayedUnansweredAddUpToTheCustomersWaiting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := metric.Recount(metrictest.Workspace, history(t))
		for _, w := range b.Samples {
			if w.Kind != metric.CustomerWaiting {
				continue
			}
			var sum, net int64
			for _, s := range b.Samples {
				if s.Conversation == w.Conversation && (s.Kind == metric.Reply || s.Kind == metric.Unanswered) && s.Start >= w.Start && s.Ref <= w.Ref {
					sum, net = sum+s.Value, net+s.Net
				}
			}
			if sum != w.Value || net != w.Net {
				t.Fatalf("the customer waited %d (%d without pauses), the runs add up to %d (%d)", w.Value, w.Net, sum, net)
			}
		}
	})
}

func TestTheHandleTimeOfAConversationIsThatOfItsOperators(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		b := metric.Recount(metrictest.Workspace, commits)
		for _, w := range b.Samples {
			if w.Kind != metric.HandleConversation {
				continue
			}
			var sum int64
			holders := map[string]bool{}
			for _, s := range b.Samples {
				if s.Kind == metric.Handle && s.Conversation == w.Conversation && s.Stands(w.Ref.Position()) {
					if holders[s.Operator] {
						t.Fatalf("two samples of %s stand for one conversation", s.Operator)
					}
					holders[s.Operator] = true
					sum += s.Value
				}
			}
			if sum != w.Value {
				t.Fatalf("the conversation was handled %d ms, its operators handled it %d ms", w.Value, sum)
			}
		}
	})
}

func TestTheFlowOfAPeriodIsTheDifferenceOfTwoStocks(t *testing.T) {
	stock, _ := metric.Find("backlog", 0)
	flow, _ := metric.Find("backlog_flow", 0)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		b := metric.Recount(metrictest.Workspace, commits)
		start := metrictest.Start.UnixMilli() - 3600_000
		from := start + rapid.Int64Range(1, b.Now-start).Draw(t, "from")
		if rapid.Bool().Draw(t, "at an event") {
			from = commits[rapid.IntRange(0, len(commits)-1).Draw(t, "which")].Time.UnixMilli()
		}
		to := from + rapid.Int64Range(1, b.Now-start).Draw(t, "length")
		department := func(s *metric.Sample) string { return s.Department }
		ask := func(d *metric.Definition, bounds ...int64) map[string]int {
			out := map[string]int{}
			for _, row := range b.Tabulate(metric.Question{Definition: d, Bounds: bounds, Group: department}, true, true, nil).Groups {
				f := row.Total.With
				n := f.N
				if d == flow {
					n = 0
					if f.Sum != nil {
						n = int(*f.Sum)
					}
				}
				out[row.Key] += n
			}
			return out
		}
		before, after, moved := ask(stock, start, from), ask(stock, start, to), ask(flow, from, to)
		for _, d := range []string{"soporte", "ventas"} {
			if after[d]-before[d] != moved[d] {
				t.Fatalf("%s had %d open, then %d; the flow says %+d", d, before[d], after[d], moved[d])
			}
		}
	})
}

// N12: available and away time add up to the connected time, and so do occupied and idle time, over any period.
func TestPresenceAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := metric.Recount(metrictest.Workspace, history(t))
		from := metrictest.Start.UnixMilli() - 3600_000
		bounds := []int64{from, from + 2*3600_000, from + 5*3600_000, max(b.Now, from+5*3600_000) + 1}
		sum := map[string][]float64{}
		for _, name := range []string{"connected", "available", "away", "occupied", "idle"} {
			d, _ := metric.Find(name, 0)
			for _, cell := range b.Tabulate(metric.Question{Definition: d, Bounds: bounds}, true, true, nil).Total.Buckets {
				x := 0.0
				if cell.With.Sum != nil {
					x = *cell.With.Sum
				}
				sum[name] = append(sum[name], x*1000)
			}
		}
		for i := range bounds[1:] {
			if whole := int64(sum["connected"][i] + 0.5); int64(sum["available"][i]+sum["away"][i]+0.5) != whole || int64(sum["occupied"][i]+sum["idle"][i]+0.5) != whole {
				t.Fatalf("bucket %d does not add up: %v", i, sum)
			}
		}
		d, _ := metric.Find("occupancy", 0)
		for _, row := range b.Tabulate(metric.Question{Definition: d, Bounds: bounds, Group: func(s *metric.Sample) string { return s.Operator }}, true, true, nil).Groups {
			if m := row.Total.With.Mean; m != nil && (*m < 0 || *m > 1) {
				t.Fatalf("%s was occupied %v of the time", row.Key, *m)
			}
		}
	})
}

// forgetful keeps nothing of a conversation but its encoded state between two commits.
type forgetful struct {
	samples []metric.Sample
	states  map[string][]byte
	gone    *metric.Book
}

func (f *forgetful) Add(s *metric.Sample)            { f.samples = append(f.samples, *s) }
func (f *forgetful) End(k metric.Key, by metric.Ref) {}

func TestAConversationGoesOnFromItsEncodedStateAsIfItHadBeenInMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &forgetful{states: map[string][]byte{}, gone: metric.NewBook(metrictest.Workspace)}
		for _, c := range history(t) {
			f.gone.Apply(&c)
			if c.Aggregate.Category != domain.CategoryThread {
				continue
			}
			v := metric.Conversation{ID: c.Conversation, Ticket: c.Ticket, Channel: c.Channel}
			if state := f.states[c.Conversation]; state != nil {
				if err := v.UnmarshalBinary(state); err != nil {
					t.Fatal(err)
				}
				again, _ := v.AppendBinary(nil)
				if !bytes.Equal(again, state) {
					t.Fatal("the same state gave other bytes")
				}
			}
			v.Apply(&c, f.gone.Gone, f)
			f.states[c.Conversation], _ = v.AppendBinary(nil)
		}
		var want []metric.Sample
		for _, s := range f.gone.Samples {
			if s.Kind != metric.Available && s.Kind != metric.Away {
				want = append(want, s.Sample)
			}
		}
		if !reflect.DeepEqual(f.samples, want) {
			t.Fatalf("from encoded states: %+v\nin memory: %+v", f.samples, want)
		}
	})
}

func FuzzADamagedStateIsRefusedAndNeverPanics(f *testing.F) {
	b := metric.Recount("default", nil)
	var v metric.Conversation
	for i, c := range metrictest.History(func(n int) int { return 3 % n }, 20) {
		b.Apply(&c)
		if c.Conversation == "t3-1" {
			v.Apply(&c, b.Gone, &forgetful{})
		}
		if i%4 == 0 {
			state, _ := v.AppendBinary(nil)
			f.Add(state)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v metric.Conversation
		if v.UnmarshalBinary(data) != nil {
			return
		}
		again, err := v.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var w metric.Conversation
		if err := w.UnmarshalBinary(again); err != nil || !reflect.DeepEqual(v, w) {
			t.Fatalf("%+v became %+v (%v)", v, w, err)
		}
	})
}
