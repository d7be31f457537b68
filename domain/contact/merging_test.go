package contact_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

func TestF125AMergeIsOfferedConfirmedUndoneAndLeft(t *testing.T) {
	eva := given(contact.ProfileChanged{Name: "Eva", Email: "eva@example.org", Fields: map[string]domain.Personal{"plan": "a"}}, contact.Assigned{Operator: "ana"})
	e := given(contact.ProfileChanged{Name: "E.", Email: "eva@example.org", Phone: "600", Fields: map[string]domain.Personal{"plan": "b", "dni": "1"}},
		contact.Assigned{Operator: "beto"}, contact.Blocked{})

	got, r := contact.DecideOffer(e, "ceva")
	expect(t, got, r, "", contact.MergeOffered{Survivor: "ceva", Merge: 1})
	offered := e.Evolve(got[0])
	got, r = contact.DecideOffer(offered, "ceva")
	expect(t, got, r, "")
	got, r = contact.DecideOffer(offered, "cother")
	expect(t, got, r, contact.CodeMergedAway)

	got, r = contact.DecideMerge(eva, "ce", offered)
	expect(t, got, r, "", contact.Merged{Contact: "ce", Merge: 1, Conflicts: []string{"name", "fields.plan", "assignee", "blocked"}})
	merged := eva.Evolve(got[0])
	got, r = contact.DecideMerge(merged, "ce", offered)
	expect(t, got, r, "")
	if !merged.Held("ce", 1) || merged.Held("ce", 2) || eva.Held("ce", 1) {
		t.Error("who holds what is wrong")
	}

	got, r = contact.DecideUnmerge(merged, "ce", 1)
	expect(t, got, r, "", contact.Unmerged{Contact: "ce", Merge: 1})
	undone := merged.Evolve(got[0])
	got, r = contact.DecideUnmerge(undone, "ce", 1)
	expect(t, got, r, "")
	got, r = contact.DecideMerge(undone, "ce", offered)
	expect(t, got, r, contact.CodeWithdrawn)

	got = contact.DecideSeparate(offered, "ce", "ceva", 1, undone)
	expect(t, got, nil, "", contact.Separated{Survivor: "ceva", Merge: 1, Whole: true})
	alone := offered.Evolve(got[0])
	expect(t, contact.DecideSeparate(alone, "ce", "ceva", 1, undone), nil, "")
	got, r = contact.DecideOffer(alone, "ceva")
	expect(t, got, r, "", contact.MergeOffered{Survivor: "ceva", Merge: 2})

	alone.Merges = 0
	if diff := cmp.Diff(e, alone); diff != "" {
		t.Errorf("a merge and its undoing changed the contact (-before +after):\n%s", diff)
	}
}

func TestAMergedAwayContactRefusesEditsAndNamesItsSurvivor(t *testing.T) {
	s := given(contact.ProfileChanged{Name: "E."}, contact.MergeOffered{Survivor: "ceva", Merge: 1})
	for name, decide := range map[string]func() ([]contact.Event, *domain.Refusal){
		"change": func() ([]contact.Event, *domain.Refusal) {
			return contact.DecideChange(s, contact.Change{Lines: lines("name", "E.")})
		},
		"tag":      func() ([]contact.Event, *domain.Refusal) { return contact.DecideTag(s, nil, []string{"x"}) },
		"annotate": func() ([]contact.Event, *domain.Refusal) { return contact.DecideAnnotate(s, "x") },
		"assign":   func() ([]contact.Event, *domain.Refusal) { return contact.DecideAssign(s, "", office()) },
		"block":    func() ([]contact.Event, *domain.Refusal) { return contact.DecideBlock(s, "x") },
		"unblock":  func() ([]contact.Event, *domain.Refusal) { return contact.DecideUnblock(s) },
		"merge": func() ([]contact.Event, *domain.Refusal) {
			return contact.DecideMerge(s, "cx", contact.State{Merges: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := decide()
			expect(t, got, r, contact.CodeMergedAway)
			if !slices.Equal(r.Missing, []string{"contact:ceva"}) {
				t.Errorf("it names %v", r.Missing)
			}
		})
	}
}

func TestGroupsHaveOneLevelAndALimit(t *testing.T) {
	s := given(contact.Merged{Contact: "ca", Merge: 1})
	got, r := contact.DecideOffer(s, "cother")
	expect(t, got, r, contact.CodeSurvivor)
	got, r = contact.DecideOffer(given(contact.Merged{Contact: "ca", Merge: 1}, contact.Unmerged{Contact: "ca", Merge: 1}), "cother")
	expect(t, got, r, "", contact.MergeOffered{Survivor: "cother", Merge: 1})
	for i := range contact.MaxMerged {
		s = s.Evolve(contact.Merged{Contact: fmt.Sprint("c", i), Merge: 1})
	}
	got, r = contact.DecideMerge(s, "cb", contact.State{Merges: 1})
	expect(t, got, r, contact.CodeTooMany)
}

func TestAnErasedContactIsMergedWithNobodyAndStaysMerged(t *testing.T) {
	got, r := contact.DecideOffer(contact.State{Erased: true}, "cx")
	expect(t, got, r, contact.CodeErased)
	got, r = contact.DecideMerge(contact.State{Erased: true}, "cx", contact.State{Merges: 1})
	expect(t, got, r, contact.CodeErased)
	erased := given(contact.Merged{Contact: "ca", Merge: 1}, contact.Erased{})
	got, r = contact.DecideUnmerge(erased, "ca", 1)
	expect(t, got, r, contact.CodeErased)
	got, r = contact.DecideUnmerge(erased, "cb", 1)
	expect(t, got, r, "", contact.Unmerged{Contact: "cb", Merge: 1})
}

// TestMergesStayStarsWhateverComesLate lets several merges and un-merges of few contacts run at once, each stopped between
// any two of its steps for as long as it likes, or for ever.
func TestMergesStayStarsWhateverComesLate(t *testing.T) {
	ids := []string{"ca", "cb", "cc"}
	rapid.Check(t, func(t *rapid.T) {
		states := map[string]contact.State{}
		apply := func(id string, events []contact.Event) {
			s := states[id]
			for _, e := range events {
				s = s.Evolve(e)
			}
			states[id] = s
		}
		var waiting []func() // the next step of each command that is under way
		undo := func(survivor, id string, merge int) func() {
			return func() {
				events, r := contact.DecideUnmerge(states[survivor], id, merge)
				if r != nil {
					t.Fatalf("un-merge refused: %v", r)
				}
				apply(survivor, events)
				waiting = append(waiting, func() { apply(id, contact.DecideSeparate(states[id], id, survivor, merge, states[survivor])) })
			}
		}
		pair := func() (string, string) {
			two := rapid.Permutation(ids).Draw(t, "pair")
			return two[0], two[1]
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				survivor, id := pair()
				events, r := contact.DecideOffer(states[id], survivor)
				if r != nil {
					continue
				}
				apply(id, events)
				other := states[id]
				waiting = append(waiting, func() {
					events, r := contact.DecideMerge(states[survivor], id, other)
					apply(survivor, events)
					if r != nil {
						waiting = append(waiting, undo(survivor, id, other.Merges))
					}
				})
			case 1:
				survivor, id := pair()
				if s := states[id]; s.Survivor == survivor {
					waiting = append(waiting, undo(survivor, id, s.Merges))
				}
			default:
				if len(waiting) > 0 {
					i := rapid.IntRange(0, len(waiting)-1).Draw(t, "which")
					next := waiting[i]
					waiting = slices.Delete(waiting, i, i+1)
					next()
				}
			}
			holders := map[string]int{}
			for survivor, s := range maps.All(states) {
				if len(s.Order) > 0 && s.Survivor != "" {
					t.Fatalf("%s holds %v and offered itself to %s: a chain", survivor, s.Order, s.Survivor)
				}
				for _, id := range s.Order {
					if holders[id]++; holders[id] > 1 {
						t.Fatalf("%s is held twice", id)
					}
					if m := states[id]; m.Survivor != survivor || !s.Held(id, m.Merges) {
						t.Fatalf("%s holds %s by %v, which stands at merge %d into %q and takes edits", survivor, id, s.Holds[id], m.Merges, m.Survivor)
					}
				}
			}
		}
	})
}

// F136 N14: of two that are merged the survivor's values are shown, the other's where it has none, and neither is changed by that.
func TestTwoContactsAreShownTogether(t *testing.T) {
	survivor := contact.State{Tags: []string{"vip"}, Assignee: "ana", Known: true, Profile: contact.Profile{
		Name: "Ana", Fields: map[string]domain.Personal{"plan": "Hogar", "vacio": ""}}}
	other := contact.State{Tags: []string{"nuevo"}, Assignee: "beto", Blocked: true, Profile: contact.Profile{
		Name: "Anita", Company: "ACME", Fields: map[string]domain.Personal{"plan": "Empresa", "vacio": "no", "zona": "sur"}}}
	got := contact.Together(survivor, other)
	want := contact.State{Tags: []string{"vip", "nuevo"}, Assignee: "ana", Known: true, Profile: contact.Profile{
		Name: "Ana", Company: "ACME", Fields: map[string]domain.Personal{"plan": "Hogar", "vacio": "no", "zona": "sur"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if survivor.Profile.Company != "" || other.Profile.Fields["plan"] != "Empresa" || len(survivor.Profile.Fields) != 2 {
		t.Errorf("they were changed: %+v, %+v", survivor, other)
	}
}
