package command_test

import (
	"context"
	"errors"
	"testing"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

func TestAnErasureThatStoppedHalfwayKeepsNobodyOut(t *testing.T) {
	o := newOffice(t)
	first := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola"))
	admin := command.Request{Workspace: "default", Principal: "admin", Actor: domain.Actor{Kind: domain.ActorAdmin}}
	if _, err := o.another().Do(t.Context(), admin, first.Conversation.ID, thread.Erase{}); err != nil { // and there the process ended
		t.Fatal(err)
	}
	for _, e := range []*command.Engine{o.engine, o.another()} {
		next := o.receive(t, e, contactWrites("+34 600", "m2", "¿Hola?"))
		if next.State.ID == first.State.ID {
			t.Fatal("the message went to the erased thread")
		}
	}
	if err := o.engine.EraseThread(t.Context(), admin, first.State.ID, ""); err != nil {
		t.Fatalf("finishing it: %v", err)
	}
	if again := o.receive(t, o.engine, contactWrites("+34 600", "m3", "Sigo aquí")); again.State.ID == first.State.ID || again.Conversation.Messages != 2 {
		t.Fatalf("finishing it untied the new thread: %+v", again.Conversation)
	}
}

func TestAKeyIsNoOtherBodysKey(t *testing.T) {
	o := newOffice(t)
	req, other := as("ana"), as("ana")
	req.Key, req.BodyHash = "k1", "one"
	other.Key, other.BodyHash = "k1", "two"
	out := command.Outbound{Channel: "web", Address: "+34 600", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}}
	if _, err := o.engine.Open(t.Context(), req, out); err != nil {
		t.Fatal(err)
	}
	in := contactWrites("+34 700", "", "Hola")
	if _, err := o.engine.Receive(t.Context(), req, in); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*command.Engine{o.engine, o.another()} {
		if r, err := e.Open(t.Context(), req, out); err != nil || !r.Replayed {
			t.Fatalf("the same again: %+v, %v", r, err)
		}
		_, err := e.Open(t.Context(), other, out)
		refused(t, err, domain.CodeKeyReused)
		_, err = e.Receive(t.Context(), other, in)
		refused(t, err, domain.CodeKeyReused)
	}
	named := contactWrites("+34 700", "m1", "Hola")
	if _, err := o.engine.Receive(t.Context(), req, named); err != nil {
		t.Fatal(err)
	}
	if r, err := o.engine.Receive(t.Context(), other, named); err != nil || !r.Replayed {
		t.Fatalf("the channel's message id is what counts: %+v, %v", r, err)
	}
}

// blind is a view that can't tell.
type blind struct{ err error }

func (b blind) FindMessage(context.Context, string, string, string, domain.Position) (thread.Sighting, bool, error) {
	return thread.Sighting{}, false, b.err
}

func TestWhereTheViewCantTellTheLogDoes(t *testing.T) {
	o := newOffice(t)
	first := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola"))
	if _, err := o.engine.Do(t.Context(), as("sara"), first.Conversation.ID, thread.Close{}); err != nil {
		t.Fatal(err)
	}
	o.receive(t, o.engine, contactWrites("+34 600", "m2", "Otra cosa"))
	with := func(err error) *command.Engine {
		return command.NewEngine(command.Options{
			Log: o.log, Image: o.image, Keys: o.keys, Hasher: hasher{}, Numbers: command.NewNumbers(o.log, "default", nil), Index: blind{err},
		})
	}
	again, err := with(errors.New("the thread is parked")).Receive(t.Context(), channel, contactWrites("+34 600", "m1", "Hola"))
	if err != nil || !again.Replayed || again.Position != first.Position {
		t.Errorf("the first message again: %+v, %v", again, err)
	}
	if _, err := with(command.ErrUnavailable).Receive(t.Context(), channel, contactWrites("+34 600", "m1", "Hola")); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("while the view is on its way: %v", err)
	}
}
