package jetstream_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/projections"
)

// figures are what a run of callers measured.
type figures struct {
	perSecond float64
	p50, p99  time.Duration
}

// measure has callers do n things at once, each caller its own chain of them.
func measure(b *testing.B, callers, n int, do func(caller, i int) error) figures {
	b.Helper()
	var done atomic.Int64
	var g sync.WaitGroup
	took := make([][]time.Duration, callers)
	began := time.Now()
	for c := range callers {
		g.Go(func() {
			for i := 0; done.Add(1) <= int64(n); i++ {
				start := time.Now()
				if err := do(c, i); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], time.Since(start))
			}
		})
	}
	g.Wait()
	total := time.Since(began)
	all := slices.Concat(took...)
	slices.Sort(all)
	if len(all) == 0 {
		b.Fatal("nothing was done")
	}
	return figures{float64(len(all)) / total.Seconds(), all[len(all)/2], all[len(all)*99/100]}
}

// BenchmarkAppend compares appends with bare guarded publishes of the same messages, through the same server, in the same
// run. The commits are encoded and sealed within the measured time; the bare messages are ready made.
func BenchmarkAppend(b *testing.B) {
	for _, mode := range []jetstream.Sync{jetstream.SyncAlways, jetstream.Sync1s, jetstream.SyncOff} {
		for _, callers := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("sync=%s/callers=%d", mode, callers), func(b *testing.B) { benchmarkAppend(b, mode, callers) })
		}
	}
}

func benchmarkAppend(b *testing.B, mode jetstream.Sync, callers int) {
	server, err := jetstream.Host(b.Context(), jetstream.HostConfig{Dir: b.TempDir(), Sync: mode})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	s, err := jetstream.Open(b.Context(), nc, storetest.Codec(), jetstream.Options{Host: server})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	body := storetest.Note(1, "A note of about the usual length, which says what was agreed upon.")
	data, err := storetest.Codec().Encode(b.Context(), &body)
	if err != nil {
		b.Fatal(err)
	}
	last := make([]uint64, callers)
	bare := func(c, _ int) error {
		h := nats.Header{}
		h.Set("Turno-Prev", strconv.FormatUint(last[c], 10))
		h.Set("Turno-Command", "c0000000000000000000000000")
		ack, err := js.PublishMsg(context.Background(), &nats.Msg{Subject: "turno.bare.thread." + strconv.Itoa(c), Header: h, Data: data},
			natsjs.WithExpectLastSequencePerSubject(last[c]))
		if err == nil {
			last[c] = ack.Sequence
		}
		return err
	}
	versions := make([]domain.Version, callers)
	ours := func(c, _ int) error {
		_, v, err := s.Append(context.Background(), storetest.Note(c, "A note of about the usual length, which says what was agreed upon."), versions[c])
		if err == nil {
			versions[c] = v
		}
		return err
	}
	n := max(b.N, 50*callers)
	measure(b, callers, n/10, bare) // warm
	measure(b, callers, n/10, ours)
	b.ResetTimer()
	// Half and half, in turn, so that both meet the same noise.
	was := [2]figures{measure(b, callers, n/2, bare), {}}
	is := [2]figures{measure(b, callers, n/2, ours), {}}
	was[1] = measure(b, callers, n/2, bare)
	is[1] = measure(b, callers, n/2, ours)
	b.StopTimer()
	bareRate, rate := (was[0].perSecond+was[1].perSecond)/2, (is[0].perSecond+is[1].perSecond)/2
	b.ReportMetric(bareRate, "bare/s")
	b.ReportMetric(rate, "appends/s")
	b.ReportMetric(rate/bareRate, "ratio")
	b.ReportMetric(float64(is[1].p50.Microseconds()), "p50-µs")
	b.ReportMetric(float64(is[1].p99.Microseconds()), "p99-µs")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRead measures reading a log in bulk, sealed and open.
func BenchmarkRead(b *testing.B) {
	s := filled(b, 100_000, 200)
	for _, open := range []bool{false, true} {
		b.Run(fmt.Sprintf("open=%t", open), func(b *testing.B) {
			n, calls := 0, 0
			began := time.Now()
			for b.Loop() {
				err := s.Read(b.Context(), 1, projections.ReadOptions{Open: open, ToHead: true}, func(c []domain.Commit) error {
					n += len(c)
					calls++
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/time.Since(began).Seconds(), "commits/s")
			b.ReportMetric(float64(n)/float64(calls), "commits/chunk")
		})
	}
}

const each = 20 // commits of a thread in a log that was filled

// filled is a log of n commits: twenty on each thread, those of so many threads by turns.
func filled(b *testing.B, n, together int) *jetstream.Store {
	b.Helper()
	server, err := jetstream.Host(b.Context(), jetstream.HostConfig{Dir: b.TempDir(), Sync: jetstream.SyncOff})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Close() })
	nc, err := server.Connect()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	s, err := jetstream.Open(b.Context(), nc, storetest.Codec(), jetstream.Options{Host: server})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	// Filled past the store: what is measured is reading.
	js, err := natsjs.New(nc, natsjs.WithPublishAsyncMaxPending(4096))
	if err != nil {
		b.Fatal(err)
	}
	codec := storetest.Codec()
	prev := map[int]int{}
	bodies := map[int][]byte{}
	for i := range n {
		if i%(together*each) == 0 {
			clear(prev)
			clear(bodies)
		}
		t := i/(together*each)*together + i%together
		c := storetest.Note(t, "A note of about the usual length, which says what was agreed upon.")
		if bodies[t] == nil {
			if bodies[t], err = codec.Encode(b.Context(), &c); err != nil {
				b.Fatal(err)
			}
		}
		h := nats.Header{}
		h.Set("Turno-Prev", strconv.Itoa(prev[t]))
		h.Set("Turno-Command", "x"+strconv.Itoa(i))
		if _, err := js.PublishMsgAsync(&nats.Msg{Subject: c.Aggregate.String(), Header: h, Data: bodies[t]}, natsjs.WithStallWait(time.Minute)); err != nil {
			b.Fatal(err)
		}
		prev[t] = i + 2
	}
	<-js.PublishAsyncComplete()
	if head, err := s.Head(b.Context()); err != nil || head != domain.Position(n+1) {
		b.Fatalf("filled up to %d, %v", head, err)
	}
	return s
}

// BenchmarkLoad measures loading a conversation of twenty commits out of a log of a million, while its blocks are in the
// server's cache: conversations that took place side by side within 4,000 commits, and such as are scattered over it all.
// The first load that touches a block after ten idle seconds pays for reading its 8 MB.
func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	for name, together := range map[string]int{"within=4000": 200, "within=all": n / each} {
		b.Run(name, func(b *testing.B) {
			s := filled(b, n, together)
			load := func(i int) time.Duration {
				start := time.Now()
				commits, _, err := s.Load(context.Background(), storetest.Note(i*7919%(n/each), "").Aggregate, 0, nil)
				if err != nil || len(commits) != each {
					b.Fatalf("%d commits, %v", len(commits), err)
				}
				return time.Since(start)
			}
			for i := range 500 {
				load(i)
			}
			took := []time.Duration{}
			for i := 0; b.Loop(); i++ {
				took = append(took, load(500+i))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkLatest measures finding the newest commit of every setting, on one server and on a cluster of three.
func BenchmarkLatest(b *testing.B) {
	b.Run("replicas=1", func(b *testing.B) { benchmarkLatest(b, filled(b, 20_000, 200)) })
}

func benchmarkLatest(b *testing.B, s *jetstream.Store) {
	c := storetest.Note(1, "")
	c.Aggregate = domain.Aggregate{Workspace: "default", Category: domain.CategoryDepartment}
	c.Before, c.After, c.Conversation, c.Key, c.Ticket = nil, nil, "", "", 0
	for i := range 50 {
		c.Aggregate.ID, c.ID = "d"+strconv.Itoa(i), "latest-"+strconv.Itoa(i)
		c.Events = []domain.Event{department.Created{Definition: department.Definition{ID: c.Aggregate.ID, Name: "Sales"}}}
		if _, _, err := s.Append(b.Context(), c, 0); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if got, _, err := s.Latest(b.Context(), "default", domain.CategoryDepartment, domain.CategoryOperator); err != nil || len(got) != 50 {
			b.Fatalf("%d commits, %v", len(got), err)
		}
	}
}
