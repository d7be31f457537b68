package stats

import (
	"bytes"
	"strconv"

	"github.com/turno-desk/turno/domain/metric"
)

// Millis is a duration in milliseconds, written in seconds.
type Millis int64

// MarshalJSON writes seconds.
func (m Millis) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(m)/1000, 'f', -1, 64), nil
}

// Number is what is published of a set of samples. In JSON the names of durations end in _s, in seconds: n, sum_s, mean_s,
// p50_s, p90_s, p95_s, max_s; others are n, sum, mean … Whatever a metric does not have is absent; what it has but
// without a sample is null.
type Number struct {
	metric.Figure
	Unit metric.Unit
}

// MarshalJSON writes the number as the type's comment says.
func (n Number) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes(), nil
}

// MarshalJSON writes the number with the pair beside it.
func (c Cell) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	c.fields(&b)
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalJSON writes the bounds and the cell as one object.
func (p Period) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	from, _ := p.From.MarshalJSON()
	to, _ := p.To.MarshalJSON()
	b.WriteString(`{"from":`)
	b.Write(from)
	b.WriteString(`,"to":`)
	b.Write(to)
	b.WriteByte(',')
	p.Cell.fields(&b)
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (c Cell) fields(b *bytes.Buffer) {
	c.Number.fields(b)
	if c.WithoutPauses != nil {
		b.WriteString(`,"without_pauses":`)
		c.WithoutPauses.write(b)
	}
}

func (n Number) write(b *bytes.Buffer) {
	b.WriteByte('{')
	n.fields(b)
	b.WriteByte('}')
}

func (n Number) fields(b *bytes.Buffer) {
	suffix := ""
	if n.Unit == metric.Seconds {
		suffix = "_s"
	}
	b.WriteString(`"n":` + strconv.Itoa(n.N))
	for _, f := range []struct {
		name string
		has  metric.Parts
		v    *float64
	}{
		{"sum", metric.HasSum, n.Sum}, {"mean", metric.HasMean, n.Mean}, {"p50", metric.HasPercentiles, n.P50},
		{"p90", metric.HasPercentiles, n.P90}, {"p95", metric.HasPercentiles, n.P95}, {"max", metric.HasMax, n.Max},
		{"share_4_5", metric.HasShare, n.Share},
	} {
		if n.Has&f.has == 0 {
			continue
		}
		s := suffix
		if f.has == metric.HasShare {
			s = ""
		}
		b.WriteString(`,"` + f.name + s + `":`)
		if f.v == nil {
			b.WriteString("null")
			continue
		}
		b.Write(strconv.AppendFloat(nil, *f.v, 'f', -1, 64))
	}
	if n.Has&metric.HasDistribution != 0 {
		b.WriteString(`,"distribution":[`)
		for i, c := range n.Distribution {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(c))
		}
		b.WriteByte(']')
	}
}
