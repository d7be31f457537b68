package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// header says what the figures were measured on.
func header(w io.Writer, name string, facts ...string) {
	fmt.Fprintf(w, "%s\n  %s\n", name, strings.Join(append([]string{
		fmt.Sprintf("%s, %d cores, %s", cpu(), runtime.NumCPU(), runtime.Version()),
		"nats-server " + moduleVersion("github.com/nats-io/nats-server/v2") + ", sqlite " + moduleVersion("modernc.org/sqlite"),
	}, facts...), "\n  "))
}

func cpu() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "?"
}

// sample is what a round of calls took. It is safe for concurrent use.
type sample struct {
	mu    sync.Mutex
	took  []time.Duration
	began time.Time
	ended time.Time
}

func newSample() *sample { return &sample{began: time.Now()} }

// add notes calls of one worker.
func (s *sample) add(took []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, took...)
	s.ended = time.Now()
}

func (s *sample) rate() float64 {
	if len(s.took) == 0 {
		return 0
	}
	return float64(len(s.took)) / s.ended.Sub(s.began).Seconds()
}

func (s *sample) quantile(q float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	slices.Sort(s.took)
	return s.took[min(len(s.took)-1, int(q*float64(len(s.took))))]
}

func (s *sample) String() string {
	return fmt.Sprintf("n %d, %.0f/s, p50 %s, p99 %s", len(s.took), s.rate(), short(s.quantile(0.5)), short(s.quantile(0.99)))
}

func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(time.Microsecond).String()
	default:
		return d.Round(100 * time.Microsecond).String()
	}
}

// median is the middle one by rate.
func median(rounds []*sample) *sample {
	sorted := slices.Clone(rounds)
	slices.SortFunc(sorted, func(a, b *sample) int {
		switch {
		case a.rate() < b.rate():
			return -1
		case a.rate() > b.rate():
			return 1
		}
		return 0
	})
	return sorted[len(sorted)/2]
}

// hammer lets n workers call fn for so long and notes how long each call took. The first error ends it.
func hammer(n int, long time.Duration, fn func(worker, call int) error) (*sample, error) {
	until := time.Now().Add(long)
	return hammerWhile(n, func(int) bool { return time.Now().Before(until) }, fn)
}

// hammerTimes is hammer by a number of calls each.
func hammerTimes(n, calls int, fn func(worker, call int) error) (*sample, error) {
	return hammerWhile(n, func(call int) bool { return call < calls }, fn)
}

func hammerWhile(n int, more func(call int) bool, fn func(worker, call int) error) (*sample, error) {
	var (
		s     = newSample()
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for w := range n {
		wg.Go(func() {
			var took []time.Duration
			for call := 0; more(call); call++ {
				began := time.Now()
				if err := fn(w, call); err != nil {
					once.Do(func() { first = err })
					break
				}
				took = append(took, time.Since(began))
			}
			s.add(took)
		})
	}
	wg.Wait()
	return s, first
}
