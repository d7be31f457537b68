package thread

import "github.com/turno-desk/turno/domain"

// list is the list of the department that a conversation enters now (D1). An import says nothing about who was there, so it
// says itself which list it was; out of hours it can't have been while the department's calendar was open.
func (d decision) list(department string) (string, *domain.Refusal) {
	if !d.f.Import {
		if d.f.Image.OutOfHours(department, d.f.Now) {
			return StateOutOfHours, nil
		}
		return StateWaiting, nil
	}
	switch d.f.List {
	case "", StateWaiting:
		return StateWaiting, nil
	case StateOutOfHours:
	default:
		return "", invalid("A list is waiting or out_of_hours.", "list")
	}
	if !d.f.Image.Closed(department, d.f.Now) && d.f.Image.Departments[department].Settings.Calendar != "" {
		return "", invalid("The department was open then.", "list")
	}
	return StateOutOfHours, nil
}

// drain moves the conversation to the waiting ones when the hours begin, or when somebody connects.
func (d decision) drain() ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("The list drains by itself.")
	}
	list, r := d.list(d.c.Department)
	if r != nil || d.c.State != StateOutOfHours || list != StateWaiting {
		return nil, r
	}
	cause := "hours"
	if d.f.Image.Closed(d.c.Department, d.f.Now) {
		cause = "staffed"
	}
	return []Event{Queued{Department: d.c.Department, List: StateWaiting, Cause: cause}}, nil
}
