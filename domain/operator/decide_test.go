package operator_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
)

var known = operator.Departments{
	"sales": department.Definition{ID: "sales"}, "support": department.Definition{ID: "support"},
	"fax": department.Definition{ID: "fax", Retired: true},
}

func ana(change func(*operator.Definition)) operator.Definition {
	d := operator.Definition{ID: "ana", Name: "Ana", Role: operator.RoleOperator, Departments: []string{"sales"}, Active: true}
	if change != nil {
		change(&d)
	}
	return d
}

func put(d operator.Definition) operator.Put {
	return operator.Put{ID: d.ID, Name: d.Name, Email: d.Email, Role: d.Role, Departments: d.Departments, Capacity: d.Capacity, Extension: d.Extension}
}

func TestPuttingAnOperator(t *testing.T) {
	inactive := func(d *operator.Definition) { d.Active = false }
	for name, c := range map[string]struct {
		given   operator.Definition
		when    operator.Put
		then    []operator.Event
		refused domain.Code
		missing []string
	}{
		"the first time registers them as active": {
			when: put(ana(nil)), then: []operator.Event{operator.Registered{Definition: ana(nil)}}},
		"the same again is nothing": {given: ana(nil), when: put(ana(nil))},
		"order and repetition of departments don't count": {
			given: ana(func(d *operator.Definition) { d.Departments = []string{"sales", "support"} }),
			when:  put(ana(func(d *operator.Definition) { d.Departments = []string{"support", "sales", "support"} }))},
		"spaces around the name don't count": {
			given: ana(nil), when: put(ana(func(d *operator.Definition) { d.Name = " Ana\n" }))},
		"with another role changes them": {
			given: ana(nil), when: put(ana(func(d *operator.Definition) { d.Role = operator.RoleSupervisor })),
			then: []operator.Event{operator.Changed{Definition: ana(func(d *operator.Definition) { d.Role = operator.RoleSupervisor })}}},
		"leaves an inactive one inactive": {
			given: ana(inactive), when: put(ana(func(d *operator.Definition) { d.Capacity = 4 })),
			then: []operator.Event{operator.Changed{Definition: ana(func(d *operator.Definition) { d.Capacity, d.Active = 4, false })}}},
		"with everything wrong names everything": {
			when:    operator.Put{ID: "Ana!", Email: "ana", Role: "boss", Departments: []string{""}, Capacity: -1, Extension: "12a"},
			refused: domain.CodeInvalid, missing: []string{"id", "name", "email", "role", "departments", "capacity", "extension"}},
		"as a service is refused":              {when: put(ana(func(d *operator.Definition) { d.Role = operator.RoleService })), refused: domain.CodeInvalid, missing: []string{"role"}},
		"with a name that is too long":         {when: put(ana(func(d *operator.Definition) { d.Name = domain.Personal(strings.Repeat("a", 201)) })), refused: domain.CodeInvalid, missing: []string{"name"}},
		"with a control character in the name": {when: put(ana(func(d *operator.Definition) { d.Name = "Ana\x00" })), refused: domain.CodeInvalid, missing: []string{"name"}},
		"into unknown departments names them": {
			when:    put(ana(func(d *operator.Definition) { d.Departments = []string{"moon", "sales", "mars"} })),
			refused: domain.CodeUnknownSetting, missing: []string{"department:mars", "department:moon"}},
		"into a retired department is refused": {
			given: ana(nil), when: put(ana(func(d *operator.Definition) { d.Departments = []string{"fax"} })),
			refused: domain.CodeRetired, missing: []string{"department:fax"}},
		"the same again, of a department that was retired meanwhile, is nothing": {
			given: ana(func(d *operator.Definition) { d.Departments = []string{"fax"} }),
			when:  put(ana(func(d *operator.Definition) { d.Departments = []string{"fax"} }))},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := operator.DecidePut(c.given, c.when, known)
			expect(t, got, r, c.then, c.refused, c.missing)
		})
	}
}

func TestEndingAndRestoringAnOperatorsAccess(t *testing.T) {
	gone := ana(func(d *operator.Definition) { d.Active = false })
	faxed := ana(func(d *operator.Definition) { d.Active, d.Departments = false, []string{"fax"} })

	got, r := operator.DecideDeactivate(ana(nil))
	expect(t, got, r, []operator.Event{operator.Deactivated{Definition: gone}}, "", nil)
	got, r = operator.DecideDeactivate(gone)
	expect(t, got, r, nil, "", nil)
	got, r = operator.DecideDeactivate(operator.Definition{})
	expect(t, got, r, nil, domain.CodeNotFound, nil)

	got, r = operator.DecideReactivate(gone, known)
	expect(t, got, r, []operator.Event{operator.Reactivated{Definition: ana(nil)}}, "", nil)
	got, r = operator.DecideReactivate(ana(nil), known)
	expect(t, got, r, nil, "", nil)
	got, r = operator.DecideReactivate(operator.Definition{}, known)
	expect(t, got, r, nil, domain.CodeNotFound, nil)
	got, r = operator.DecideReactivate(faxed, known)
	expect(t, got, r, nil, domain.CodeRetired, []string{"department:fax"})
}

func TestYieldingAnExtension(t *testing.T) {
	with := func(extension string, active bool) operator.Definition {
		return ana(func(d *operator.Definition) { d.Extension, d.Active = extension, active })
	}
	got, r := operator.DecideYield(with("41", true), "41")
	expect(t, got, r, nil, operator.CodeExtensionTaken, []string{"extension"})
	if r == nil || r.Owner != "ana" {
		t.Errorf("the refusal doesn't say who has it: %+v", r)
	}
	got, r = operator.DecideYield(with("41", false), "41")
	expect(t, got, r, []operator.Event{operator.Changed{Definition: with("", false)}}, "", nil)
	got, r = operator.DecideYield(with("42", true), "41") // the fence
	expect(t, got, r, []operator.Event{operator.Changed{Definition: with("42", true)}}, "", nil)
	got, r = operator.DecideYield(operator.Definition{}, "41")
	expect(t, got, r, nil, "", nil)
}

func expect(t *testing.T, got []operator.Event, r *domain.Refusal, want []operator.Event, code domain.Code, missing []string) {
	t.Helper()
	if (r == nil) != (code == "") || r != nil && (r.Code != code || !slices.Equal(r.Missing, missing)) {
		t.Fatalf("refused with %v, want %q %v", r, code, missing)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func TestWhateverIsPutTwiceMakesOneEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var is operator.Definition
		for range rapid.IntRange(1, 4).Draw(t, "puts") {
			p := operator.Put{
				ID: "ana", Name: domain.Personal(rapid.StringMatching(`[A-Za-zñ ]{0,8}`).Draw(t, "name")),
				Email:       domain.Personal(rapid.SampledFrom([]string{"", "a@b.example", "ab"}).Draw(t, "email")),
				Role:        rapid.SampledFrom([]operator.Role{"operator", "supervisor", "admin", "auditor", "x"}).Draw(t, "role"),
				Departments: rapid.SliceOfN(rapid.SampledFrom([]string{"sales", "support", "fax", "moon"}), 0, 3).Draw(t, "departments"),
				Capacity:    rapid.IntRange(-1, 3).Draw(t, "capacity"),
				Extension:   rapid.SampledFrom([]string{"", "1", "22", "x"}).Draw(t, "extension"),
			}
			first, refused := operator.DecidePut(is, p, known)
			if refused != nil && len(first) > 0 {
				t.Fatalf("refused and decided: %v, %v", refused, first)
			}
			if len(first) > 0 {
				is = operator.DefinitionOf(first[0])
			}
			if refused != nil {
				continue
			}
			if is.ID == "" || !is.Active || !slices.IsSorted(is.Departments) {
				t.Fatalf("accepted %+v as %+v", p, is)
			}
			if again, r := operator.DecidePut(is, p, known); len(again) > 0 || r != nil {
				t.Fatalf("again: %v, %v", again, r)
			}
		}
	})
}
