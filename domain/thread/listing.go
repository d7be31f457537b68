package thread

import "github.com/turno-desk/turno/domain"

// list is the list of the department that a conversation enters now (D1). An import says nothing about who was there.
func (d decision) list(department string) string {
	if !d.f.Import && d.f.Image.OutOfHours(department, d.f.Now) {
		return StateOutOfHours
	}
	return StateWaiting
}

// drain moves the conversation to the waiting ones when the hours begin, or when somebody connects.
func (d decision) drain() ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("The list drains by itself.")
	}
	if d.c.State != StateOutOfHours || d.list(d.c.Department) != StateWaiting {
		return nil, nil
	}
	cause := "hours"
	if d.f.Image.Closed(d.c.Department, d.f.Now) {
		cause = "staffed"
	}
	return []Event{Queued{Department: d.c.Department, List: StateWaiting, Cause: cause}}, nil
}
