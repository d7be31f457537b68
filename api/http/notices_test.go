package http_test

import (
	"context"
	"testing"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// turno does what Turno itself, or its bot, would do with the conversation, and gives its position.
func (d *desk) turno(conversation string, c thread.Command) domain.Position {
	d.t.Helper()
	actor := domain.Actor{Kind: domain.ActorSystem}
	if _, ok := c.(thread.Converse); ok {
		actor.Kind = domain.ActorBot
	}
	r, err := d.engine.Do(context.Background(), command.Request{Workspace: "default", Principal: "effect", Actor: actor}, conversation, c)
	if err != nil || len(r.Commit.Events) == 0 {
		d.t.Fatalf("%T did nothing: %v", c, err)
	}
	return r.Commit.Position
}

// noticed reads each console up to the position, and compares what it was told to notice of it.
func noticed(t *testing.T, consoles map[string]*stream, what string, at domain.Position, want map[string]string) {
	t.Helper()
	for name, notice := range want {
		got := "nothing"
		for _, p := range consoles[name].until(at) {
			if p.position() == at {
				got = p.text("notice")
			}
		}
		if got != notice {
			t.Errorf("%s: %s is told %q, want %q", what, name, got, notice)
		}
	}
}

// F023 F014 D1 D8: what comes to wait for a department without a message of its own, from a bot, by a transfer, given back, or
// when the hours begin, is to be noticed by who should answer it, but not by who did that.
func TestAPushSaysWhoShouldNoticeWhatComesToWait(t *testing.T) {
	d := newDesk(t)
	d.must(d.do("admin", "PUT", "/v1/menus/welcome", `{"name":"Welcome","person":{"title":"Una persona"},"nodes":[{"id":"start","text":"Hola",
		"choices":[{"id":"buy","title":"Comprar","action":"hand_off","department":"soporte","text":"Ya le atienden."}]}]}`), 200)
	d.must(d.do("admin", "PUT", "/v1/channels/web", `{"type":"generic","name":"Web","department":"soporte","menu":"welcome"}`), 200)
	consoles := map[string]*stream{"ana": d.listen("ana", ""), "beto": d.listen("beto", ""), "sara": d.listen("sara", ""), "aldo": d.listen("aldo", "")}

	c := d.customer("a", "hola")
	noticed(t, consoles, "the bot has it", d.head(), map[string]string{"ana": "", "beto": "", "sara": "", "aldo": ""})
	d.turno(c, thread.Converse{Message: c + "-m1"})
	d.customer("a", "1")
	noticed(t, consoles, "they choose", d.head(), map[string]string{"ana": "", "beto": "", "sara": "", "aldo": ""})
	at := d.turno(c, thread.Converse{Message: c + "-m3"})
	noticed(t, consoles, "the bot hands it over", at, map[string]string{"ana": "message", "beto": "message", "sara": "message", "aldo": ""})

	at = d.must(d.do("sara", "POST", "/v1/conversations/"+c+"/transfer", `{"department":"ventas"}`), 200).position()
	noticed(t, consoles, "a transfer to ventas", at, map[string]string{"ana": "", "beto": "message", "sara": "", "aldo": ""})
	at = d.must(d.do("beto", "POST", "/v1/conversations/"+c+"/transfer", `{"department":"soporte"}`), 200).position()
	noticed(t, consoles, "beto sends it back", at, map[string]string{"ana": "message", "beto": "", "sara": "message", "aldo": ""})
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/take", ""), 200)
	at = d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/release", ""), 200).position()
	noticed(t, consoles, "ana gives it back", at, map[string]string{"ana": "", "beto": "message", "sara": "message", "aldo": ""})

	other := d.customer("b", "hola")
	at = d.must(d.do("ana", "POST", "/v1/conversations/"+other+"/bot/pause", ""), 200).position()
	noticed(t, consoles, "ana pauses the bot", at, map[string]string{"ana": "", "beto": "message", "sara": "message", "aldo": ""})

	d.must(d.do("admin", "PUT", "/v1/calendars/hours", `{"name":"Horario","zone":"UTC"}`), 200)
	d.must(d.do("admin", "PUT", "/v1/departments/ventas", `{"name":"Ventas","settings":{"calendar":"hours","strict_calendar":true}}`), 200)
	at = d.must(d.do("ana", "POST", "/v1/conversations/"+other+"/transfer", `{"department":"ventas"}`), 200).position()
	noticed(t, consoles, "to a closed department", at, map[string]string{"ana": "", "beto": "", "sara": "", "aldo": ""})
	d.must(d.do("admin", "PUT", "/v1/departments/ventas", `{"name":"Ventas"}`), 200)
	noticed(t, consoles, "it is open", d.turno(other, thread.Drain{}), map[string]string{"beto": "message", "aldo": ""})

	d.must(d.do("admin", "PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"offer_to":1}}`), 200)
	at = d.must(d.do("beto", "POST", "/v1/conversations/"+other+"/transfer", `{"department":"soporte"}`), 200).position()
	noticed(t, consoles, "to where it will be offered", at, map[string]string{"ana": "", "beto": "", "sara": "", "aldo": ""})
	d.customer("b", "¿hola?")
	noticed(t, consoles, "they write, and it is offered to nobody", d.head(), map[string]string{"ana": "message", "beto": "message", "sara": "message", "aldo": ""})
}
