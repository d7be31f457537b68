package contact_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
)

func lines(name, text string) map[string]domain.Personal {
	return map[string]domain.Personal{name: domain.Personal(text)}
}

func given(events ...contact.Event) contact.State {
	var s contact.State
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

func expect(t *testing.T, got []contact.Event, r *domain.Refusal, code domain.Code, want ...contact.Event) {
	t.Helper()
	if (r == nil) != (code == "") || r != nil && r.Code != code {
		t.Fatalf("refused with %v, want %q", r, code)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func TestAChangeTouchesWhatItNames(t *testing.T) {
	s := given(contact.ProfileChanged{Name: "Eva", Phone: "600", Fields: map[string]domain.Personal{"sex": "f", "dni": "1"}})

	got, r := contact.DecideChange(s, contact.Change{Lines: lines("email", " eva@example.org "), Fields: map[string]domain.Personal{"dni": "", "post": "boss"}})
	expect(t, got, r, "", contact.ProfileChanged{Name: "Eva", Email: "eva@example.org", Phone: "600",
		Fields: map[string]domain.Personal{"sex": "f", "post": "boss"}})
	if !cmp.Equal(s.Profile.Fields, map[string]domain.Personal{"sex": "f", "dni": "1"}) {
		t.Errorf("the decision changed the state: %v", s.Profile.Fields)
	}

	got, r = contact.DecideChange(s, contact.Change{Whole: true, Lines: lines("name", "Eva")})
	expect(t, got, r, "", contact.ProfileChanged{Name: "Eva"})
	got, r = contact.DecideChange(s, contact.Change{Lines: lines("name", "Eva"), Fields: map[string]domain.Personal{"sex": "f", "no": ""}})
	expect(t, got, r, "")
	got, r = contact.DecideChange(s, contact.Change{})
	expect(t, got, r, "")
}

func TestAProfileThatIsTooBigIsRefused(t *testing.T) {
	long := domain.Personal(strings.Repeat("x", 2001))
	many := map[string]domain.Personal{}
	for i := range 101 {
		many[fmt.Sprintf("f%d", i)] = "x"
	}
	for missing, c := range map[string]contact.Change{
		"company":  {Lines: lines("company", string(long))},
		"shoe":     {Lines: lines("shoe", "43")},
		"fields":   {Fields: map[string]domain.Personal{"a": long}},
		"fields ":  {Fields: map[string]domain.Personal{"A": "x"}},
		"fields  ": {Fields: many},
	} {
		if got, r := contact.DecideChange(contact.State{}, c); r == nil || !slices.Equal(r.Missing, []string{strings.TrimSpace(missing)}) || got != nil {
			t.Errorf("%s: %v, %v", missing, got, r)
		}
	}
}

func TestTagging(t *testing.T) {
	s := given(contact.Tagged{Tags: []string{"vip", "es"}})
	got, r := contact.DecideTag(s, []string{"vip", "new", "new"}, []string{"es", "gone"})
	expect(t, got, r, "", contact.Tagged{Tags: []string{"new"}}, contact.Untagged{Tags: []string{"es"}})
	if after := given(contact.Tagged{Tags: []string{"vip", "es"}}, got[0], got[1]); !slices.Equal(after.Tags, []string{"new", "vip"}) {
		t.Errorf("the tags are %v", after.Tags)
	}
	got, r = contact.DecideTag(s, []string{"vip"}, []string{"vip"})
	expect(t, got, r, "")
	got, r = contact.DecideTag(s, []string{"No tag"}, nil)
	expect(t, got, r, domain.CodeInvalid)
	var many []string
	for i := range 199 {
		many = append(many, fmt.Sprintf("t%d", i))
	}
	got, r = contact.DecideTag(s, many, nil)
	expect(t, got, r, domain.CodeInvalid)
}

func TestAnnotationsAreCounted(t *testing.T) {
	s := given(contact.Annotated{Annotation: "a1", Text: "first"})
	got, r := contact.DecideAnnotate(s, "second")
	expect(t, got, r, "", contact.Annotated{Annotation: "a2", Text: "second"})
	got, r = contact.DecideAnnotate(s, " \n")
	expect(t, got, r, domain.CodeInvalid)
}

func TestBlocking(t *testing.T) {
	got, r := contact.DecideBlock(contact.State{}, "spam")
	expect(t, got, r, "", contact.Blocked{Reason: "spam"})
	blocked := given(got[0])
	got, r = contact.DecideBlock(blocked, "more spam")
	expect(t, got, r, "")
	got, r = contact.DecideUnblock(blocked)
	expect(t, got, r, "", contact.Unblocked{})
	got, r = contact.DecideUnblock(given(contact.Blocked{}, contact.Unblocked{}))
	expect(t, got, r, "")
}

func office() *setting.Image {
	return &setting.Image{Operators: map[string]operator.Definition{
		"ana": {ID: "ana", Active: true}, "beto": {ID: "beto", Active: true}, "gone": {ID: "gone"},
	}}
}

func TestF128AnAssigneeStaysUntilSomebodyElseOrNobodyIs(t *testing.T) {
	got, r := contact.DecideAssign(contact.State{}, "ana", office())
	expect(t, got, r, "", contact.Assigned{Operator: "ana"})
	s := given(got...)
	got, r = contact.DecideAssign(s, "ana", office())
	expect(t, got, r, "")
	got, r = contact.DecideAssign(s, "beto", office())
	expect(t, got, r, "", contact.Assigned{Operator: "beto"})
	got, r = contact.DecideAssign(s, "", office())
	expect(t, got, r, "", contact.Unassigned{Operator: "ana"})
	got, r = contact.DecideAssign(s, "zoe", office())
	expect(t, got, r, domain.CodeUnknownSetting)
	got, r = contact.DecideAssign(s, "gone", office())
	expect(t, got, r, domain.CodeRetired)
}

func TestF009AContactIsUnknownUntilAProfileIsEntered(t *testing.T) {
	if given(contact.Tagged{Tags: []string{"vip"}}, contact.Blocked{}).Known {
		t.Error("tagging made it known")
	}
	got, r := contact.DecideChange(contact.State{}, contact.Change{Whole: true})
	expect(t, got, r, "", contact.ProfileChanged{})
	got, r = contact.DecideChange(given(got...), contact.Change{Whole: true})
	expect(t, got, r, "")
}

func TestF121F122EveryLineOfAProfileIsKept(t *testing.T) {
	change := contact.Change{Lines: map[string]domain.Personal{}}
	for _, name := range contact.Lines() {
		change.Lines[name] = domain.Personal(name + " of Eva")
	}
	got, r := contact.DecideChange(contact.State{}, change)
	if r != nil || len(got) != 1 {
		t.Fatal(got, r)
	}
	p := given(got...).Profile
	for _, name := range contact.Lines() {
		if *p.Line(name) != change.Lines[name] {
			t.Errorf("%s is %q", name, *p.Line(name))
		}
	}
	if p.Line("fields") != nil {
		t.Error("fields are no line")
	}
}

func TestNothingIsWrittenToAnErasedContact(t *testing.T) {
	s := given(contact.ProfileChanged{Name: "Eva"}, contact.Tagged{Tags: []string{"vip"}}, contact.Erased{Threads: []string{"t1"}})
	if s.Profile.Name != "" || !slices.Equal(s.Tags, []string{"vip"}) {
		t.Errorf("what is left is %+v", s)
	}
	if got := contact.DecideErase(s, []string{"t1"}); got != nil {
		t.Errorf("erased again: %v", got)
	}
	for name, decide := range map[string]func() ([]contact.Event, *domain.Refusal){
		"change": func() ([]contact.Event, *domain.Refusal) {
			return contact.DecideChange(s, contact.Change{Lines: lines("name", "Eva")})
		},
		"tag":      func() ([]contact.Event, *domain.Refusal) { return contact.DecideTag(s, []string{"x"}, nil) },
		"annotate": func() ([]contact.Event, *domain.Refusal) { return contact.DecideAnnotate(s, "x") },
		"block":    func() ([]contact.Event, *domain.Refusal) { return contact.DecideBlock(s, "x") },
		"assign":   func() ([]contact.Event, *domain.Refusal) { return contact.DecideAssign(s, "ana", office()) },
		"unblock":  func() ([]contact.Event, *domain.Refusal) { return contact.DecideUnblock(s) },
	} {
		t.Run(name, func(t *testing.T) {
			got, r := decide()
			expect(t, got, r, contact.CodeErased)
		})
	}
}

func TestAContactIsNamedAfterItsThread(t *testing.T) {
	thread := "t" + strings.Repeat("a2", 12) + "z"
	if got, ok := contact.Thread(contact.ID(thread)); !ok || got != thread {
		t.Errorf("%q, %t", got, ok)
	}
	for _, id := range []string{"", "c", "c1", "t" + strings.Repeat("a", 25), "c" + strings.Repeat("-", 25), "c" + strings.Repeat("A", 25), "c" + strings.Repeat("a", 26)} {
		if got, ok := contact.Thread(id); ok {
			t.Errorf("%q is a contact of %q", id, got)
		}
	}
}

func TestACommandSaidTwiceMakesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s contact.State
		line := rapid.SampledFrom([]string{"", "a", " b "})
		for range rapid.IntRange(1, 8).Draw(t, "commands") {
			var decide func(contact.State) ([]contact.Event, *domain.Refusal)
			switch rapid.IntRange(0, 4).Draw(t, "command") {
			case 0:
				c := contact.Change{Whole: rapid.Bool().Draw(t, "whole"), Lines: lines(rapid.SampledFrom(contact.Lines()).Draw(t, "line"), line.Draw(t, "text")),
					Fields: rapid.MapOf(rapid.SampledFrom([]string{"x", "y"}), rapid.SampledFrom([]domain.Personal{"", "1"})).Draw(t, "fields")}
				decide = func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideChange(s, c) }
			case 1:
				tags := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c"}))
				add, remove := tags.Draw(t, "add"), tags.Draw(t, "remove")
				decide = func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideTag(s, add, remove) }
			case 2:
				decide = func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideBlock(s, "r") }
			case 3:
				decide = contact.DecideUnblock
			case 4:
				to := rapid.SampledFrom([]string{"", "ana", "beto"}).Draw(t, "operator")
				decide = func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideAssign(s, to, office()) }
			}
			decided, r := decide(s)
			if r != nil {
				t.Fatalf("refused: %v", r)
			}
			for _, e := range decided {
				s = s.Evolve(e)
			}
			if again, r := decide(s); len(again) > 0 || r != nil {
				t.Fatalf("again: %v, %v", again, r)
			}
			if !slices.IsSorted(s.Tags) {
				t.Fatalf("tags %v", s.Tags)
			}
		}
	})
}
