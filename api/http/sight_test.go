package http_test

import (
	"fmt"
	"strings"
	"testing"
)

// N19 D3: TestNobodySeesAnothersConversationByAnyRoute: Beto attends a conversation; Ana, of the same department, must not find
// it by any address, list, search, feed or push, nor learn its text, and Sara, Ada and Aldo must.
func TestNobodySeesAnothersConversationByAnyRoute(t *testing.T) {
	d := newDesk(t)
	const secret = "xylophone"
	c := d.customer("+34600999888", "hola "+secret)
	d.must(d.do("beto", "POST", "/v1/conversations/"+c+"/take", ""), 200)
	taken := d.must(d.do("beto", "POST", "/v1/conversations/"+c+"/messages", `{"text":"digame, `+secret+`"}`), 200)
	ticket := fmt.Sprint(taken.value("conversation.ticket"))
	contact := taken.text("conversation.contact.id")

	for _, path := range []string{"/v1/conversations/" + c, "/v1/conversations/" + c + "/messages", "/v1/conversations/" + c + "/timeline",
		"/v1/tickets/" + ticket, "/v1/tickets/" + ticket + "/timeline", "/v1/contacts/" + contact + "/history"} {
		for _, suffix := range []string{"", fmt.Sprintf("?as_of=%d", taken.position())} {
			if strings.HasSuffix(path, "/history") && suffix != "" {
				continue
			}
			d.must(d.get("ana", path+suffix), 404)
			for _, who := range []string{"beto", "sara", "ada", "aldo", "admin", "crm"} {
				d.must(d.get(who, path+suffix), 200)
			}
		}
	}
	for _, path := range []string{"/v1/queues/soporte", "/v1/queues/soporte?state=attending", "/v1/queues/soporte?operator=beto", "/v1/conversations",
		"/v1/conversations?operator=beto", "/v1/conversations?contact=" + contact, "/v1/tickets?q=" + secret, "/v1/tickets?q=" + ticket,
		"/v1/events?limit=1000", "/v1/events?limit=1000&types=turno.conversation.*"} {
		for who, sees := range map[string]bool{"ana": false, "beto": true, "sara": true, "ada": true, "aldo": true} {
			if a := d.must(d.get(who, path), 200); strings.Contains(string(a.body), c) != sees {
				t.Errorf("%s %s: %s sees the conversation: %v", who, path, who, !sees)
			} else if !sees && (strings.Contains(string(a.body), secret) || strings.Contains(string(a.body), "600999888")) {
				t.Errorf("%s learns of what was written by %s", who, path)
			}
		}
	}
	for _, action := range []string{"release", "assign", "messages", "transfer", "pause", "resume", "tags", "notes", "classify", "close", "end-session", "reopen", "archive",
		"unarchive", "ignore", "read"} {
		body := map[string]string{"assign": `{"operator":"ana"}`, "messages": `{"text":"x"}`, "transfer": `{"department":"soporte"}`, "tags": `{"add":["x"]}`,
			"notes": `{"text":"x"}`}[action]
		a := d.do("ana", "POST", "/v1/conversations/"+c+"/"+action, body)
		if want := map[string]int{"messages": 409, "assign": 403}[action]; a.status != want && (want != 0 || a.status != 404) {
			t.Errorf("ana %s: %d %s", action, a.status, a.body)
		}
	}
}

// N19: the rule holds in the feed.
func TestTheFeedTellsAnOperatorOnlyWhatTheyMaySeeNow(t *testing.T) {
	d := newDesk(t)
	before := d.head()
	c := d.customer("a", "uno")
	if a := d.get("ana", fmt.Sprintf("/v1/events?after=%d&types=turno.conversation.*", before)); !strings.Contains(string(a.body), c) {
		t.Fatalf("ana does not see what waits in her department: %s", a.body)
	}
	d.must(d.do("beto", "POST", "/v1/conversations/"+c+"/take", ""), 200)
	a := d.must(d.get("ana", fmt.Sprintf("/v1/events?after=%d&limit=1000", before)), 200)
	if strings.Contains(string(a.body), c) {
		t.Fatalf("ana still sees what beto took: %s", a.body)
	}
	if a.value("position") != float64(d.head()) {
		t.Fatalf("the page ends at %v of %d", a.value("position"), d.head())
	}
	for _, kind := range []string{"turno.token.", "turno.identity.", "turno.sequence."} {
		if strings.Contains(string(d.get("ana", "/v1/events?limit=1000").body), kind) {
			t.Errorf("an operator's feed has %s events", kind)
		}
	}
}

func TestTheFeedIsSealedUnlessItIsOpenedWithTheScope(t *testing.T) {
	d := newDesk(t)
	d.customer("+34600111222", "palabra")
	sealed := d.must(d.get("crm", "/v1/events?limit=1000&types=turno.conversation.message_received"), 200)
	if strings.Contains(string(sealed.body), "palabra") || !strings.Contains(string(sealed.body), "eyJ") {
		t.Errorf("the feed is not sealed: %s", sealed.body)
	}
	open := d.must(d.get("crm", "/v1/events?limit=1000&types=turno.conversation.message_received&open=true"), 200)
	if open.text("items.0.data.text") != "palabra" {
		t.Errorf("the feed was not opened: %s", open.body)
	}
	d.must(d.get("ana", "/v1/events?open=true"), 403)
	d.must(d.get("crm/operator:ana", "/v1/events?open=true"), 403)
}
