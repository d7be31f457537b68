package access_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
)

var (
	states    = []string{thread.StateWaiting, thread.StateOutOfHours, thread.StateBot, thread.StateAttending, thread.StatePaused, thread.StateClosed}
	relations = []string{"stranger", "owner", "at_close", "mentioned", "former"}
	columns   = []string{"op-in", "op-out", "sup-in", "sup-out", "admin", "auditor", "service", "other", "nobody"}
)

// rows reads a table: the cells of each line that is no comment.
func rows(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]string
	for s := bufio.NewScanner(f); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		if cells := strings.Fields(strings.ReplaceAll(line, "|", " ")); len(cells) > 0 {
			all = append(all, cells)
		}
	}
	return all
}

func viewer(t *testing.T, column string) access.Viewer {
	t.Helper()
	v := access.Viewer{Operator: "me", Departments: []string{"elsewhere"}}
	if role, in, ok := strings.Cut(column, "-"); ok {
		v.Role = map[string]operator.Role{"op": operator.RoleOperator, "sup": operator.RoleSupervisor}[role]
		if in == "in" {
			v.Departments = append(v.Departments, "sales")
		}
		return v
	}
	switch column {
	case "admin":
		v.Role = operator.RoleAdmin
	case "auditor":
		v.Role = operator.RoleAuditor
	case "service":
		v = access.Viewer{Role: operator.RoleService, Scopes: []string{"conversations:read"}}
	case "other":
		v = access.Viewer{Role: operator.RoleService, Scopes: []string{"intake:write", "stats:read"}}
	case "nobody":
		v.Departments = append(v.Departments, "sales")
	default:
		t.Fatalf("no column %q", column)
	}
	return v
}

func sight(state, relation string) domain.Sight {
	s := domain.Sight{State: state, Department: "sales", Owner: "else", OwnerAtClose: "else", Mentioned: []string{"else"}}
	switch relation {
	case "owner":
		s.Owner = "me"
	case "at_close":
		s.OwnerAtClose = "me"
	case "mentioned":
		s.Mentioned = append(s.Mentioned, "me")
	}
	return s
}

// N19 D3: every state, role and relation, against a table that was written by hand.
func TestSightIsWhatTheTableSaysForEveryStateRoleAndRelation(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range rows(t, "sight.txt") {
		state, relation, cells := row[0], row[1], row[2:]
		if len(cells) != len(columns) || !slices.Contains(states, state) || !slices.Contains(relations, relation) {
			t.Fatalf("malformed row %v", row)
		}
		seen[state+relation] = true
		for i, column := range columns {
			v, cell := viewer(t, column), cells[i]
			for _, archived := range []bool{false, true} {
				s := sight(state, relation)
				s.Archived = archived
				name := fmt.Sprintf("%s, %s, %s, archived %t", state, relation, column, archived)
				check(t, name, "MaySee", access.MaySee(v, &s), cell == "yes")
				check(t, name, "MaySeeServing(false)", access.MaySeeServing(v, &s, false), cell == "yes")
				check(t, name, "MaySeeServing(true)", access.MaySeeServing(v, &s, true), cell == "yes" || cell == "history")
				check(t, name, "MayKnowOf(false)", access.MayKnowOf(v, &s, false), cell == "yes")
				check(t, name, "MayKnowOf(true)", access.MayKnowOf(v, &s, true), cell == "yes" || cell == "open")

				all, _ := access.SeesAll(v)
				if all && cell != "yes" {
					t.Errorf("%s: SeesAll says everything, the table %s", name, cell)
				}

				s.Hidden = true
				check(t, name+", hidden", "MaySee", access.MaySee(v, &s), column == "auditor")
				check(t, name+", hidden", "MaySeeServing", access.MaySeeServing(v, &s, true), column == "auditor")
				check(t, name+", hidden", "MayKnowOf", access.MayKnowOf(v, &s, true), column == "auditor")
			}
		}
	}
	if len(seen) != len(states)*len(relations) {
		t.Errorf("the table has %d of %d rows", len(seen), len(states)*len(relations))
	}
}

func check(t *testing.T, name, what string, got, want bool) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s is %t, the table says %t", name, what, got, want)
	}
}

func TestNobodySeesWhatIsNotThere(t *testing.T) {
	for _, column := range columns {
		v := viewer(t, column)
		if access.MaySee(v, nil) || access.MaySeeServing(v, nil, true) || access.MayKnowOf(v, nil, true) {
			t.Errorf("%s sees a nil sight", column)
		}
	}
}

func TestAnEmptyNameOwnsNothing(t *testing.T) {
	for _, role := range []operator.Role{operator.RoleOperator, operator.RoleSupervisor} {
		for _, state := range states {
			s := domain.Sight{State: state, Department: "sales", Mentioned: []string{""}}
			if v := (access.Viewer{Role: role}); access.MaySee(v, &s) || access.MaySeeServing(v, &s, true) {
				t.Errorf("a %s without a name sees a conversation in %s that nobody owns", role, state)
			}
		}
	}
}

func TestAStateThatTheRuleDoesNotKnowIsSeenByThoseAloneWhoSeeAll(t *testing.T) {
	s := sight("dreaming", "owner")
	for column, want := range map[string]bool{"op-in": false, "sup-out": false, "sup-in": true, "admin": true, "auditor": true, "service": true} {
		if got := access.MaySee(viewer(t, column), &s); got != want {
			t.Errorf("%s sees an unknown state: %t", column, got)
		}
	}
}

func TestAServiceSeesWhatIsHiddenWithTheScopeAuditToo(t *testing.T) {
	s := sight(thread.StateClosed, "stranger")
	s.Hidden = true
	for scopes, want := range map[string]bool{"conversations:read audit:read": true, "conversations:write audit:write": true, "audit:read": false} {
		v := access.Viewer{Role: operator.RoleService, Scopes: strings.Fields(scopes)}
		if got := access.MaySee(v, &s); got != want {
			t.Errorf("with %s a service sees a hidden conversation: %t", scopes, got)
		}
	}
}

func TestSupervisionEndsAtTheDepartment(t *testing.T) {
	for column, want := range map[string]bool{"op-in": false, "op-out": false, "sup-in": true, "sup-out": false, "admin": true, "auditor": false, "service": false, "nobody": false} {
		if got := access.Supervises(viewer(t, column), "sales"); got != want {
			t.Errorf("%s supervises: %t", column, got)
		}
	}
	if !access.Supervises(access.Viewer{Role: operator.RoleService, Scopes: []string{"conversations:write"}}, "sales") {
		t.Error("a service that may write conversations doesn't supervise")
	}
}

// D11 F022: what a role may do at all, against a table that was written by hand.
func TestEachRoleMayDoWhatTheTableSays(t *testing.T) {
	roles := []operator.Role{operator.RoleOperator, operator.RoleSupervisor, operator.RoleAdmin, operator.RoleAuditor}
	var every []string
	for _, s := range access.Scopes() {
		every = append(every, string(s)+":read", string(s)+":write")
	}
	var listed []access.Action
	for _, row := range rows(t, "actions.txt") {
		action, cells, scope := access.Action(row[0]), row[1:5], row[5]
		listed = append(listed, action)
		for i, role := range roles {
			if got := access.MayDo(access.Viewer{Role: role, Operator: "me"}, action); got != (cells[i] == "yes") {
				t.Errorf("%s may %s: %t", role, action, got)
			}
			if v := (access.Viewer{Role: role, Scopes: every}); access.MayDo(v, action) != (cells[i] == "yes") {
				t.Errorf("scopes change what a %s may %s", role, action)
			}
		}
		for _, s := range every {
			want := s == scope || scope == strings.Replace(s, ":write", ":read", 1)
			if got := access.MayDo(access.Viewer{Role: operator.RoleService, Scopes: []string{s}}, action); got != want {
				t.Errorf("a service with %s may %s: %t", s, action, got)
			}
		}
		if access.MayDo(access.Viewer{Scopes: every}, action) {
			t.Errorf("nobody may %s", action)
		}
	}
	if !slices.Equal(listed, access.Actions()) {
		t.Errorf("the table lists %v, the code %v", listed, access.Actions())
	}
}

func TestAdminsAndServicesActForOthers(t *testing.T) {
	for column, want := range map[string]bool{"op-in": false, "sup-in": false, "auditor": false, "nobody": false, "admin": true, "service": true} {
		if got := access.MayDo(viewer(t, column), access.ActForOthers); got != want {
			t.Errorf("%s acts for others: %t", column, got)
		}
	}
}

func TestAScopeNamesAnAreaAndARight(t *testing.T) {
	for s, want := range map[string]bool{"intake:read": true, "audit:write": true, "intake": false, "intake:": false, "all:read": false, ":read": false, "intake:read:write": false} {
		if got := access.ValidScope(s); got != want {
			t.Errorf("ValidScope(%q) = %t", s, got)
		}
	}
}
