package effects_test

import (
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/floor"
)

// TestNoEffectActsOnAnImportUntilSomebodyActsInIt: neither on what waits there, nor on an owner who is not connected (D13), nor on one
// who had left the department by the end of the history. The first live commit in a conversation ends that.
func TestNoEffectActsOnAnImportUntilSomebodyActsInIt(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", automatic, 0)
	d.department("ventas", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.operator("beto", "soporte")
	d.connect("beto")
	at := d.clock.now().Add(-time.Hour)
	imported := func(req command.Request) command.Request {
		at = at.Add(time.Minute)
		req.Import, req.At, req.Principal = true, at, "import"
		return req
	}
	waits := ok[command.Result](t)(d.engine.Receive(t.Context(), imported(contact), inbound("soporte", "1", "m-1"))).Conversation.ID
	hers := ok[command.Result](t)(d.engine.Receive(t.Context(), imported(contact), inbound("soporte", "2", "m-2"))).Conversation.ID
	d.do(imported(as("ana")), hers, thread.Take{})
	ok[command.SettingResult](t)(d.settings.PutOperator(t.Context(), admin, operator.Put{ID: "ana", Name: "Ana", Role: "operator", Departments: []string{"ventas"}}))
	f, before := floor.New("default"), d.head()
	d.acted(f)
	d.clock.advance(24 * time.Hour)
	d.acted(f)
	if now := d.head(); now != before {
		t.Fatalf("an effect did something:\n%s", d.story())
	}
	for id, address := range map[string]string{waits: "1", hers: "2"} {
		d.writes("soporte", address)
		d.acted(f)
		if _, conv, err := d.engine.Conversation(t.Context(), "default", id); err != nil || conv.Owner != "beto" {
			t.Errorf("once its contact writes it is %+v, %v", conv, err)
		}
	}
	last := d.commits()[len(d.commits())-1]
	if last.Origin != domain.OriginLive {
		t.Errorf("an effect's commit has the origin %s", last.Origin)
	}
}
