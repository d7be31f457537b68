package setting_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
)

func commit(position domain.Position, events ...domain.Event) domain.Commit {
	return domain.Commit{Aggregate: domain.Aggregate{Workspace: "default"}, Position: position, Events: events}
}

func office() *setting.Image {
	person := func(id string, active bool, extension string, departments ...string) domain.Event {
		return operator.Registered{Definition: operator.Definition{ID: id, Name: "N", Role: "operator", Departments: departments, Active: active, Extension: extension}}
	}
	return (&setting.Image{Workspace: "default"}).Apply(
		commit(2, department.Created{Definition: department.Definition{ID: "sales", Name: "Sales"}}),
		commit(3, department.Created{Definition: department.Definition{ID: "fax", Name: "Fax", Retired: true}}),
		commit(3, department.Created{Definition: department.Definition{ID: "moonbase", Name: "Moon base"}}),
		commit(4, person("beto", true, "41", "sales")),
		commit(5, person("ana", true, "", "sales", "fax")),
		commit(6, person("gone", false, "42", "sales")),
		commit(7, setting.ChannelCreated{Channel: setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "sales"}}),
		commit(8, presence.Connected{Status: presence.Status{Operator: "ana", Connected: true, Available: true}}),
		commit(9, setting.TokenIssued{Token: setting.Token{ID: "k1", Owner: "operator:ana", Fingerprint: "00"}}),
	)
}

func TestAnImageNeverChanges(t *testing.T) {
	before, same := office(), office()
	after := before.Apply(
		commit(10, operator.Deactivated{Definition: operator.Definition{ID: "ana", Name: "N", Role: "operator", Departments: []string{"sales"}}}),
		commit(11, presence.Disconnected{Status: presence.Status{Operator: "ana"}}),
		commit(12, department.Retired{Definition: department.Definition{ID: "sales", Retired: true}}),
		commit(13, setting.ChannelRetired{Channel: setting.Channel{ID: "web", Retired: true}}),
		commit(14, setting.TokenRevoked{Token: setting.Token{ID: "k1", Revoked: true}}),
	)
	if diff := cmp.Diff(same, before); diff != "" {
		t.Errorf("the image from before has changed:\n%s", diff)
	}
	d, _ := after.Operator("ana")
	q, _ := after.Department("sales")
	c, _ := after.Channel("web")
	k, _ := after.Token("k1")
	if d.Active || after.Reachable("ana") || !q.Retired || !c.Retired || !k.Revoked || after.Position != 14 {
		t.Errorf("the new image is %+v", after)
	}
}

func TestAnImageIsTheSameHoweverItsCommitsCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var commits []domain.Commit
		for i := range rapid.IntRange(0, 20).Draw(t, "commits") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
			var e domain.Event = presence.Connected{Status: presence.Status{Operator: id, Connected: true}}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				e = operator.Changed{Definition: operator.Definition{ID: id, Capacity: i}}
			case 1:
				e = setting.ChannelChanged{Channel: setting.Channel{ID: id, Name: string(rune('a' + i))}}
			}
			commits = append(commits, commit(domain.Position(i+1), e))
		}
		cut := rapid.IntRange(0, len(commits)).Draw(t, "cut")
		empty := &setting.Image{Workspace: "default"}
		single := empty
		for _, c := range commits {
			single = single.Apply(c)
		}
		if diff := cmp.Diff(single, empty.Apply(commits...)); diff != "" {
			t.Fatalf("all at once: %s", diff)
		}
		if diff := cmp.Diff(single, empty.Apply(commits[:cut]...).Apply(commits[cut:]...)); diff != "" {
			t.Fatalf("in two: %s", diff)
		}
	})
}

func TestAnImageIsOfOneWorkspace(t *testing.T) {
	foreign := commit(20, department.Created{Definition: department.Definition{ID: "theirs"}})
	foreign.Aggregate.Workspace = "other"
	if got := office().Apply(foreign); !cmp.Equal(got, office()) {
		t.Errorf("another workspace's department is in it: %+v", got)
	}
}

func TestLookingThingsUp(t *testing.T) {
	img := office()
	if d, ok := img.OperatorByExtension("41"); !ok || d.ID != "beto" {
		t.Errorf("41 is %+v", d)
	}
	for _, extension := range []string{"", "42", "43"} {
		if d, ok := img.OperatorByExtension(extension); ok {
			t.Errorf("%q is %+v", extension, d)
		}
	}
	var members []string
	for _, m := range img.MembersOf("sales") {
		members = append(members, m.ID)
	}
	if !slices.Equal(members, []string{"ana", "beto"}) {
		t.Errorf("sales has %v", members)
	}
	if uses := img.InUse(setting.KindDepartment, "sales"); !slices.Equal(uses, []string{"channel:web", "operator:ana", "operator:beto"}) {
		t.Errorf("sales is used by %v", uses)
	}
	if !img.Reachable("ana") || img.Reachable("beto") {
		t.Error("who is reachable is wrong")
	}
}

func TestPuttingAChannel(t *testing.T) {
	web := setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "sales"}
	retired := web
	retired.Retired = true
	for name, c := range map[string]struct {
		given   setting.Channel
		when    setting.PutChannel
		then    []setting.Event
		refused domain.Code
		missing []string
	}{
		"the first time creates it":              {when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "sales"}, then: []setting.Event{setting.ChannelCreated{Channel: web}}},
		"the same again is nothing":              {given: web, when: setting.PutChannel{ID: "web", Type: "generic", Name: " Web ", Department: "sales"}},
		"brings a retired one back":              {given: retired, when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "sales"}, then: []setting.Event{setting.ChannelChanged{Channel: web}}},
		"with everything wrong names everything": {when: setting.PutChannel{ID: ".", Type: "fax"}, refused: domain.CodeInvalid, missing: []string{"id", "type", "name", "department"}},
		"into an unknown department is refused":  {when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "moon"}, refused: domain.CodeUnknownSetting, missing: []string{"department:moon"}},
		"into a retired department is refused":   {when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "fax"}, refused: domain.CodeRetired, missing: []string{"department:fax"}},
		"of a live chat":                         {when: setting.PutChannel{ID: "web", Type: setting.WebChat, Name: "Web", Department: "sales"}, then: []setting.Event{setting.ChannelCreated{Channel: setting.Channel{ID: "web", Type: "webchat", Name: "Web", Department: "sales"}}}},
		"of no type that there is":               {when: setting.PutChannel{ID: "web", Type: "fax", Name: "Web", Department: "sales"}, refused: domain.CodeInvalid, missing: []string{"type"}},
		"of another type than it was made":       {given: web, when: setting.PutChannel{ID: "web", Type: setting.WebChat, Name: "Web", Department: "sales"}, refused: domain.CodeInvalid, missing: []string{"type"}},
		"to an extension of the department": {given: web, when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Extension: "41"},
			then: []setting.Event{setting.ChannelChanged{Channel: setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Extension: "41"}}}},
		"to what is no extension":           {when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Extension: "x1"}, refused: domain.CodeInvalid, missing: []string{"extension"}},
		"to an extension that nobody holds": {when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Extension: "9"}, refused: domain.CodeUnknownSetting, missing: []string{"extension"}},
		"to somebody of another department": {when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "moonbase", Extension: "41"}, refused: setting.CodeNotAMember, missing: []string{"extension"}},
		"whose holder has gone meanwhile stays as it is": {given: setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Extension: "9"},
			when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Extension: "9"}},
		"whose department and menu have gone meanwhile stays as it is": {given: setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "fax", Menu: "m"},
			when: setting.PutChannel{ID: "web", Type: "generic", Name: "Web", Department: "fax", Menu: "m"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := setting.DecidePutChannel(c.given, c.when, office())
			expect(t, got, r, c.then, c.refused, c.missing)
		})
	}
	got, r := setting.DecideRetireChannel(web, office())
	expect(t, got, r, []setting.Event{setting.ChannelRetired{Channel: retired}}, "", nil)
	got, r = setting.DecideRetireChannel(retired, office())
	expect(t, got, r, nil, "", nil)
	got, r = setting.DecideRetireChannel(setting.Channel{}, office())
	expect(t, got, r, nil, domain.CodeNotFound, nil)
}

func TestIssuingAToken(t *testing.T) {
	for name, c := range map[string]struct {
		given   setting.Token
		when    setting.IssueToken
		then    []setting.Event
		refused domain.Code
		missing []string
	}{
		"to an operator": {when: setting.IssueToken{ID: "k2", Owner: "operator:ana", Name: " laptop ", Fingerprint: "0f"},
			then: []setting.Event{setting.TokenIssued{Token: setting.Token{ID: "k2", Owner: "operator:ana", Name: "laptop", Fingerprint: "0f"}}}},
		"to a service": {when: setting.IssueToken{ID: "k2", Owner: "service:crm", Scopes: []string{"stats:read", "intake:write", "stats:read"}, Fingerprint: "0f"},
			then: []setting.Event{setting.TokenIssued{Token: setting.Token{ID: "k2", Owner: "service:crm", Scopes: []string{"intake:write", "stats:read"}, Fingerprint: "0f"}}}},
		"anew to the administrator": {given: setting.Token{ID: "admin", Owner: "admin", Fingerprint: "00"}, when: setting.IssueToken{ID: "admin", Owner: "admin", Fingerprint: "0f"},
			then: []setting.Event{setting.TokenIssued{Token: setting.Token{ID: "admin", Owner: "admin", Fingerprint: "0f"}}}},
		"of a revoked administrator brings it back": {given: setting.Token{ID: "admin", Owner: "admin", Fingerprint: "0f", Revoked: true}, when: setting.IssueToken{ID: "admin", Owner: "admin", Fingerprint: "0f"},
			then: []setting.Event{setting.TokenIssued{Token: setting.Token{ID: "admin", Owner: "admin", Fingerprint: "0f"}}}},
		"the administrator's again is nothing": {given: setting.Token{ID: "admin", Owner: "admin", Fingerprint: "0f"}, when: setting.IssueToken{ID: "admin", Owner: "admin", Fingerprint: "0f"}},
		"under an id that is taken":            {given: setting.Token{ID: "k2"}, when: setting.IssueToken{ID: "k2", Owner: "operator:ana"}, refused: domain.CodeInvalid, missing: []string{"id"}},
		"to a service without scopes":          {when: setting.IssueToken{ID: "k2", Owner: "service:crm"}, refused: domain.CodeInvalid, missing: []string{"scopes"}},
		"to a service with a scope unheard of": {when: setting.IssueToken{ID: "k2", Owner: "service:crm", Scopes: []string{"all:write"}}, refused: domain.CodeInvalid, missing: []string{"scopes"}},
		"to an operator with scopes":           {when: setting.IssueToken{ID: "k2", Owner: "operator:ana", Scopes: []string{"stats:read"}}, refused: domain.CodeInvalid, missing: []string{"scopes"}},
		"to nobody":                            {when: setting.IssueToken{ID: "k2", Owner: "contact"}, refused: domain.CodeInvalid, missing: []string{"owner"}},
		"to an unknown operator":               {when: setting.IssueToken{ID: "k2", Owner: "operator:zoe"}, refused: domain.CodeUnknownSetting, missing: []string{"operator:zoe"}},
		"to an inactive operator":              {when: setting.IssueToken{ID: "k2", Owner: "operator:gone"}, refused: domain.CodeRetired, missing: []string{"operator:gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := setting.DecideIssue(c.given, c.when, office())
			expect(t, got, r, c.then, c.refused, c.missing)
		})
	}
}

func TestRevokingAToken(t *testing.T) {
	k := setting.Token{ID: "k1", Owner: "operator:ana", Fingerprint: "00"}
	gone := k
	gone.Revoked = true
	got, r := setting.DecideRevoke(k)
	expect(t, got, r, []setting.Event{setting.TokenRevoked{Token: gone}}, "", nil)
	got, r = setting.DecideRevoke(gone)
	expect(t, got, r, nil, "", nil)
	got, r = setting.DecideRevoke(setting.Token{})
	expect(t, got, r, nil, domain.CodeNotFound, nil)
}

func expect(t *testing.T, got []setting.Event, r *domain.Refusal, want []setting.Event, code domain.Code, missing []string) {
	t.Helper()
	if (r == nil) != (code == "") || r != nil && (r.Code != code || !slices.Equal(r.Missing, missing)) {
		t.Fatalf("refused with %v, want %q %v", r, code, missing)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events differ (-want +got):\n%s", diff)
	}
}

func TestTheImageIsMadeOfItsCategories(t *testing.T) {
	want := map[domain.Category]bool{"operator": true, "presence": true, "department": true, "setting": true}
	got := maps.Collect(func(yield func(domain.Category, bool) bool) {
		for _, c := range setting.Categories() {
			if !yield(c, true) {
				return
			}
		}
	})
	if !maps.Equal(got, want) {
		t.Errorf("the categories are %v", got)
	}
}

// F098: one type of channel is a live chat; a type that is added says here whether it is.
func TestWhichChannelsAreLive(t *testing.T) {
	live := map[string]bool{setting.Generic: false, setting.WebChat: true}
	for _, typ := range append(setting.Types(), "") {
		want, known := live[typ]
		if setting.Live(typ) != want || !known && typ != "" {
			t.Errorf("%q: live %t, in the list %t", typ, setting.Live(typ), known)
		}
	}
}
