package http_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
)

// polling is a desk that asks on a scale, with a closed conversation whose contact was asked, and the token of that.
type polling struct {
	*desk
	conversation, token string
	closed              domain.Position
}

func newPolling(t *testing.T, scale string, origins ...string) *polling {
	t.Helper()
	var surveys *command.Surveys
	p := &polling{desk: newDesk(t, func(parts *http.Parts, o *http.Options) {
		surveys, o.SurveyOrigins = parts.Surveys.(*command.Surveys), origins
	})}
	p.ok("admin", "PUT", "/v1/departments/soporte",
		fmt.Sprintf(`{"name":"Soporte","settings":{"survey":{"scale":%q,"text":"¿Cómo le fue? {{survey.link}}","page":"https://desk.example/surveys/"}}}`, scale))
	p.conversation = p.writes("m1", "Hola").conversation
	p.ok("ana", "POST", "/v1/conversations/"+p.conversation+"/messages", `{"text":"Buenas"}`)
	p.closed = p.ok("ana", "POST", "/v1/conversations/"+p.conversation+"/close", `{}`).position
	req := command.Request{Workspace: "default", Principal: "effect:surveys", Actor: domain.Actor{Kind: domain.ActorSystem}, Key: "k"}
	if _, err := surveys.Ask(context.Background(), req, p.conversation, p.closed); err != nil {
		t.Fatal(err)
	}
	page := p.ok("ana", "GET", fmt.Sprintf("/v1/conversations/%s/messages?after=%d", p.conversation, p.head()), "")
	_, p.token, _ = strings.Cut(page.body, "https://desk.example/surveys/")
	p.token, _, _ = strings.Cut(p.token, `"`)
	return p
}

// outcome is what an answer says, as far as these tests ask.
type outcome struct {
	body         string
	conversation string
	position     domain.Position
	events       []struct {
		Type string         `json:"type"`
		Data map[string]any `json:"data"`
	}
}

func (p *polling) ok(who, method, path, body string) outcome {
	p.t.Helper()
	a := p.do(who, method, path, body)
	if a.status >= 300 {
		p.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	o := outcome{body: string(a.body)}
	var read struct {
		Position     domain.Position
		Conversation struct{ ID string }
		Events       json.RawMessage
	}
	if err := json.Unmarshal(a.body, &read); err != nil {
		p.t.Fatal(err)
	}
	o.position, o.conversation = read.Position, read.Conversation.ID
	if read.Events != nil {
		if err := json.Unmarshal(read.Events, &o.events); err != nil {
			p.t.Fatal(err)
		}
	}
	return o
}

func (p *polling) writes(id, text string) outcome {
	p.t.Helper()
	return p.ok("crm", "POST", "/v1/channels/web/messages", fmt.Sprintf(`{"message_id":%q,"from":{"address":"e1"},"text":%q}`, id, text))
}

// page asks for the page of the survey, or sends its form, as a browser does, and returns what it shows.
func (p *polling) page(token, language string, form url.Values) (int, string, nethttp.Header) {
	p.t.Helper()
	method, body := "GET", ""
	if form != nil {
		method, body = "POST", form.Encode()
	}
	req, err := nethttp.NewRequestWithContext(context.Background(), method, p.url+"/surveys/"+token, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept-Language", language)
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	shown, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(shown), res.Header
}

// F111 F112 F114 D12: who has the token of an invitation answers without a password; the answer is credited, and stands in
// statistics, samples and feed.
func TestASurveyIsAnsweredByItsToken(t *testing.T) {
	p := newPolling(t, "1-5")
	if len(p.token) < 50 || !strings.HasPrefix(p.token, p.conversation+"-s") {
		t.Fatalf("the token is %q", p.token)
	}
	asked := p.ok("", "GET", "/v1/surveys/"+p.token, "")
	if !strings.Contains(asked.body, `"state":"open"`) || !strings.Contains(asked.body, `"scale":"1-5"`) || strings.Contains(asked.body, "e1") {
		t.Errorf("it asks %s", asked.body)
	}
	wrong := p.do("", "POST", "/v1/surveys/"+p.token, `{"satisfied":true}`)
	if wrong.status != 422 || !strings.Contains(string(wrong.body), `"survey_scale"`) || !strings.Contains(string(wrong.body), `"missing":["score"]`) {
		t.Errorf("another scale: %d %s", wrong.status, wrong.body)
	}
	p.ok("", "POST", "/v1/surveys/"+p.token, `{"score":2}`)
	answered := p.ok("", "POST", "/v1/surveys/"+p.token, `{"score":4,"comment":"Muy bien"}`)
	if !strings.Contains(answered.body, `"state":"answered"`) || !strings.Contains(answered.body, `"score":4`) || strings.Contains(answered.body, "Muy bien") {
		t.Errorf("it is answered: %s", answered.body)
	}

	at := p.head()
	period := "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
	stats := p.ok("admin", "GET", fmt.Sprintf("/v1/stats/operators?metric=satisfaction,surveys,response_rate&%s&after=%d", period, at), "")
	if !strings.Contains(stats.body, `"ana"`) || !strings.Contains(stats.body, `"mean":4`) {
		t.Errorf("the statistics: %s", stats.body)
	}
	samples := p.ok("admin", "GET", fmt.Sprintf("/v1/stats/samples?metric=satisfaction&%s&after=%d", period, at), "")
	if strings.Count(samples.body, `"kind":"rating"`) != 1 || !strings.Contains(samples.body, `"operator":"ana"`) || !strings.Contains(samples.body, `"value":4`) {
		t.Errorf("the samples: %s", samples.body)
	}
	feed := p.ok("admin", "GET", "/v1/events?types=conversation.rated,conversation.survey_sent&open=true&limit=10", "")
	for _, part := range []string{"turno.conversation.survey_sent.v1", "turno.conversation.rated.v2", `"credit_operator":"ana"`, "Muy bien", `"way":"link"`} {
		if !strings.Contains(feed.body, part) {
			t.Errorf("the feed lacks %s: %s", part, feed.body)
		}
	}
	sealed := p.ok("admin", "GET", "/v1/events?limit=200", "")
	if _, secret, _ := strings.Cut(p.token, "-s"); strings.Contains(sealed.body, secret) {
		t.Error("the token stands in an event in the clear")
	}
}

// D18: a score in the channel is the rating and the next message its comment; the same messages again are the same, and what
// comes then opens a conversation.
func TestASurveyIsAnsweredInTheChannel(t *testing.T) {
	p := newPolling(t, "yes_no")
	for i, said := range []string{"Sí", "Rápido y claro"} {
		id := fmt.Sprint("r", i)
		first := p.writes(id, said)
		if first.conversation != p.conversation || len(first.events) != 2 || first.events[1].Data["satisfied"] != true {
			t.Fatalf("%q: %s", said, first.body)
		}
		again := p.writes(id, said)
		if again.position != first.position || !strings.Contains(again.body, `"replayed":true`) {
			t.Errorf("%q again: %s", said, again.body)
		}
	}
	next := p.writes("m2", "Otra consulta")
	if next.conversation == p.conversation || next.events[0].Type != "turno.conversation.opened.v3" || next.events[0].Data["survey"] == nil {
		t.Fatalf("it opened %s", next.body)
	}
	late := p.writes("r3", "no") // nobody has written there yet: it answers the survey
	if late.conversation != p.conversation || late.events[1].Data["satisfied"] != false {
		t.Errorf("over the newer conversation: %s", late.body)
	}
	for i, said := range []string{"Sí", "Rápido y claro"} { // for ever, though the thread has moved on
		if again := p.writes(fmt.Sprint("r", i), said); again.conversation != p.conversation || !strings.Contains(again.body, `"replayed":true`) {
			t.Errorf("%q at last: %s", said, again.body)
		}
	}
}

// F111: the page of an invitation works in a browser without scripts, in the contact's language.
func TestThePageOfASurvey(t *testing.T) {
	p := newPolling(t, "1-5")
	status, shown, header := p.page(p.token, "es-AR,es;q=0.9", nil)
	if status != 200 || !strings.Contains(shown, "¿Cómo fue nuestra atención?") || strings.Count(shown, `name="score"`) != 5 || strings.Contains(shown, "checked") {
		t.Errorf("%d %s", status, shown)
	}
	if header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v", header)
	}
	if status, shown, _ = p.page(p.token, "pt-BR", url.Values{"comment": {"?"}}); status != 422 || !strings.Contains(shown, "Escolha uma resposta.") {
		t.Errorf("without an answer: %d %s", status, shown)
	}
	if status, shown, _ = p.page(p.token, "fr", url.Values{"satisfied": {"yes"}}); status != 422 || !strings.Contains(shown, "Please choose an answer.") {
		t.Errorf("on another scale: %d %s", status, shown)
	}
	if status, shown, _ = p.page(p.token, "en", url.Values{"score": {"5"}, "comment": {"<b>Great</b>"}}); status != 200 || !strings.Contains(shown, "Thank you") ||
		!strings.Contains(shown, `value="5" required checked`) || strings.Contains(shown, "<b>") {
		t.Errorf("answered: %d %s", status, shown)
	}
	if status, shown, _ = p.page("nada", "en", nil); status != 404 || strings.Contains(shown, "<form") {
		t.Errorf("of no survey: %d %s", status, shown)
	}
	if status, _, _ = p.page(p.token, "en", url.Values{"score": {"5"}, "comment": {strings.Repeat("x", 20<<10)}}); status != 422 {
		t.Errorf("a form that is too long: %d", status)
	}
}
