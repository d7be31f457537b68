package eventstoredb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/turno-desk/turno/adapters/eventstoredb"
	"github.com/turno-desk/turno/adapters/eventstoredb/esdbtest"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// The benchmarks run on the double, whose own work is next to nothing: what they measure is the adapter, the client library
// and gRPC on the loopback, with both ends on the same processors.

func bench(b *testing.B) *eventstoredb.Store {
	b.Helper()
	s, err := eventstoredb.Open(b.Context(), esdbtest.New(b).URL(), storetest.Codec(), memory.New(storetest.Codec()), eventstoredb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := bench(b)
			b.SetParallelism(writers)
			next := make(chan int, 1)
			next <- 0
			b.RunParallel(func(pb *testing.PB) {
				no := <-next
				next <- no + 1
				for v := domain.Version(0); pb.Next(); v++ {
					if _, _, err := s.Append(b.Context(), storetest.Note(no, "a text of the usual length, which is not long"), v); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1, 20, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := bench(b)
			many(b, s, n)
			for b.Loop() {
				if _, _, err := s.Load(b.Context(), storetest.Note(1, "").Aggregate, 0, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("nothing new", func(b *testing.B) {
		s := bench(b)
		many(b, s, 20)
		for b.Loop() {
			if _, _, err := s.Load(b.Context(), storetest.Note(1, "").Aggregate, 20, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const n = 10_000
	s := bench(b)
	many(b, s, n)
	for b.Loop() {
		if err := s.Read(b.Context(), 0, projections.ReadOptions{ToHead: true}, func([]domain.Commit) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func BenchmarkSettings(b *testing.B) {
	s := bench(b)
	for i := range 1000 {
		set(b, s, fmt.Sprint("d", i), 0)
	}
	b.Run("latest of 1000", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.Latest(b.Context(), "default", setting.Categories()...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("newest of 1000", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.Newest(b.Context(), "default", setting.Categories()...); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func many(b *testing.B, s *eventstoredb.Store, n int) {
	for i := range n {
		if _, _, err := s.Append(context.Background(), storetest.Note(1, "a text of the usual length, which is not long"), domain.Version(i)); err != nil {
			b.Fatal(err)
		}
	}
}
