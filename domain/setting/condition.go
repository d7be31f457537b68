package setting

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Condition is a question to the conversation, its contact or its ticket, or a group of conditions: one of All, Any, None and Field
// is set, and with Field one of the tests. AtLeast and AtMost are one together.
type Condition struct {
	All  []Condition `json:"all,omitempty"`  // every one holds
	Any  []Condition `json:"any,omitempty"`  // at least one holds
	None []Condition `json:"none,omitempty"` // not one holds

	Field   string   `json:"field,omitempty"`
	Is      []string `json:"is,omitempty"`     // it is one of these; of several values: one of them is
	IsNot   []string `json:"is_not,omitempty"` // it is none of these
	Set     *bool    `json:"set,omitempty"`    // it has a value, or has none
	AtLeast *float64 `json:"at_least,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`

	// Of texts, whose case, accents and spaces don't matter: neither here nor for Is and IsNot.
	Contains   []string `json:"contains,omitempty"` // one of these stands in it
	StartsWith []string `json:"starts_with,omitempty"`
	EndsWith   []string `json:"ends_with,omitempty"`
	Words      []string `json:"words,omitempty"` // one of these stands in it as a whole word, or several in a row
}

// The fields of conditions. Custom fields come behind a prefix.
const (
	CondChannel        = "channel"
	CondChannelType    = "channel_type"
	CondDepartment     = "department"
	CondState          = "state"
	CondDirection      = "direction"
	CondOwner          = "owner" // while closed: who owned it at the close
	CondTags           = "tags"
	CondCategory       = "category" // of the close
	CondReason         = "reason"   // of the close
	CondOutcome        = "outcome"
	CondInterests      = "interests"
	CondOrigin         = "origin"
	CondStage          = "stage"
	CondScore          = "score"     // the operator's own, 1–5
	CondRating         = "rating"    // the contact's, 1–5
	CondSatisfied      = "satisfied" // yes or no
	CondComment        = "comment"   // of the rating
	CondHours          = "hours"     // open or closed: the department's calendar, now
	CondStaffed        = "staffed"   // yes or no: somebody of the department is connected
	CondMessage        = "message"   // the text of the contact's message that triggers
	CondMessageKind    = "message.kind"
	CondContactKnown   = "contact.known"
	CondContactBlocked = "contact.blocked"
	CondContactTags    = "contact.tags"
	CondContactOwner   = "contact.assignee"
	CondTicketLinked   = "ticket.linked" // yes or no: the conversation was put into a ticket
	CondTicketStatus   = "ticket.status"

	CondFields        = "fields." // and the id of a field: of the conversation's classification
	CondContact       = "contact."
	CondContactFields = "contact.fields."
	CondTicket        = "ticket."
	CondTicketFields  = "ticket.fields."
)

// profileSorts are the lines of a contact's profile that can be asked about. Of those that name one person only whether they are
// set: definitions are no secret, and outlive an erasure.
var profileSorts = map[string]sort{
	"name": onlySet, "email": mailText, "phone": onlySet, "document": onlySet, "external_id": onlySet,
	"sex": freeText, "company": freeText, "title": freeText,
	"address.street": onlySet, "address.number": onlySet,
	"address.district": freeText, "address.city": freeText, "address.state": freeText, "address.country": freeText, "address.postcode": freeText,
}

// sort says which tests a field takes.
type sort int

const (
	noField  sort = iota
	value         // is, is_not, set
	grade         // and at_least, at_most: 1 to 5
	figure        // and at_least, at_most
	freeText      // is, is_not, set, contains, starts_with, ends_with, words
	mailText      // set, ends_with: a domain
	onlySet       // set
	anyField      // all of them
)

// sortOf says which tests a field takes; ask is a custom field's definition, where it is one that there is. unknown: it is a custom
// field that there isn't, or that is of something else.
func sortOf(field string, img *Image) (is sort, ask Field, unknown bool) {
	for prefix, on := range map[string]string{CondFields: OnConversation, CondContactFields: OnContact, CondTicketFields: OnTicket} {
		id, custom := strings.CutPrefix(field, prefix)
		switch {
		case !custom:
			continue
		case !domain.ValidID(id):
			return noField, Field{}, false
		case !img.hasFields(on):
			return anyField, Field{}, false
		}
		f, ok := img.Field(id)
		switch {
		case !ok || f.On != on || f.Retired:
			return noField, Field{ID: id}, true
		case f.Type == FieldNumber:
			return figure, f, false
		case f.Type == FieldText:
			return freeText, f, false
		}
		return value, f, false
	}
	if line, ok := strings.CutPrefix(field, CondContact); ok && profileSorts[line] != noField {
		return profileSorts[line], Field{}, false
	}
	switch field {
	case CondScore, CondRating:
		return grade, Field{}, false
	case CondMessage, CondComment:
		return freeText, Field{}, false
	case CondChannel, CondChannelType, CondDepartment, CondState, CondDirection, CondOwner, CondTags, CondCategory, CondReason, CondOutcome, CondInterests,
		CondOrigin, CondStage, CondSatisfied, CondHours, CondStaffed, CondMessageKind, CondContactKnown, CondContactBlocked, CondContactTags,
		CondContactOwner, CondTicketLinked, CondTicketStatus:
		return value, Field{}, false
	}
	return noField, Field{}, false
}

// Personal reports whether the field is what somebody wrote: sealed in the log, and compared whatever its case, accents and spaces.
func (c Condition) Personal() bool {
	line, contacts := strings.CutPrefix(c.Field, CondContact)
	return contacts && profileSorts[line] != noField || c.Field == CondMessage || c.Field == CondComment ||
		strings.HasPrefix(c.Field, CondFields) || strings.HasPrefix(c.Field, CondContactFields) || strings.HasPrefix(c.Field, CondTicketFields)
}

// texts are what the condition looks for in a text.
func (c Condition) texts() []string {
	return slices.Concat(c.Contains, c.StartsWith, c.EndsWith, c.Words)
}

// wrongConditions names what is wrong with the conditions of a workflow.
func wrongConditions(all []Condition, trigger Trigger, img *Image) (bad []string) {
	asking := asking{trigger: trigger, img: img}
	for k := range all {
		bad = append(bad, asking.wrong(all[k], fmt.Sprintf("conditions.%d", k+1), 1)...)
	}
	if asking.asked > MaxConditions {
		bad = append(bad, "conditions")
	}
	return bad
}

// asking goes through the conditions of a workflow, and counts them.
type asking struct {
	trigger Trigger
	img     *Image
	asked   int
}

// wrong names what is wrong with a condition and with those in it.
func (a *asking) wrong(c Condition, where string, depth int) []string {
	a.asked++
	if a.asked > MaxConditions {
		return nil // the whole of them is named
	}
	groups := count(len(c.All) > 0, len(c.Any) > 0, len(c.None) > 0, c.Field != "")
	tests := count(len(c.Is) > 0, len(c.IsNot) > 0, c.Set != nil, c.AtLeast != nil || c.AtMost != nil,
		len(c.Contains) > 0, len(c.StartsWith) > 0, len(c.EndsWith) > 0, len(c.Words) > 0)
	switch {
	case groups != 1, c.Field == "" && tests > 0:
		return []string{where}
	case c.Field == "" && depth >= MaxConditionDepth:
		return []string{where}
	case c.Field == "":
		var bad []string
		for k, inner := range slices.Concat(c.All, c.Any, c.None) {
			bad = append(bad, a.wrong(inner, fmt.Sprintf("%s.%d", where, k+1), depth+1)...)
		}
		return bad
	}
	is, field, unknown := sortOf(c.Field, a.img)
	switch {
	case unknown:
		return []string{where + ".field", "field:" + field.ID}
	case is == noField, (c.Field == CondMessage || c.Field == CondMessageKind) && a.trigger.On != OnReceived && a.trigger.On != OnOpened:
		return []string{where + ".field"}
	case tests != 1 || !takes(is, c) || !c.fits(field):
		return []string{where}
	}
	return nil
}

func count(all ...bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// takes reports whether a field of the sort takes the test of the condition.
func takes(is sort, c Condition) bool {
	switch {
	case c.Set != nil:
		return true
	case len(c.EndsWith) > 0 && is == mailText:
		return !slices.ContainsFunc(c.EndsWith, func(s string) bool { return !strings.HasPrefix(s, "@") || len(s) < 2 })
	case len(c.texts()) > 0:
		return is == freeText || is == anyField
	case is == mailText || is == onlySet:
		return false
	}
	for _, n := range []*float64{c.AtLeast, c.AtMost} {
		switch {
		case n == nil:
		case is == grade && (*n < 1 || *n > 5), is != grade && is != figure && is != anyField, math.IsNaN(*n) || math.IsInf(*n, 0):
			return false
		}
	}
	return true
}

// fits reports whether the field could ever have the values that are asked for, and no list is too long.
func (c Condition) fits(field Field) bool {
	values, texts := slices.Concat(c.Is, c.IsNot), c.texts()
	if len(values) > MaxValues || len(texts) > MaxValues {
		return false
	}
	if slices.ContainsFunc(texts, func(v string) bool { return !asks(v) || len(c.Words) > 0 && FoldedWords(v) == "" }) {
		return false
	}
	return !slices.ContainsFunc(values, func(v string) bool {
		switch {
		case !c.Personal():
			return !valueOf(c.Field, v)
		case field.ID != "" && !field.Takes(domain.Personal(v)):
			return true
		}
		return !asks(v)
	})
}

// asks reports whether a text is one to look for.
func asks(s string) bool { return Folded(s) != "" && domain.Fits(domain.Personal(s), MaxAsked) }

// valueOf reports whether the field could ever have the value.
func valueOf(field, v string) bool {
	switch field {
	case CondState:
		return slices.Contains([]string{"bot", "waiting", "attending", "paused", "out_of_hours", "closed"}, v)
	case CondDirection:
		return v == "inbound" || v == "outbound"
	case CondOutcome:
		return v == "won" || v == "lost"
	case CondHours:
		return v == "open" || v == "closed"
	case CondSatisfied, CondStaffed, CondContactKnown, CondContactBlocked, CondTicketLinked:
		return v == "yes" || v == "no"
	case CondScore, CondRating:
		return len(v) == 1 && v[0] >= '1' && v[0] <= '5'
	case CondMessageKind:
		return slices.Contains([]string{"text", "image", "audio", "video", "document", "sticker", "location", "contact_card", "other"}, v)
	case CondTicketStatus:
		return slices.Contains([]string{"open", "pending", "solved", "closed"}, v)
	}
	return domain.ValidID(v)
}
