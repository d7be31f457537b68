package thread

import "github.com/turno-desk/turno/domain"

// pause sets the conversation aside (F035); the contact is told nothing (F036).
func (d decision) pause(c Pause) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	if r := d.ownerOnly(); r != nil {
		return nil, r
	}
	if c.Until != nil && !d.f.Import && !c.Until.After(d.f.Now) {
		return nil, invalid("until must lie in the future.", "until")
	}
	if d.c.State == StatePaused && c.Reason == "" && (c.Until == nil || d.c.PausedTill != nil && d.c.PausedTill.Equal(*c.Until)) {
		return nil, nil
	}
	return []Event{Paused{Operator: d.c.Owner, Reason: c.Reason, Until: c.Until}}, nil
}

// resume brings it back without a message.
func (d decision) resume() ([]Event, *domain.Refusal) {
	if r := d.ownerOnly(); r != nil {
		return nil, r
	}
	if d.c.State == StateAttending {
		return nil, nil
	}
	return []Event{Resumed{Operator: d.c.Owner, Cause: "manual"}}, nil
}

// ownerOnly refuses everybody but the owner of an attended or paused conversation.
func (d decision) ownerOnly() *domain.Refusal {
	if d.c.Owner == "" {
		return notAllowed(d.c)
	}
	if !d.owns() {
		return forbidden("Only its owner may do this; a supervisor can take it over first.")
	}
	return nil
}
