package queue_test

import (
	"testing"
	"time"

	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/viewtest"
)

func TestTheQueueOfAConversation(t *testing.T) {
	log := viewtest.NewLog("test")
	d := viewtest.NewDesk(log, 1)
	step := func(actor string, cmd thread.Command) {
		t.Helper()
		d.Now = d.Now.Add(10 * time.Second)
		if _, ok := d.Do(actor, "t1", 0, cmd); !ok {
			t.Fatalf("%s: %T was refused", actor, cmd)
		}
	}
	until := d.Now.Add(time.Hour)
	step("contact", d.Receive("t1", "web", "¿Hay alguien?"))
	step("contact", d.Receive("t1", "web", "Hola"))
	step("ana", thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "Sí, dígame."}})
	step("contact", d.Receive("t1", "web", "No anda"))
	step("ana", thread.Pause{Until: &until})
	step("contact", d.Receive("t1", "web", "¿Y?"))
	step("ana", thread.MarkRead{Message: "t1-1-m4"})
	step("ana", thread.Note{Text: "pide factura", Mentions: []string{"beto"}})
	step("sara", thread.Transfer{Operator: "dora"})
	step("dora", thread.Close{Tags: []string{"alta"}})
	step("contact", thread.Rate{Score: 5})
	step("contact", d.Receive("t1", "web", "Otra cosa"))
	viewtest.Golden(t, "conversation", log, queue.New())
	step("adela", thread.Erase{})
	viewtest.Golden(t, "erased", log, queue.New())
}
