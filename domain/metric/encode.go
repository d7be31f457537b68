package metric

import (
	"encoding/binary"
	"errors"

	"github.com/turno-desk/turno/domain"
)

// stateFormat is the first byte of an encoded conversation. A change of the fields is another number.
const stateFormat = 4

var errState = errors.New("metric: the state of a conversation is damaged")

// AppendBinary adds what the conversation remembers to b, without ID, Ticket and Channel, which its keeper has. The same
// state gives the same bytes.
func (v *Conversation) AppendBinary(b []byte) ([]byte, error) {
	e := encoder{b: append(b, stateFormat), at: v.Episode.At, ref: v.Episode.Ref}
	e.int(v.Episode.At)
	e.int(int64(v.Episode.Ref))
	e.int(v.Last - e.at)
	e.text(v.State)
	e.text(v.Department)
	e.text(v.Owner)
	e.flags(v.Outbound, v.Assigned, v.Answered, v.Silent, v.Queued)
	for _, m := range []Mark{v.Begun, v.Since, v.Entry, v.First, v.Run, v.Take, v.HandOff} {
		e.mark(m)
	}
	for _, n := range []int64{
		v.Gone, v.Paused, int64(v.Waits), v.Waited, int64(v.Runs), v.RunSum, v.RunNet, int64(v.Human), v.Handled,
	} {
		e.int(n)
	}
	for _, k := range []Key{v.Touch, v.Handle, v.Rating} {
		e.int(int64(k.Kind))
		e.mark(Mark{At: k.At, Ref: k.Ref})
	}
	e.int(int64(len(v.Holders)))
	for _, h := range v.Holders {
		e.text(h.Operator)
		e.int(h.Handled)
		e.mark(Mark{At: h.At, Ref: h.Ref})
	}
	e.int(int64(len(v.Offers)))
	for _, o := range v.Offers {
		e.text(o.Operator)
		e.mark(o.Mark)
	}
	a := v.Survey
	e.flags(a.Kind != 0, a.Answered)
	if a.Kind != 0 {
		e.mark(Mark{At: a.At, Ref: a.Ref})
		e.int(a.Expires - a.At)
		e.text(a.Operator)
		e.text(a.Department)
		e.text(a.Scale)
	}
	return e.b, nil
}

// UnmarshalBinary sets what AppendBinary wrote and leaves ID, Ticket and Channel alone. It fails on anything else.
func (v *Conversation) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != stateFormat {
		return errState
	}
	d := decoder{b: b[1:]}
	*v = Conversation{ID: v.ID, Ticket: v.Ticket, Channel: v.Channel}
	v.Episode.At, v.Episode.Ref = d.int(), Ref(d.int())
	d.at, d.ref = v.Episode.At, v.Episode.Ref
	v.Last = d.at + d.int()
	v.State, v.Department, v.Owner = d.text(), d.text(), d.text()
	d.flags(&v.Outbound, &v.Assigned, &v.Answered, &v.Silent, &v.Queued)
	for _, m := range []*Mark{&v.Begun, &v.Since, &v.Entry, &v.First, &v.Run, &v.Take, &v.HandOff} {
		*m = d.mark()
	}
	v.Gone, v.Paused, v.Waits, v.Waited = d.int(), d.int(), int(d.int()), d.int()
	v.Runs, v.RunSum, v.RunNet, v.Human, v.Handled = int(d.int()), d.int(), d.int(), int(d.int()), d.int()
	for _, k := range []*Key{&v.Touch, &v.Handle, &v.Rating} {
		kind := Kind(d.int())
		m := d.mark()
		*k = Key{Kind: kind, At: m.At, Ref: m.Ref}
	}
	for n := d.int(); n > 0 && !d.bad; n-- {
		h := Holder{Operator: d.text(), Handled: d.int()}
		m := d.mark()
		h.At, h.Ref = m.At, m.Ref
		v.Holders = append(v.Holders, h)
	}
	for n := d.int(); n > 0 && !d.bad; n-- {
		v.Offers = append(v.Offers, Offer{Operator: d.text(), Mark: d.mark()})
	}
	var asked bool
	if d.flags(&asked, &v.Survey.Answered); asked {
		m := d.mark()
		v.Survey.Key = Key{Kind: Surveyed, At: m.At, Ref: m.Ref}
		v.Survey.Expires = m.At + d.int()
		v.Survey.Operator, v.Survey.Department, v.Survey.Scale = d.text(), d.text(), d.text()
	}
	if d.bad || len(d.b) > 0 {
		return errState
	}
	return nil
}

// encoder writes numbers as varints, and marks as their distance from the episode's.
type encoder struct {
	b   []byte
	at  int64
	ref Ref
}

func (e *encoder) int(n int64) { e.b = binary.AppendVarint(e.b, n) }

func (e *encoder) text(s string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) flags(flags ...bool) {
	var bits byte
	for i, f := range flags {
		if f {
			bits |= 1 << i
		}
	}
	e.b = append(e.b, bits)
}

func (e *encoder) mark(m Mark) {
	if !m.set() {
		e.b = append(e.b, 0)
		return
	}
	e.b = append(e.b, 1)
	e.int(m.At - e.at)
	e.int(int64(m.Ref - e.ref))
	e.int(m.Paused)
}

type decoder struct {
	b   []byte
	at  int64
	ref Ref
	bad bool
}

func (d *decoder) int() int64 {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) text() string {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > domain.MaxID || uint64(len(d.b)-size) < n {
		d.bad, d.b = true, nil
		return ""
	}
	s := string(d.b[size : size+int(n)])
	d.b = d.b[size+int(n):]
	return s
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) flags(flags ...*bool) {
	bits := d.byte()
	for i, f := range flags {
		*f = bits&(1<<i) != 0
	}
}

func (d *decoder) mark() Mark {
	switch d.byte() {
	case 0:
		return Mark{}
	case 1:
		if m := (Mark{At: d.at + d.int(), Ref: d.ref + Ref(d.int()), Paused: d.int()}); m.set() {
			return m
		}
	}
	d.bad = true
	return Mark{}
}
