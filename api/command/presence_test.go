package command_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/presence"
)

// happened names the events of an aggregate, with their causes.
func (b *bureau) happened(t *testing.T, category domain.Category, id string) []string {
	t.Helper()
	var names []string
	for _, c := range b.commits(t, category, id) {
		for _, e := range c.Events {
			switch e := e.(type) {
			case presence.Connected:
				names = append(names, "Connected")
			case presence.Disconnected:
				names = append(names, "Disconnected "+e.Cause)
			case presence.BecameAvailable:
				names = append(names, "Available"+by(e.By))
			case presence.BecameUnavailable:
				names = append(names, "Unavailable"+by(e.By))
			default:
				names = append(names, fmt.Sprintf("%T", e))
			}
		}
	}
	return names
}

func by(id string) string {
	if id == "" {
		return ""
	}
	return " by " + id
}

func (b *bureau) beat(t *testing.T, s *command.Settings, id string) {
	t.Helper()
	if _, err := s.Heartbeat(t.Context(), as(id), id); err != nil {
		t.Fatal(err)
	}
}

func TestHeartbeatsMakeEventsOnlyOnChange(t *testing.T) {
	b := newBureau(t)
	for range 5 {
		b.beat(t, b.settings, "ana")
	}
	if _, err := b.settings.Disconnect(t.Context(), as("ana"), "ana"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.settings.Disconnect(t.Context(), as("ana"), "ana"); err != nil || len(got.Commit.Events) != 0 {
		t.Errorf("left again: %+v, %v", got, err)
	}
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, []string{"Connected", "Disconnected left"}) {
		t.Errorf("got %v", got)
	}
	_, err := b.settings.Heartbeat(t.Context(), as("zoe"), "zoe")
	refused(t, err, domain.CodeNotFound)
}

// D1 N12: a connection that is not heard of for 60 s has ended.
func TestAnOperatorWhoIsNotHeardForAMinuteIsLost(t *testing.T) {
	b := newBureau(t)
	b.beat(t, b.settings, "ana")
	b.beat(t, b.settings, "beto")
	knows(t, b.settings, b.commits(t, domain.CategoryPresence, "beto")[0].Position)
	b.clock.turn(40 * time.Second)
	b.beat(t, b.settings, "beto")
	b.settings.Sweep(t.Context())
	b.clock.turn(21 * time.Second)
	b.settings.Sweep(t.Context())
	b.settings.Sweep(t.Context())
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, []string{"Connected", "Disconnected lost"}) {
		t.Errorf("ana: %v", got)
	}
	if got := b.happened(t, domain.CategoryPresence, "beto"); !slices.Equal(got, []string{"Connected"}) {
		t.Errorf("beto: %v", got)
	}
	if got := b.commits(t, domain.CategoryPresence, "ana"); got[1].Actor.Kind != domain.ActorSystem {
		t.Errorf("lost by %v", got[1].Actor)
	}
}

// subscribed tells when somebody listens.
type subscribed struct {
	command.Heartbeats
	done chan struct{}
}

func (s *subscribed) Subscribe(fn func(string)) (func(), error) {
	defer close(s.done)
	return s.Heartbeats.Subscribe(fn)
}

func TestEveryProcessHearsTheHeartbeatsOfTheOthers(t *testing.T) {
	b := newBureau(t)
	image := command.NewImage(b.log, "default", command.ImageOptions{})
	run(t, image)
	ears := &subscribed{Heartbeats: command.HeartbeatsOver(b.log, "default"), done: make(chan struct{})}
	other := command.NewSettings(command.SettingsOptions{
		Log: b.log, Image: image, Keys: b.keys, Secrets: b.secrets, Hasher: hasher{}, Heartbeats: ears, Now: b.clock.read,
	})
	done := make(chan error, 1)
	ctx, cancel := contextOf(t)
	b.beat(t, b.settings, "ana")
	go func() { done <- other.Watch(ctx) }()
	<-ears.done
	position := b.commits(t, domain.CategoryPresence, "ana")[0].Position
	for range 4 { // for the other process ana is there from its first look on, and heard since
		knows(t, other, position)
		other.Sweep(t.Context())
		b.clock.turn(25 * time.Second)
		b.beat(t, b.settings, "ana")
	}
	other.Sweep(t.Context())
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, []string{"Connected"}) {
		t.Errorf("ana: %v", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Watch ended with %v", err)
	}
	b.clock.turn(61 * time.Second) // a process that begins now has heard nothing yet
	fresh := b.process(t, b.log)
	knows(t, fresh, position)
	fresh.Sweep(t.Context())
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, []string{"Connected"}) {
		t.Errorf("ana, at the start of a process: %v", got)
	}
	b.clock.turn(61 * time.Second)
	fresh.Sweep(t.Context())
	other.Sweep(t.Context())
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, []string{"Connected", "Disconnected lost"}) {
		t.Errorf("ana, a minute later: %v", got)
	}
}

// D21: operators set their own availability, supervisors that of theirs.
func TestWhoSetsAvailability(t *testing.T) {
	b := newBureau(t)
	for _, p := range []struct{ id, role, department string }{{"sofia", "supervisor", "ventas"}, {"adela", "admin", "ventas"}, {"aude", "auditor", "soporte"}} {
		b.put(t, p.id, p.role, p.department)
	}
	set := func(r command.Request, available bool) error {
		_, err := b.settings.SetAvailability(t.Context(), r, "ana", available, "")
		return err
	}
	service := command.Request{Workspace: "default", Principal: "service:crm", Actor: domain.Actor{Kind: domain.ActorService, ID: "crm"}}
	for i, r := range []command.Request{as("ana"), as("sara"), as("adela"), admin, service} {
		if err := set(r, i%2 == 1); err != nil {
			t.Errorf("%v: %v", r.Actor, err)
		}
	}
	for _, r := range []command.Request{as("beto"), as("sofia"), as("aude"), as("zoe"), channel} {
		refused(t, set(r, true), domain.CodeForbidden)
	}
	want := []string{"Unavailable", "Available by sara", "Unavailable by adela", "Available", "Unavailable"}
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestTheReasonIsSealedWithTheOperatorsKey(t *testing.T) {
	b := newBureau(t)
	registered, err := b.settings.PutOperator(t.Context(), admin, person("carla", ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.settings.SetAvailability(t.Context(), as("carla"), "carla", false, "médico"); err != nil {
		t.Fatal(err)
	}
	reason := func() domain.Personal {
		return b.commits(t, domain.CategoryPresence, "carla")[0].Events[0].(presence.BecameUnavailable).Reason
	}
	if got := reason(); got != "médico" {
		t.Errorf("it reads %q", got)
	}
	if err := b.keys.DestroyKey(t.Context(), registered.Commit.Key); err != nil {
		t.Fatal(err)
	}
	if got := reason(); got != domain.Erased {
		t.Errorf("without the operator's key it reads %q", got)
	}
}
