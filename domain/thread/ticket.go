package thread

import "github.com/turno-desk/turno/domain"

// link puts the conversation into a ticket that exists (F104, D9). Its own number takes it out again.
func (d decision) link(c Link) ([]Event, *domain.Refusal) {
	if r := d.mayLink(); r != nil {
		return nil, r
	}
	switch {
	case c.Ticket == 0:
		return nil, noTicket()
	case c.Ticket == d.c.Linked:
		return nil, nil
	case c.Ticket == d.c.Ticket && d.c.Linked == 0:
		return nil, invalid("This is the conversation's own number: open a new ticket under it.", "number")
	}
	return []Event{TicketLinked{Number: c.Number, Ticket: c.Ticket, How: LinkedExisting}}, nil
}

// openTicket makes a ticket of the conversation's own number. It takes a requester, and no link before (F106).
func (d decision) openTicket(c OpenTicket) ([]Event, *domain.Refusal) {
	if r := d.mayLink(); r != nil {
		return nil, r
	}
	switch {
	case !domain.ValidID(c.Requester):
		return nil, invalid("A new ticket has a requester: the id of a contact.", "requester")
	case c.Unknown:
		return nil, &domain.Refusal{Code: domain.CodeUnknownSetting, Detail: "There is no such contact.", Missing: []string{"requester"}}
	case d.c.Linked != 0:
		return nil, &domain.Refusal{Code: CodeTicketLinked, State: d.c.State, Detail: "The conversation is linked to a ticket already."}
	}
	if r := checkText("subject", c.Subject, MaxShortText); r != nil {
		return nil, r
	}
	return []Event{TicketLinked{Number: d.c.Ticket, Ticket: d.c.Ticket, How: LinkedNew, Requester: c.Requester, Subject: c.Subject}}, nil
}

// propose notes to which ticket the contact counts the conversation; whoever works on it judges that (F105).
func (d decision) propose(c Propose) ([]Event, *domain.Refusal) {
	switch {
	case d.operator() != "":
		return nil, forbidden("A proposal is the contact's: link it instead.")
	case !d.c.Open():
		return nil, notAllowed(d.c)
	case c.Ticket == 0:
		return nil, noTicket()
	case c.Ticket == d.c.Ticket && d.c.Linked == 0:
		return nil, invalid("This is the conversation's own number.", "number")
	case c.Ticket == d.c.Linked, c.Ticket == d.c.Proposed:
		return nil, nil
	}
	return []Event{TicketLinkProposed(c)}, nil
}

func (d decision) confirm() ([]Event, *domain.Refusal) {
	if r := d.mayLink(); r != nil {
		return nil, r
	}
	if d.c.Proposed == 0 {
		return nil, noProposal(d.c)
	}
	return []Event{TicketLinked{Number: d.c.Proposed, Ticket: d.c.Proposed, How: LinkedConfirmed}}, nil
}

func (d decision) reject(c Reject) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	if r := d.mayLink(); r != nil {
		return nil, r
	}
	if d.c.Proposed == 0 {
		return nil, noProposal(d.c)
	}
	return []Event{TicketLinkRejected{Ticket: d.c.Proposed, Reason: c.Reason}}, nil
}

func (d decision) mayLink() *domain.Refusal {
	if !d.works() {
		return forbidden("Only its owner, or a supervisor, may link it to a ticket.")
	}
	return nil
}

func noTicket() *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such ticket."}
}

func noProposal(c *Conversation) *domain.Refusal {
	return &domain.Refusal{Code: CodeNoProposal, State: c.State, Detail: "Nobody has proposed a ticket for it, or the proposal was judged."}
}
