package effects_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/effects"
	"github.com/turno-desk/turno/projections/floor"
)

// greeter answers every opening, once: a small effect that would show what is lost or done twice.
type greeter struct{}

func (greeter) Name() string { return "greeter" }

func (greeter) React(_ *floor.State, c *domain.Commit) []effects.Command {
	if !has[thread.Opened](*c) {
		return nil
	}
	return []effects.Command{{Cause: c.ID, Conversation: c.Conversation, Do: thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "Hola"}}}}
}

// greetings counts what the greeter said, by conversation.
func (d *desk) greetings() map[string]int {
	said := map[string]int{}
	for _, c := range d.commits() {
		if has[thread.Opened](c) {
			said[c.Conversation] += 0
		}
		if has[thread.MessageSent](c) {
			said[c.Conversation]++
		}
	}
	return said
}

func (d *desk) greetedOnceEach(n int) {
	d.t.Helper()
	d.until("all are greeted", func() bool {
		greeted := 0
		for _, times := range d.greetings() {
			greeted += min(times, 1)
		}
		return greeted == n
	})
	for id, times := range d.greetings() {
		if times != 1 {
			d.t.Errorf("%s was greeted %d times", id, times)
		}
	}
}

func TestAnEffectActsOnEachCommitOnceThoughAnswersAreLostAndLeadersChange(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.fail.Store(20)
	first := d.work(greeter{})
	d.leads(first)
	for i := range 30 {
		d.writes("soporte", fmt.Sprint("a", i))
	}
	second := d.work(greeter{})
	first.stop()
	for i := range 30 {
		d.writes("soporte", fmt.Sprint("b", i))
	}
	d.leads(second)
	d.greetedOnceEach(60)
	d.until("what was not answered is said again", func() bool { return d.said.Load() >= 80 })
	d.greetedOnceEach(60)
}

func TestOneOfManyWorkersLeads(t *testing.T) {
	d := newDesk(t)
	workers := []*worker{d.work(greeter{}), d.work(greeter{}), d.work(greeter{})}
	leading := func() (n int) {
		for _, w := range workers {
			if w.Leading() {
				n++
			}
		}
		return n
	}
	d.until("one leads", func() bool { return leading() == 1 })
	for range 50 {
		time.Sleep(2 * time.Millisecond) // a second leader would have to show itself
		if leading() > 1 {
			t.Fatal("two lead")
		}
	}
}

func TestANewEffectBeginsAtTheHead(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.writes("soporte", "before")
	w := d.work(greeter{})
	d.leads(w)
	d.until("it has its checkpoint", func() bool { d.writes("soporte", "after"); return d.said.Load() > 0 })
	said := d.greetings()
	if len(said) != 2 {
		t.Fatalf("%d conversations", len(said))
	}
	total := 0
	for _, n := range said {
		total += n
	}
	if total != 1 {
		t.Errorf("greeted %d times, want once: %v", total, said)
	}
}

func TestAnEffectGoesOnWhereItWas(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	w := d.work(greeter{})
	d.leads(w)
	d.writes("soporte", "1")
	d.greetedOnceEach(1)
	w.stop()
	d.writes("soporte", "2")
	d.project() // the floor is ahead of the effect
	d.work(greeter{})
	d.greetedOnceEach(2)
}

func TestAnImportStartsNoEffect(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	w := d.work(greeter{})
	d.leads(w)
	d.writes("soporte", "live")
	d.greetedOnceEach(1)
	imported := contact
	imported.Import, imported.At, imported.Key = true, d.clock.now().Add(-time.Hour), "k"
	if _, err := d.engine.Receive(t.Context(), imported, inbound("soporte", "old", "m")); err != nil {
		t.Fatal(err)
	}
	d.writes("soporte", "live too")
	d.until("the second live one is greeted", func() bool {
		total := 0
		for _, times := range d.greetings() {
			total += times
		}
		return total >= 2
	})
	for id, times := range d.greetings() {
		_, conv, err := d.engine.Conversation(t.Context(), "default", id)
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if conv.OpenedAt.Before(d.clock.now()) {
			want = 0
		}
		if times != want {
			t.Errorf("%s was greeted %d times, want %d", id, times, want)
		}
	}
}
