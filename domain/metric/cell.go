package metric

import (
	"math"
	"slices"
)

// cell gathers the samples of one group and bucket.
type cell struct {
	n             int
	sum, net      int64
	values, nets  []int64 // timed only
	scores        [5]int
	conversations map[string]struct{}
}

func (c *cell) add(d *Definition, s *Sample) {
	switch d.shape {
	case timed:
		c.values = append(c.values, s.Value)
		if d.Pauses {
			c.nets = append(c.nets, s.Net)
		}
		c.net += s.Net
	case scored:
		if s.Value >= 1 && s.Value <= 5 {
			c.scores[s.Value-1]++
		}
	case distinct:
		if c.conversations == nil {
			c.conversations = map[string]struct{}{}
		}
		c.conversations[s.Conversation] = struct{}{}
	case flowed:
		c.n++
		c.sum += int64(d.Weight(s))
		return
	}
	c.n++
	c.sum += d.Worth(s)
}

func (c *cell) merge(o *cell) {
	c.n, c.sum, c.net = c.n+o.n, c.sum+o.sum, c.net+o.net
	c.values, c.nets = append(c.values, o.values...), append(c.nets, o.nets...)
	for i := range c.scores {
		c.scores[i] += o.scores[i]
	}
	if o.conversations == nil {
		return
	}
	if c.conversations == nil {
		c.conversations = make(map[string]struct{}, len(o.conversations))
	}
	for k := range o.conversations {
		c.conversations[k] = struct{}{}
	}
}

func (c *cell) pair(d *Definition) Pair {
	switch d.shape {
	case timed:
		p := Pair{With: durations(c.values, c.sum)}
		if p.Without = p.With; d.Pauses {
			p.Without = durations(c.nets, c.net)
		}
		return p
	case distinct:
		return even(Figure{N: len(c.conversations)})
	case shared, responded:
		f := Figure{N: c.n, Has: HasSum | HasMean}
		if c.n > 0 {
			f.Sum, f.Mean = number(float64(c.sum)), number(round(float64(c.sum)/float64(c.n)))
		}
		return even(f)
	case scored:
		f := Figure{N: c.n, Has: HasMean | HasShare | HasDistribution, Distribution: c.scores}
		if c.n > 0 {
			f.Mean = number(round(float64(c.sum) / float64(c.n)))
			f.Share = number(round(float64(c.scores[3]+c.scores[4]) / float64(c.n)))
		}
		return even(f)
	case flowed:
		f := Figure{N: c.n, Has: HasSum}
		if c.n > 0 {
			f.Sum = number(float64(c.sum))
		}
		return even(f)
	}
	return even(Figure{N: c.n})
}

func even(f Figure) Pair { return Pair{f, f} }

// durations is the figure of milliseconds, in seconds. It sorts them. Percentiles are exact, by nearest rank: the smallest
// sample that at least that share of all does not exceed.
func durations(ms []int64, sum int64) Figure {
	f := Figure{N: len(ms), Has: HasSum | HasMean | HasPercentiles | HasMax}
	if len(ms) == 0 {
		return f
	}
	slices.Sort(ms)
	at := func(percent int) *float64 {
		return number(float64(ms[(len(ms)*percent+99)/100-1]) / 1000)
	}
	f.Sum = number(float64(sum) / 1000)
	f.Mean = number(round(float64(sum) / float64(len(ms)) / 1000))
	f.P50, f.P90, f.P95, f.Max = at(50), at(90), at(95), at(100)
	return f
}

// round keeps six decimals, so that a number reads the same wherever it is shown.
func round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

func number(x float64) *float64 { return &x }
