package command_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

func (b *bureau) contacts(threads command.ContactThreads) *command.Contacts {
	return command.NewContacts(command.ContactsOptions{Log: b.log, Image: b.image, Keys: b.keys, Threads: threads, Now: b.clock.read})
}

func named(name string) contact.Change {
	return contact.Change{Lines: map[string]domain.Personal{"name": domain.Personal(name)}}
}

func TestAContactIsEditedUnderOneKey(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	id := b.receive(t, b.engine, contactWrites("+34 600", "m1", "Hola")).Commit.Contact

	profile, err := c.ChangeProfile(t.Context(), as("ana"), id, named("Eva"))
	if err != nil || profile.Commit.Key == "" {
		t.Fatalf("got %+v, %v", profile, err)
	}
	for _, step := range []func() (command.SettingResult, error){
		func() (command.SettingResult, error) { return c.Tag(t.Context(), as("ana"), id, []string{"vip"}, nil) },
		func() (command.SettingResult, error) { return c.Annotate(t.Context(), as("beto"), id, "Llamar") },
		func() (command.SettingResult, error) { return c.Assign(t.Context(), as("ana"), id, "ana") },
		func() (command.SettingResult, error) { return c.Block(t.Context(), as("ana"), id, "spam") },
		func() (command.SettingResult, error) { return c.Unblock(t.Context(), as("ana"), id) },
		func() (command.SettingResult, error) { return c.Block(t.Context(), as("ana"), id, "spam") },
	} {
		got, err := step()
		if err != nil || len(got.Commit.Events) != 1 || got.Commit.Key != profile.Commit.Key || got.Commit.Image == 0 {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	state, err := c.State(t.Context(), id)
	want := contact.State{Profile: contact.Profile{Name: "Eva"}, Tags: []string{"vip"}, Annotations: 1, Known: true, Blocked: true, Assignee: "ana"}
	if err != nil || !cmp.Equal(state, want) {
		t.Errorf("it is %+v, %v", state, err)
	}
	first, err := c.Annotate(t.Context(), keyed(as("ana"), "k", "h"), id, "Dos veces")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Annotate(t.Context(), keyed(as("ana"), "k", "h"), id, "Dos veces"); err != nil || again.Position != first.Position || !again.Replayed {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestThereIsNoContactWithoutAThread(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	for _, id := range []string{"", "ana", "c" + strings.Repeat("a", 25), "c.*", "c" + strings.Repeat(">", 25)} {
		_, err := c.Tag(t.Context(), as("ana"), id, []string{"vip"}, nil)
		refused(t, err, domain.CodeNotFound)
		_, err = c.Erase(t.Context(), admin, id)
		refused(t, err, domain.CodeNotFound)
		_, err = c.State(t.Context(), id)
		refused(t, err, domain.CodeNotFound)
	}
}

// tired is an eraser of threads that fails the first time.
type tired struct {
	*command.Engine
	tries int
}

func (e *tired) EraseThread(ctx context.Context, req command.Request, id, ahead string) error {
	if e.tries++; e.tries == 1 {
		return errors.New("the lights went out")
	}
	return e.Engine.EraseThread(ctx, req, id, ahead)
}

func TestAnErasureIsFinishedByTheSameCallAgain(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(&tired{Engine: b.engine})
	first := b.receive(t, b.engine, contactWrites("+34 600", "m1", "Hola"))
	id := first.Commit.Contact
	if _, err := c.ChangeProfile(t.Context(), as("ana"), id, named("Eva")); err != nil {
		t.Fatal(err)
	}
	req := keyed(admin, "erase", "h")
	if _, err := c.Erase(t.Context(), req, id); err == nil {
		t.Fatal("the first erasure succeeded")
	}
	_, err := c.ChangeProfile(t.Context(), as("ana"), id, named("Eva again"))
	refused(t, err, contact.CodeErased)
	for range 2 {
		if got, err := c.Erase(t.Context(), req, id); err != nil || !got.Replayed {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	commits := b.commits(t, domain.CategoryContact, id)
	if len(commits) != 2 || commits[0].Events[0].(contact.ProfileChanged).Name != domain.Erased {
		t.Errorf("the contact is %+v", commits)
	}
	threadID, _ := contact.Thread(id)
	thread0 := b.commits(t, domain.CategoryThread, threadID)
	if m := thread0[0].Events[2].(thread.MessageReceived); m.Text != domain.Erased {
		t.Errorf("the message reads %q", m.Text)
	}
	if _, ok := thread0[len(thread0)-1].Events[0].(thread.Erased); !ok {
		t.Errorf("the thread ends with %+v", thread0[len(thread0)-1].Events)
	}
	if next := b.receive(t, b.engine, contactWrites("+34 600", "m2", "Hola de nuevo")); next.Commit.Contact == id {
		t.Error("the next message came to the erased contact")
	}
}

func TestABlockedContactOpensNothing(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	first := b.receive(t, b.engine, contactWrites("+34 600", "m1", "Hola"))
	if _, err := c.Block(t.Context(), as("ana"), first.Commit.Contact, ""); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []thread.Command{thread.Take{}, thread.Close{}} {
		if _, err := b.engine.Do(t.Context(), as("ana"), first.Commit.Conversation, cmd); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.engine.Receive(t.Context(), channel, contactWrites("+34 600", "m2", "Hola"))
	refused(t, err, thread.CodeContactBlocked)
}
