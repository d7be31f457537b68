package contact_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// F125: what a file says of a contact is one decision, and saying it again is nothing.
func TestAnEntryIsOneDecision(t *testing.T) {
	e := contact.Entry{Channel: "web", Identity: "i1", Tags: []string{"vip"}, Change: contact.Change{Lines: lines("name", "Eva")}}
	got, r := contact.DecideEnter(contact.State{}, e)
	expect(t, got, r, "", contact.Added{Channel: "web", Identity: "i1"}, contact.ProfileChanged{Name: "Eva"}, contact.Tagged{Tags: []string{"vip"}})

	entered := given(got...)
	got, r = contact.DecideEnter(entered, e)
	expect(t, got, r, "")

	got, r = contact.DecideEnter(contact.State{}, contact.Entry{Channel: "web", Identity: "i1"})
	expect(t, got, r, "", contact.Added{Channel: "web", Identity: "i1"})
	if given(got...).Known {
		t.Error("an address alone makes a known contact")
	}
	for name, bad := range map[string]contact.Entry{
		"a line":   {Identity: "i1", Change: contact.Change{Lines: lines("shoe", "43")}},
		"a tag":    {Identity: "i1", Tags: []string{"No tag"}},
		"a tag in": {Identity: "i1", Change: contact.Change{Lines: lines("name", "Eva")}, Tags: []string{"No tag"}},
	} {
		if got, r := contact.DecideEnter(contact.State{}, bad); r == nil || got != nil {
			t.Errorf("%s: %v, %v", name, got, r)
		}
	}
	got, r = contact.DecideEnter(contact.State{Erased: true}, e)
	expect(t, got, r, contact.CodeErased)
}

func TestWhatIsShownOfAMergedContactIsNoNewsOfItsSurvivor(t *testing.T) {
	s := given(contact.ProfileChanged{Name: "Eva", Fields: map[string]domain.Personal{"plan": "a"}})
	merged := []contact.State{
		given(contact.ProfileChanged{Name: "E.", Email: "eva@example.org", Fields: map[string]domain.Personal{"dni": "1"}}),
		given(contact.ProfileChanged{Email: "e@example.org", Phone: "600", Fields: map[string]domain.Personal{"dni": "2"}}),
	}
	change := func(email, phone, dni domain.Personal) contact.Change {
		return contact.Change{
			Lines:  map[string]domain.Personal{"name": "Eva", "email": email, "phone": phone},
			Fields: map[string]domain.Personal{"plan": "a", "dni": dni},
		}
	}
	want := contact.Change{Lines: map[string]domain.Personal{"name": "Eva"}, Fields: map[string]domain.Personal{"plan": "a"}}
	if diff := cmp.Diff(want, change("eva@example.org", "600", "1").Unshown(s, merged)); diff != "" {
		t.Errorf("what is shown (-want +got):\n%s", diff)
	}
	want = contact.Change{Lines: map[string]domain.Personal{"name": "Eva", "email": "e@example.org", "phone": ""}, Fields: map[string]domain.Personal{"plan": "a", "dni": "2"}}
	if diff := cmp.Diff(want, change("e@example.org", "", "2").Unshown(s, merged)); diff != "" {
		t.Errorf("what is new (-want +got):\n%s", diff)
	}
}
