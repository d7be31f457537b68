package command_test

import (
	"errors"
	"testing"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

// F125: who was added ahead is found by the first message, in whichever order claim, message and entry come.
func TestWhoWasAddedAheadIsFoundByTheFirstMessage(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	who, err := c.At(t.Context(), as("sara"), "web", "+34 600")
	if err != nil {
		t.Fatal(err)
	}
	entered, created, err := c.Enter(t.Context(), as("sara"), who, named("Eva"), []string{"vip"})
	if err != nil || !created || len(entered.Commit.Events) != 3 {
		t.Fatalf("%+v, %t, %v", entered, created, err)
	}
	if got := b.receive(t, b.engine, contactWrites("+34 600", "m1", "Hola")); got.Commit.Contact != who.Contact {
		t.Errorf("the message came from %s, added was %s", got.Commit.Contact, who.Contact)
	}

	// A claim that nobody entered, and a message before the entry.
	if who, err = c.At(t.Context(), as("sara"), "web", "+34 700"); err != nil {
		t.Fatal(err)
	}
	if got := b.receive(t, b.engine, contactWrites("+34 700", "m2", "Hola")); got.Commit.Contact != who.Contact {
		t.Errorf("the message came from %s, claimed was %s", got.Commit.Contact, who.Contact)
	}
	again, err := c.At(t.Context(), as("sara"), "web", "+34 700")
	if err != nil || again.Contact != who.Contact {
		t.Fatalf("%+v, %v", again, err)
	}
	if got, created, err := c.Enter(t.Context(), as("sara"), again, named("Ana"), nil); err != nil || created || len(got.Commit.Events) != 1 {
		t.Errorf("%+v, %t, %v", got, created, err)
	}
	_, err = c.At(t.Context(), as("sara"), "nochannel", "x")
	refused(t, err, domain.CodeUnknownSetting)
	_, err = c.At(t.Context(), as("sara"), "web", " ")
	refused(t, err, domain.CodeInvalid)
}

func TestWhatIsShownAlreadyIsNotEnteredAgain(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	survivor := b.receive(t, b.engine, contactWrites("+34 600", "m1", "Hola")).Commit.Contact
	other := b.receive(t, b.engine, contactWrites("+34 700", "m2", "Hola")).Commit.Contact
	if _, err := c.ChangeProfile(t.Context(), as("ana"), other, named("Eva")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tag(t.Context(), as("ana"), other, []string{"vip"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Merge(t.Context(), as("sara"), survivor, other); err != nil {
		t.Fatal(err)
	}
	who, err := c.Known(t.Context(), other)
	if err != nil || who.Contact != survivor {
		t.Fatalf("%+v, %v", who, err)
	}
	if got, _, err := c.Enter(t.Context(), as("sara"), who, named("Eva"), []string{"vip"}); err != nil || len(got.Commit.Events) != 0 {
		t.Errorf("an export's line changed the survivor: %+v, %v", got, err)
	}
	if got, _, err := c.Enter(t.Context(), as("sara"), who, named("Eva María"), nil); err != nil || len(got.Commit.Events) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if at, err := c.At(t.Context(), as("sara"), "web", "+34 700"); err != nil || at.Contact != survivor {
		t.Errorf("%+v, %v", at, err)
	}
	_, err = c.Known(t.Context(), "cnobody")
	refused(t, err, domain.CodeNotFound)
}

// N8: who was added and never wrote is erased too, whatever was left in the middle, and whoever remembers the claim.
func TestWhoWasAddedIsErasedAndComesAnew(t *testing.T) {
	b := newBureau(t)
	flaky := &tired{Engine: b.engine}
	c := b.contacts(flaky)
	other := b.another() // remembers the claim
	who, err := c.At(t.Context(), as("sara"), "web", "+34 600")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Claim(t.Context(), as("sara"), "web", "+34 600"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Enter(t.Context(), as("sara"), who, named("Eva"), nil); err != nil {
		t.Fatal(err)
	}
	req := keyed(admin, "erase", "h")
	if _, err := c.Erase(t.Context(), req, who.Contact); err == nil {
		t.Fatal("the first erasure succeeded")
	}
	for range 2 {
		if _, err := c.Erase(t.Context(), req, who.Contact); err != nil {
			t.Fatal(err)
		}
	}
	threadID, _ := contact.Thread(who.Contact)
	commits := b.commits(t, domain.CategoryThread, threadID)
	if len(commits) != 1 || commits[0].Events[0] != (thread.Erased{Contact: who.Contact, Identity: commits[0].Events[0].(thread.Erased).Identity}) {
		t.Errorf("the thread is %+v", commits)
	}
	got, err := other.Receive(t.Context(), channel, contactWrites("+34 600", "m1", "Hola"))
	if err != nil || got.Commit.Contact == who.Contact {
		t.Errorf("the message came to %s: %v", got.Commit.Contact, err)
	}
	at, err := c.At(t.Context(), as("sara"), "web", "+34 600")
	if err != nil || at.Contact != got.Commit.Contact {
		t.Errorf("%+v, %v", at, err)
	}
	var refusal *domain.Refusal
	if _, _, err := c.Enter(t.Context(), as("sara"), command.Entrant{Contact: who.Contact}, named("Eva"), nil); !errors.As(err, &refusal) || refusal.Code != contact.CodeErased {
		t.Errorf("entering who was erased: %v", err)
	}
}

// F099: an address is blocked on account of contacts, and free when the last of them is unblocked or forgotten.
func TestANetworkAddressIsBlockedOnAccountOfContacts(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	from := func(address, ip, id string) command.Inbound {
		in := contactWrites(address, id, "Hola")
		in.IP = ip
		return in
	}
	one := b.receive(t, b.engine, from("v1", "192.0.2.7", "m1")).Commit.Contact
	two := b.receive(t, b.engine, from("v2", "::ffff:192.0.2.7", "m2")).Commit.Contact
	for _, id := range []string{one, two, one} {
		if _, err := c.BlockNetwork(t.Context(), as("ana"), id, ""); err != nil {
			t.Fatal(err)
		}
	}
	blocked := func() {
		t.Helper()
		_, err := b.engine.Receive(t.Context(), channel, from("v3", "192.0.2.7", "m3"))
		refused(t, err, thread.CodeNetworkBlocked)
	}
	blocked()
	if _, err := c.Unblock(t.Context(), as("ana"), one); err != nil {
		t.Fatal(err)
	}
	blocked()
	b.receive(t, b.engine, from("v4", "192.0.2.8", "m4"))
	if _, err := c.Erase(t.Context(), admin, two); err != nil {
		t.Fatal(err)
	}
	b.receive(t, b.engine, from("v3", "192.0.2.7", "m3"))
	if state, err := c.State(t.Context(), one); err != nil || state.Blocked || len(state.Networks) != 0 {
		t.Errorf("%+v, %v", state, err)
	}
}
