package thread

import (
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
)

// close ends the conversation, in one gesture with its tags, classification and ticket (F090–F093, F100, F109). Guards bind people; what
// a customer, a bot or a workflow closes past them is marked incomplete (D10).
func (d decision) close(c Close) ([]Event, *domain.Refusal) {
	if r := d.checkClose(c); r != nil {
		return nil, r
	}
	return d.closing(c, d.closeReason(c), nil)
}

// endSession closes a live chat by the rules of every close, and tells the visitor: in the department's words, where it has some,
// and by the reason of the close. An import brings the words that were said as lines of their own.
func (d decision) endSession(c EndSession) ([]Event, *domain.Refusal) {
	if channel := d.f.Image.Channels[d.s.Channel]; !setting.Live(channel.Type) {
		return nil, notLive(d.c, channel)
	}
	if c.Reason != "" {
		return nil, invalid("The reason of the close is that the session was ended.", "reason")
	}
	if r := d.checkClose(c.Close); r != nil {
		return nil, r
	}
	var words []Event
	if !d.f.Import {
		words = d.says(d.f.Image.Departments[d.c.Department].Settings.SessionEndedMessage, nil)
	}
	return d.closing(c.Close, ClosedSessionEnded, words)
}

// closing is a close for a reason; words are said to the contact right before it.
func (d decision) closing(c Close, reason CloseReason, words []Event) ([]Event, *domain.Refusal) {
	if !d.c.Open() {
		return nil, notAllowed(d.c)
	}
	if d.f.Actor.Kind == domain.ActorOperator && !d.owns() && !d.supervises() {
		if d.c.Owner == "" {
			return nil, notAllowed(d.c, "Take it first, or ignore it.")
		}
		return nil, forbidden("Only its owner, or a supervisor, may close it.")
	}
	var events []Event
	if len(c.Tags) > 0 {
		tags, r := d.tagging(Tag{Add: c.Tags})
		if r != nil {
			return nil, r
		}
		events = append(events, tags...)
	}
	classification := d.c.Classification
	if c.Classify != nil {
		if r := d.known(*c.Classify); r != nil {
			return nil, r
		}
		events = append(events, d.classifying(*c.Classify)...)
		classification = classification.with(*c.Classify)
	}
	linked := d.c.Linked != 0
	if c.Ticket != nil {
		ticket, r := d.decide(c.Ticket)
		if r != nil {
			return nil, r
		}
		events, linked = append(events, ticket...), true
	}
	incomplete := d.requirements(c, classification, linked)
	if len(incomplete) > 0 && d.f.Actor.Human() {
		if blank(c.Override) {
			return nil, &domain.Refusal{
				Code: CodeCloseRequirements, Detail: "The department asks for more before a close.", Missing: incomplete, State: d.c.State, OnSettings: true,
			}
		}
		if !d.supervises() {
			return nil, forbidden("Only supervisors may pass the requirements by.")
		}
	}
	closed := Closed{
		Reason: reason, Owner: d.c.Owner, Department: d.c.Department,
		Category: c.Category, Summary: c.Summary, Comment: c.Comment, Incomplete: incomplete, NoSurvey: c.NoSurvey,
	}
	if len(incomplete) > 0 {
		closed.Override = c.Override
	}
	events = append(events, words...)
	return append(events, d.ending(closed)...), nil
}

func (d decision) checkClose(c Close) *domain.Refusal {
	for field, text := range map[string]domain.Personal{"summary": c.Summary, "comment": c.Comment, "override": c.Override} {
		if r := checkText(field, text, MaxShortText); r != nil {
			return r
		}
	}
	if c.Category != "" && !domain.ValidID(c.Category) {
		return invalid("A category is an id.", "category")
	}
	if r := checkTags(c.Tags); r != nil {
		return r
	}
	if !d.f.Import {
		if r := d.f.Image.CheckChoice(setting.CatalogCategories, "category", c.Category); r != nil {
			return r
		}
	}
	if c.Classify != nil {
		if r := checkClassified(*c.Classify); r != nil {
			return r
		}
	}
	switch c.Ticket.(type) {
	case nil, Link, OpenTicket, Confirm:
	default:
		return invalid("A close links to a ticket, opens one, or confirms the one that was proposed.", "ticket")
	}
	switch c.Reason {
	case "", ClosedResolved, ClosedInactive, ClosedOther:
		return nil
	case ClosedByContact:
		if d.f.Actor.Kind == domain.ActorContact {
			return nil
		}
	case ClosedSuperseded:
		if d.f.Actor.Kind == domain.ActorSystem {
			return nil
		}
	}
	return invalid("The reason is resolved, inactive or other.", "reason")
}

func (d decision) closeReason(c Close) CloseReason {
	switch {
	case d.f.Actor.Kind == domain.ActorContact:
		return ClosedByContact
	case c.Reason == "":
		return ClosedResolved
	default:
		return c.Reason
	}
}

// requirements names all that the department asks for and that is not there (D10). What was retired is asked for no more.
func (d decision) requirements(c Close, k Classification, linked bool) []string {
	guards := d.f.Image.Departments[d.c.Department].Close
	var missing []string
	if guards.Classification && k.Outcome == "" {
		missing = append(missing, "classification")
	}
	for _, part := range guards.Parts {
		if part == "interests" && len(k.Interests) == 0 || part == "origin" && k.Origin == "" || part == "score" && k.Score == 0 {
			missing = append(missing, part)
		}
	}
	fields := guards.Fields
	if f, ok := d.f.Image.Funnel(guards.Funnel); ok && !f.Retired {
		stage, reached := f.Stage(k.Stage)
		if !reached {
			missing = append(missing, "stage")
		}
		fields = union(fields, slices.Concat(f.Fields, stage.Fields))
	}
	if guards.Category && c.Category == "" {
		missing = append(missing, "category")
	}
	if guards.Summary && blank(c.Summary) {
		missing = append(missing, "summary")
	}
	for _, id := range fields {
		if f, ok := d.f.Image.Field(id); ok && f.Retired {
			continue
		}
		if blank(k.Fields[id]) {
			missing = append(missing, "field:"+id)
		}
	}
	if guards.TicketLink == department.LinkRequired && !linked {
		missing = append(missing, "ticket_link")
	}
	return missing
}

// ending closes and, unless the department keeps closed ones on its lists, archives (D6). Runs of workflows end with it.
func (d decision) ending(closed Closed) []Event {
	events := []Event{closed}
	if !d.c.Archived && !d.f.Image.Departments[d.c.Department].Settings.KeepOnClose {
		events = append(events, Archived{Cause: "close"})
	}
	return append(events, d.cancelled()...)
}

// ignore closes a conversation with somebody whom nobody wants to answer (D15).
func (d decision) ignore(c Ignore) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	if !d.c.Open() {
		return nil, notAllowed(d.c)
	}
	if !d.works() {
		return nil, forbidden("Only its owner, or who may take it, may ignore it.")
	}
	if d.offeredToOthers() {
		return nil, notOffered(d.c)
	}
	if d.c.Replied {
		return nil, notAllowed(d.c, "It was answered: close it instead.")
	}
	return d.ending(Closed{Reason: ClosedIgnored, Owner: d.c.Owner, Department: d.c.Department, Comment: c.Reason}), nil
}

// reopen continues a closed conversation, attended by the operator who reopens it (D5).
func (d decision) reopen(c Reopen) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	switch {
	case d.c.Open():
		return nil, notAllowed(d.c)
	case d.operator() == "":
		return nil, forbidden("Only an operator can reopen a conversation.")
	case !d.works():
		return nil, forbidden("Only who owned it at the close, or a supervisor, may reopen it.")
	case d.c.Number != d.s.Latest:
		return nil, &domain.Refusal{Code: CodeNewerConversation, State: StateClosed, Detail: "A newer conversation of this contact has begun."}
	case !d.withinReopen(d.c):
		return nil, &domain.Refusal{
			Code: CodeReopenWindow, State: StateClosed, Detail: "The time in which the department reopens has passed: open a new conversation.", OnSettings: true,
		}
	}
	if _, r := d.assignee(d.operator(), d.c.Department); r != nil {
		return nil, r
	}
	events := []Event{Reopened{By: "operator", Department: d.c.Department, Reason: c.Reason}}
	if d.c.Archived {
		events = append(events, Unarchived{Cause: "reopen"})
	}
	return append(events, d.taken(d.operator(), d.c.Department, TakenByReopener)), nil
}

func (d decision) archive() ([]Event, *domain.Refusal) {
	if !d.works() {
		return nil, forbidden("Only its owner, or a supervisor, may archive it.")
	}
	if d.c.Archived {
		return nil, nil
	}
	if d.c.Open() && d.c.Owner == "" {
		return nil, notAllowed(d.c, "Archiving hides it from its owner's list, and nobody owns it.")
	}
	return []Event{Archived{Cause: "manual"}}, nil
}

func (d decision) unarchive() ([]Event, *domain.Refusal) {
	if !d.works() {
		return nil, forbidden("Only its owner, or a supervisor, may unarchive it.")
	}
	if !d.c.Archived {
		return nil, nil
	}
	return []Event{Unarchived{Cause: "manual"}}, nil
}

// hide removes a closed conversation from everybody's sight but an auditor's (D6).
func (d decision) hide(c Hide) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	if !d.supervises() {
		return nil, forbidden("Only supervisors and administrators delete.")
	}
	if d.c.Hidden {
		return nil, nil
	}
	if d.c.Open() {
		return nil, notAllowed(d.c, "Close it first: what the contact still wrote would reach nobody.")
	}
	return []Event{Hidden(c)}, nil
}

// erase tells every holder of copies to blank them; the caller destroys the key. What is open ends with it: nobody could
// act on it any more.
func (d decision) erase() ([]Event, *domain.Refusal) {
	if id := d.operator(); id != "" {
		if op, r := d.active(id); r != nil || op.Role != operator.RoleAdmin {
			return nil, forbidden("Only administrators erase.")
		}
	}
	if d.s.Erased {
		return nil, nil
	}
	events := []Event{Erased{Contact: d.s.Contact, Identity: d.s.Identity}}
	if d.c.Open() {
		events = append(events, d.ending(Closed{Reason: ClosedOther, Owner: d.c.Owner, Department: d.c.Department})...)
	}
	return events, nil
}
