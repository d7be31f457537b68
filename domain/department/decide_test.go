package department_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
)

func sales(change func(*department.Definition)) department.Definition {
	d := department.Definition{ID: "sales", Name: "Sales"}
	if change != nil {
		change(&d)
	}
	return d
}

func put(d department.Definition) department.Put {
	return department.Put{ID: d.ID, Name: d.Name, Capacity: d.Capacity, Close: d.Close, Settings: d.Settings}
}

func TestPuttingADepartment(t *testing.T) {
	guarded := func(d *department.Definition) {
		d.Close = department.Guards{Fields: []string{"a", "b"}, Category: true}
	}
	retired := func(d *department.Definition) { d.Retired = true }
	for name, c := range map[string]struct {
		given   department.Definition
		when    department.Put
		then    []department.Event
		missing []string
	}{
		"the first time creates it": {when: put(sales(nil)), then: []department.Event{department.Created{Definition: sales(nil)}}},
		"the same again is nothing": {given: sales(guarded), when: put(sales(guarded))},
		"order and repetition of fields don't count": {given: sales(guarded), when: put(sales(func(d *department.Definition) {
			d.Close = department.Guards{Fields: []string{"b", "a", "b"}, Category: true}
		}))},
		"with other guards changes it": {given: sales(nil), when: put(sales(guarded)), then: []department.Event{department.Changed{Definition: sales(guarded)}}},
		"brings a retired one back":    {given: sales(retired), when: put(sales(nil)), then: []department.Event{department.Changed{Definition: sales(nil)}}},
		"with everything wrong names everything": {
			when:    department.Put{ID: "-", Name: " ", Capacity: 1001, Close: department.Guards{Fields: []string{"Motivo"}}, Settings: department.Settings{ReopenWithin: -1}},
			missing: []string{"id", "name", "capacity", "close.fields", "settings.reopen_within_s"}},
		"whose words at the end of a session ask for what nobody knows is refused": {
			when: put(sales(func(d *department.Definition) {
				d.Settings = department.Settings{SessionEndedMessage: "Goodbye {{contact.name}}, your shoe size is {{shoe.size}}." + strings.Repeat("!", department.MaxMessage)}
			})), missing: []string{"settings.session_ended_message", "settings.session_ended_message.variable:shoe.size"}},
		"that offers to nobody, or waits for ever, is refused": {
			when: put(sales(func(d *department.Definition) {
				d.Settings = department.Settings{OfferTo: -1, OfferTimeout: 3601}
			})), missing: []string{"settings.offer_to", "settings.offer_timeout_s"}},
		"that offers what it gives by a rule is refused": {
			when: put(sales(func(d *department.Definition) {
				d.Settings = department.Settings{OfferTo: 3, Distribution: department.Automatic}
			})), missing: []string{"settings.offer_to"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := department.DecidePut(c.given, c.when)
			if (r == nil) != (c.missing == nil) || r != nil && (r.Code != domain.CodeInvalid || !slices.Equal(r.Missing, c.missing)) {
				t.Fatalf("refused with %v, want %v", r, c.missing)
			}
			if diff := cmp.Diff(c.then, got); diff != "" {
				t.Errorf("events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetiringADepartment(t *testing.T) {
	got, r := department.DecideRetire(sales(nil), []string{"channel:web", "operator:ana"})
	if r == nil || r.Code != domain.CodeInUse || !r.OnSettings || !slices.Equal(r.Missing, []string{"channel:web", "operator:ana"}) || got != nil {
		t.Errorf("in use: %v, %v", got, r)
	}
	retired := sales(func(d *department.Definition) { d.Retired = true })
	if got, r = department.DecideRetire(sales(nil), nil); r != nil || !cmp.Equal(got, []department.Event{department.Retired{Definition: retired}}) {
		t.Errorf("unused: %v, %v", got, r)
	}
	if got, r = department.DecideRetire(retired, []string{"channel:web"}); r != nil || got != nil {
		t.Errorf("again: %v, %v", got, r)
	}
	if _, r = department.DecideRetire(department.Definition{}, nil); r == nil || r.Code != domain.CodeNotFound {
		t.Errorf("unknown: %v", r)
	}
}

func TestWhateverIsPutTwiceMakesOneEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var is department.Definition
		for range rapid.IntRange(1, 4).Draw(t, "puts") {
			p := department.Put{
				ID: "sales", Name: rapid.StringMatching(`[a-z ]{0,4}`).Draw(t, "name"), Capacity: rapid.IntRange(-1, 2).Draw(t, "capacity"),
				Close: department.Guards{Fields: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "C"}), 0, 3).Draw(t, "fields"),
					Summary: rapid.Bool().Draw(t, "summary")},
				Settings: department.Settings{KeepOnClose: rapid.Bool().Draw(t, "keep"), ReopenWithin: rapid.Int64Range(-1, 2).Draw(t, "reopen")},
			}
			decided, refused := department.DecidePut(is, p)
			if refused != nil {
				continue
			}
			if len(decided) > 0 {
				is = department.DefinitionOf(decided[0])
			}
			if again, r := department.DecidePut(is, p); len(again) > 0 || r != nil {
				t.Fatalf("again: %v, %v", again, r)
			}
		}
	})
}
