package domain

import (
	"fmt"
	"strings"
)

// ActorKind says what acted.
type ActorKind string

// The kinds of actors.
const (
	ActorContact  ActorKind = "contact"  // the customer
	ActorOperator ActorKind = "operator" // a person who answers; ID is the operator's
	ActorAdmin    ActorKind = "admin"    // the holder of the administrator's token, who is no operator
	ActorService  ActorKind = "service"  // an integration; ID is its token's
	ActorBot      ActorKind = "bot"
	ActorSystem   ActorKind = "system" // Turno itself
)

// Actor is who did something. Via is the operator, service or admin that acted on its behalf, when somebody did.
type Actor struct {
	Kind ActorKind
	ID   string // for operators and services
	Via  string // "admin", "service:<id>" or "operator:<id>"; empty when the actor acted itself
}

// String is "operator:ana", "contact", "system" …; Via is not in it.
func (a Actor) String() string {
	if a.ID == "" {
		return string(a.Kind)
	}
	return string(a.Kind) + ":" + a.ID
}

// Human reports whether a person of the company acted.
func (a Actor) Human() bool { return a.Kind == ActorOperator || a.Kind == ActorAdmin }

// ParseActor reads what String wrote.
func ParseActor(s string) (Actor, error) {
	kind, id, _ := strings.Cut(s, ":")
	a := Actor{Kind: ActorKind(kind), ID: id}
	switch a.Kind {
	case ActorOperator, ActorService:
		if !ValidID(id) {
			return Actor{}, fmt.Errorf("actor %q: want operator:<id> or service:<id>", s)
		}
	case ActorContact, ActorAdmin, ActorBot, ActorSystem:
		if id != "" {
			return Actor{}, fmt.Errorf("actor %q: %s takes no id", s, kind)
		}
	default:
		return Actor{}, fmt.Errorf("actor %q: want operator:<id>, service:<id>, contact, admin, bot or system", s)
	}
	return a, nil
}
