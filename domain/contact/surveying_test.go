package contact_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func asked(member, survey string, at time.Time, sent bool) contact.Asked {
	return contact.Asked{Contact: member, Survey: survey, At: at, Sent: sent}
}

func reserve(self, member, survey string) contact.Reserve {
	return contact.Reserve{Self: self, Contact: member, Survey: survey, Cap: 12 * time.Hour}
}

// F113 D7: room for one survey is reserved before it is sent; the cap counts from where it was accepted.
func TestRoomForASurveyIsReservedOnce(t *testing.T) {
	got, r := contact.DecideReserve(contact.State{}, reserve("ca", "ca", "s1"), noon)
	expect(t, got, r, "", contact.SurveyReserved{Asked: asked("ca", "s1", noon, false)})
	reserved := given(got[0])

	got, r = contact.DecideReserve(reserved, reserve("ca", "ca", "s1"), noon.Add(29*time.Second))
	expect(t, got, r, "")
	got, r = contact.DecideReserve(reserved, reserve("ca", "ca", "s1"), noon.Add(30*time.Second))
	expect(t, got, r, "", contact.SurveyReserved{Asked: asked("ca", "s1", noon.Add(30*time.Second), false)})
	got, r = contact.DecideReserve(reserved, reserve("ca", "ca", "s2"), noon.Add(12*time.Hour+59*time.Second))
	expect(t, got, r, contact.CodeSurveyCap)
	got, r = contact.DecideReserve(reserved, reserve("ca", "ca", "s2"), noon.Add(12*time.Hour+time.Minute))
	expect(t, got, r, "", contact.SurveyReserved{Asked: asked("ca", "s2", noon.Add(12*time.Hour+time.Minute), false)})

	got, r = contact.DecideConfirm(reserved, "ca", asked("ca", "s1", noon.Add(5*time.Second), false))
	expect(t, got, r, "", contact.SurveyConfirmed{Asked: asked("ca", "s1", noon.Add(5*time.Second), true)})
	sent := reserved.Evolve(got[0])
	got, r = contact.DecideConfirm(sent, "ca", asked("ca", "s1", noon.Add(5*time.Second), false))
	expect(t, got, r, "")
	got, r = contact.DecideRelease(sent, "ca", "ca", "s1")
	expect(t, got, r, "")
	got, r = contact.DecideReserve(sent, reserve("ca", "ca", "s2"), noon.Add(12*time.Hour+4*time.Second))
	expect(t, got, r, contact.CodeSurveyCap)
	if got, r = contact.DecideReserve(sent, reserve("ca", "ca", "s2"), noon.Add(12*time.Hour+5*time.Second)); r != nil || len(got) != 1 {
		t.Errorf("after the cap: %v, %v", got, r)
	}

	got, r = contact.DecideRelease(reserved, "ca", "ca", "s1")
	expect(t, got, r, "", contact.SurveyReleased{Contact: "ca", Survey: "s1"})
	if got, r = contact.DecideReserve(reserved.Evolve(got[0]), reserve("ca", "ca", "s2"), noon); r != nil || len(got) != 1 {
		t.Errorf("after it was given back: %v, %v", got, r)
	}
}

// A survey whose outcome was told only after a later one was sent gives its room back all the same, and hides nothing newer.
func TestAnOutcomeThatIsToldLateIsNoted(t *testing.T) {
	later := noon.Add(13 * time.Hour)
	s := given(contact.SurveyReserved{Asked: asked("ca", "s1", noon, false)}, contact.SurveyReserved{Asked: asked("ca", "s2", later, false)},
		contact.SurveyConfirmed{Asked: asked("ca", "s2", later, true)})
	got, r := contact.DecideConfirm(s, "ca", asked("ca", "s1", noon, false))
	expect(t, got, r, "", contact.SurveyConfirmed{Asked: asked("ca", "s1", noon, true)})
	s = s.Evolve(got[0])
	if diff := cmp.Diff([]contact.Asked{asked("ca", "s2", later, true)}, s.Asked); diff != "" {
		t.Error(diff)
	}
	got, r = contact.DecideConfirm(s, "ca", asked("ca", "s1", noon, false))
	expect(t, got, r, "")
}

func TestNobodyIsAskedWhoIsBlockedOrErased(t *testing.T) {
	got, r := contact.DecideReserve(given(contact.Blocked{}), reserve("ca", "ca", "s1"), noon)
	expect(t, got, r, contact.CodeBlocked)
	got, r = contact.DecideReserve(given(contact.Erased{}), reserve("ca", "ca", "s1"), noon)
	expect(t, got, r, contact.CodeErased)
}

// F113 D7: the survivor of a merge decides for all; a merge brings what was reserved and sent along, an un-merge gives each
// what is its own.
func TestMergesCarryTheSurveysOver(t *testing.T) {
	other := given(
		contact.SurveyConfirmed{Asked: asked("cb", "old", noon.Add(-time.Hour), true)}, contact.SurveyReserved{Asked: asked("cb", "b1", noon, false)},
		contact.MergeOffered{Survivor: "ca", Merge: 1})
	got, r := contact.DecideReserve(other, reserve("cb", "cb", "b2"), noon)
	expect(t, got, r, contact.CodeMergedAway)
	got, r = contact.DecideReserve(contact.State{}, reserve("ca", "cb", "b2"), noon)
	expect(t, got, r, contact.CodeNotHeld)

	got, r = contact.DecideMerge(contact.State{}, "cb", other)
	expect(t, got, r, "", contact.Merged{Contact: "cb", Merge: 1,
		Asked: []contact.Asked{asked("cb", "old", noon.Add(-time.Hour), true), asked("cb", "b1", noon, false)}})
	survivor := given(got[0])
	got, r = contact.DecideReserve(survivor, reserve("ca", "ca", "a1"), noon.Add(time.Hour))
	expect(t, got, r, contact.CodeSurveyCap)
	got, r = contact.DecideConfirm(survivor, "ca", asked("cb", "b1", noon, false))
	expect(t, got, r, "", contact.SurveyConfirmed{Asked: asked("cb", "b1", noon, true)})
	survivor = survivor.Evolve(got[0])
	if diff := cmp.Diff([]contact.Asked{asked("cb", "b1", noon, true)}, survivor.Asked); diff != "" {
		t.Errorf("of what was sent the newest is remembered: %s", diff)
	}

	apart := survivor.Evolve(contact.Unmerged{Contact: "cb", Merge: 1})
	if got, r = contact.DecideReserve(apart, reserve("ca", "ca", "a1"), noon.Add(time.Hour)); r != nil || len(got) != 1 {
		t.Errorf("another person's survey counts: %v, %v", got, r)
	}
	got, r = contact.DecideConfirm(apart, "ca", asked("cb", "b1", noon, false))
	expect(t, got, r, contact.CodeNotHeld)
	events := contact.DecideSeparate(other, "cb", "ca", 1, apart)
	expect(t, events, nil, "", contact.Separated{Survivor: "ca", Merge: 1, Asked: []contact.Asked{asked("cb", "b1", noon, true)}, Whole: true})
	alone := other.Evolve(events[0])
	if diff := cmp.Diff([]contact.Asked{asked("cb", "b1", noon, true)}, alone.Asked); diff != "" {
		t.Errorf("what it remembers itself: %s", diff)
	}
	before := other.Evolve(contact.Separated{Survivor: "ca", Merge: 1}) // as it was once written
	if diff := cmp.Diff(other.Asked, before.Asked); diff != "" {
		t.Errorf("an event of before took its surveys away: %s", diff)
	}
	refused := contact.State{}.Evolve(contact.Unmerged{Contact: "cb", Merge: 1}) // by a survivor that never held it
	events = contact.DecideSeparate(other, "cb", "ca", 1, refused)
	if diff := cmp.Diff(other.Asked, other.Evolve(events[0]).Asked); diff != "" {
		t.Errorf("a merge that came to nothing left a trace: %s", diff)
	}
	got, r = contact.DecideReserve(alone, reserve("cb", "cb", "b2"), noon.Add(time.Hour))
	expect(t, got, r, contact.CodeSurveyCap)
}

// What is remembered of reservations whose outcome nobody told stays small.
func TestFewReservationsAreRemembered(t *testing.T) {
	var s contact.State
	for i := range 30 {
		at := noon.Add(time.Duration(i) * 24 * time.Hour)
		got, r := contact.DecideReserve(s, reserve("ca", "ca", at.Format(time.DateOnly)), at)
		if r != nil {
			t.Fatal(r)
		}
		s = s.Evolve(got[0])
	}
	if len(s.Asked) != 10 || s.Asked[9].Survey != noon.Add(29*24*time.Hour).Format(time.DateOnly) {
		t.Errorf("%d are remembered, the last %+v", len(s.Asked), s.Asked[len(s.Asked)-1])
	}
	var r *domain.Refusal
	if _, r = contact.DecideReserve(s, reserve("ca", "ca", "more"), noon.Add(29*24*time.Hour+time.Hour)); r == nil {
		t.Error("the newest is forgotten")
	}
}
