package http_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// period is a body of a dry run over all that has happened so far.
func period(workflow string) string {
	if workflow != "" {
		workflow = `,"workflow":` + workflow
	}
	return fmt.Sprintf(`{"from":"2020-01-01T00:00:00Z","to":%q%s}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339), workflow)
}

const leaving = `{"name":"Quiere irse","trigger":{"on":"message_received","source":["contact"]},"conditions":[
	{"field":"message","words":["dar de baja"]},{"none":[{"field":"contact.fields.plan","is":["empresa"]}]}],
	"steps":[{"action":"tags","add":["baja"]},{"action":"wait","for_s":60,"unless":"message_received"},{"action":"notes","text":"Sigue ahí"}]}`

// F136 F102: a draft, and what the settings have, are tried over what has happened: in which conversations, which steps; nothing is changed.
func TestAWorkflowIsTriedOverHTTP(t *testing.T) {
	d := newDeskAt(t, func() time.Time { return time.Now().Add(-30 * time.Minute) })
	baja := d.customer("1", "Quiero DAR de bája la línea")
	company := d.customer("2", "Dar de baja")
	d.customer("3", "Buenos días")
	d.must(d.do("ana", "PATCH", "/v1/contacts/"+d.must(d.get("admin", "/v1/conversations/"+company), 200).text("contact.id"), `{"fields":{"plan":"Empresa"}}`), 200)
	d.customer("2", "He dicho dar de baja")
	d.must(d.do("ana", "POST", "/v1/conversations/"+company+"/take", ""), 200)
	d.must(d.do("ana", "POST", "/v1/conversations/"+company+"/close", `{}`), 200)
	before := d.head()

	a := d.must(d.do("admin", "POST", "/v1/workflows/baja/dry-run", period(leaving)), 200)
	var got struct {
		Runs []struct {
			Conversation, Outcome, Reason string
			Steps                         []struct{ Action string }
		}
		Total, Conversations, Read int
		Steps                      map[string]int
		Complete                   bool
		Position                   json.Number
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatal(err)
	}
	// The second contact wrote so before its plan was known, and what it wrote next ended the wait; by then the plan was known.
	if got.Total != 2 || got.Conversations != 2 || !got.Complete || got.Steps["tags"] != 2 || got.Steps["notes"] != 1 || got.Position.String() != fmt.Sprint(before) {
		t.Fatalf("it says %s", a.body)
	}
	if r := got.Runs[0]; r.Conversation != baja || r.Outcome != "done" || len(r.Steps) != 3 {
		t.Errorf("the first run is %+v", r)
	}
	if r := got.Runs[1]; r.Conversation != company || r.Outcome != "cancelled" || r.Reason != "answered" || len(r.Steps) != 2 {
		t.Errorf("the second run is %+v", r)
	}
	if strings.Contains(string(a.body), "baja la") {
		t.Errorf("it tells what was written: %s", a.body)
	}
	if d.head() != before {
		t.Error("something was written")
	}

	d.must(d.do("admin", "PUT", "/v1/workflows/libre", `{"name":"Libre","trigger":{"on":"closed","source":["user"]},"steps":[{"action":"unassign_contact"}]}`), 200)
	if a := d.must(d.do("ada", "POST", "/v1/workflows/libre/dry-run", period("")), 200); a.value("total") != 1.0 || a.text("runs.0.conversation") != company {
		t.Errorf("of what the settings have it says %s", a.body)
	}
	d.must(d.do("admin", "POST", "/v1/workflows/nada/dry-run", period("")), 404)
	a = d.must(d.do("admin", "POST", "/v1/workflows/x/dry-run", period(`{"name":"X","trigger":{"on":"closed"},"conditions":[{"field":"message","contains":["a"]}],"steps":[{"action":"notes","text":"a"}]}`)), 400)
	if a.text("missing.0") != "conditions.1.field" {
		t.Errorf("a draft that is wrong: %s", a.body)
	}
	d.must(d.do("admin", "POST", "/v1/workflows/libre/dry-run", `{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`), 400)

	waits := period(`{"name":"Espera","trigger":{"on":"unanswered","after_s":1},"steps":[{"action":"tags","add":["espera"]}]}`)
	a = d.must(d.do("admin", "POST", "/v1/workflows/espera/dry-run", waits), 200)
	if a.value("complete") != true || a.value("total") != 2.0 { // the company's is closed
		t.Errorf("of those who wait it says %s", a.body)
	}
	patient := period(`{"name":"Espera","trigger":{"on":"unanswered","after_s":2700},"steps":[{"action":"tags","add":["espera"]}]}`)
	if a := d.must(d.do("admin", "POST", "/v1/workflows/espera/dry-run", patient), 200); a.value("total") != 0.0 {
		t.Errorf("it tells of what is yet to come: %s", a.body)
	}
	d.server.RehearseAtMost(int(a.value("read").(float64)) - 1)
	if a := d.must(d.do("admin", "POST", "/v1/workflows/espera/dry-run", waits), 200); a.value("complete") != false || a.value("total") != 0.0 {
		t.Errorf("nobody knows how long they wait where the log goes on: %s", a.body)
	}

	// Past a limit the answer says so, and how far it came; one at a time is at work.
	d.server.RehearseAtMost(3)
	if a := d.must(d.do("admin", "POST", "/v1/workflows/baja/dry-run", period(leaving)), 200); a.value("complete") != false || a.value("read") != 3.0 || a.value("total") != 0.0 {
		t.Errorf("a part says %s", a.body)
	}
	done := d.server.Rehearsing()
	if a := d.must(d.do("admin", "POST", "/v1/workflows/baja/dry-run", period(leaving)), 503); a.text("code") != "busy" {
		t.Errorf("a second one is answered %s", a.body)
	}
	done()
}

// N19 F136: a dry run tells nobody of a conversation that they may not see, and nobody what a personal field holds who may not open it.
func TestADryRunTellsNobodyMoreThanTheyMaySee(t *testing.T) {
	d := newDesk(t)
	seen, hidden := d.customer("1", "Quiero dar de baja"), d.customer("2", "Dar de baja")
	d.must(d.do("sara", "POST", "/v1/conversations/"+hidden+"/close", `{}`), 200)
	d.must(d.do("sara", "POST", "/v1/conversations/"+hidden+"/delete", `{"reason":"prueba"}`), 200)
	scopes := func(service, list string) string {
		d.tokens[service] = d.must(d.do("admin", "POST", "/v1/service-tokens", `{"service":"`+service+`","scopes":[`+list+`]}`), 201).text("token")
		return service
	}
	plain := `{"name":"X","trigger":{"on":"opened"},"steps":[{"action":"notes","text":"a"}]}`
	ofContacts := `{"name":"X","trigger":{"on":"opened"},"conditions":[{"field":"contact.blocked","is":["no"]}],"steps":[{"action":"notes","text":"a"}]}`
	for _, c := range []struct {
		who, draft string
		status     int
	}{
		{"ana", plain, 403}, {"sara", plain, 403}, {"aldo", plain, 403}, {"ada", leaving, 200}, {"ada", plain, 200},
		{scopes("ajustes", `"settings:write"`), plain, 403},
		{scopes("lee", `"settings:write","conversations:read"`), plain, 200}, {"lee", leaving, 403},
		{scopes("abre", `"settings:write","conversations:read","personal:read"`), leaving, 403}, {"abre", ofContacts, 403},
		{scopes("todo", `"settings:write","conversations:read","personal:read","contacts:read"`), leaving, 200}, {"todo", ofContacts, 200},
		{scopes("contactos", `"settings:write","conversations:read","contacts:read"`), ofContacts, 200}, {"contactos", leaving, 403},
	} {
		a := d.must(d.do(c.who, "POST", "/v1/workflows/x/dry-run", period(c.draft)), c.status)
		if c.status == 200 && (a.value("total") != 1.0 || a.text("runs.0.conversation") != seen || strings.Contains(string(a.body), hidden)) {
			t.Errorf("%s is told %s", c.who, a.body)
		}
	}

	// What was erased answers no condition any more, also for the time before.
	d.must(d.do("admin", "POST", "/v1/contacts/"+d.must(d.get("admin", "/v1/conversations/"+seen), 200).text("contact.id")+"/erase", `{}`), 200)
	if a := d.must(d.do("ada", "POST", "/v1/workflows/x/dry-run", period(leaving)), 200); a.value("total") != 0.0 {
		t.Errorf("of an erased contact is told %s", a.body)
	}
	if a := d.must(d.do("ada", "POST", "/v1/workflows/x/dry-run", period(plain)), 200); a.value("total") != 1.0 {
		t.Errorf("its conversation is gone: %s", a.body)
	}
}
