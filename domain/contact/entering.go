package contact

import "github.com/turno-desk/turno/domain"

// Entry is what a file says of one contact.
type Entry struct {
	Change Change   // what it leaves out stays
	Tags   []string // to be added; none is removed

	// Set when the contact has not come into being yet: the claim that was made for it.
	Channel  string
	Identity string
}

// DecideEnter takes over what a file says, in one commit; nothing when all of it is known already. An entry without any line
// of the profile makes no known contact.
func DecideEnter(s State, e Entry) ([]Event, *domain.Refusal) {
	if r := s.closed(); r != nil {
		return nil, r
	}
	var events []Event
	if e.Identity != "" && s.Identity == "" {
		events = append(events, Added{Channel: e.Channel, Identity: e.Identity})
	}
	if len(e.Change.Lines)+len(e.Change.Fields) > 0 {
		changed, r := DecideChange(s, e.Change)
		if r != nil {
			return nil, r
		}
		events = append(events, changed...)
	}
	tagged, r := DecideTag(s, e.Tags, nil)
	if r != nil {
		return nil, r
	}
	return append(events, tagged...), nil
}

// Unshown is the change without what is shown of a survivor already because a contact that was merged into it has it: a
// merge copies nothing, and neither does a file that was exported and is read in again.
func (c Change) Unshown(s State, merged []State) Change {
	left := Change{Whole: c.Whole, Lines: map[string]domain.Personal{}, Fields: map[string]domain.Personal{}}
	for name, v := range c.Lines {
		line := func(s State) domain.Personal {
			if l := s.Profile.Line(name); l != nil {
				return *l
			}
			return ""
		}
		if line(s) != "" || v == "" || v != first(merged, line) {
			left.Lines[name] = v
		}
	}
	for id, v := range c.Fields {
		field := func(s State) domain.Personal { return s.Profile.Fields[id] }
		if field(s) != "" || v == "" || v != first(merged, field) {
			left.Fields[id] = v
		}
	}
	return left
}

// first is what the first of them has that has any.
func first(of []State, value func(State) domain.Personal) domain.Personal {
	for _, s := range of {
		if v := value(s); v != "" {
			return v
		}
	}
	return ""
}
