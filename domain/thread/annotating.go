package thread

import (
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// tag adds and removes tags (F054).
func (d decision) tag(c Tag) ([]Event, *domain.Refusal) {
	if r := checkTags(slices.Concat(c.Add, c.Remove)); r != nil {
		return nil, r
	}
	if len(c.Add)+len(c.Remove) == 0 {
		return nil, invalid("Say tags to add or to remove.", "add", "remove")
	}
	if len(without(c.Add, c.Remove)) != len(c.Add) {
		return nil, invalid("A tag can't be added and removed at once.", "add", "remove")
	}
	if !d.works() {
		return nil, forbidden("Only its owner, or a supervisor, may tag it.")
	}
	return d.tagging(c)
}

func (d decision) tagging(c Tag) ([]Event, *domain.Refusal) {
	var events []Event
	if add := without(union(nil, c.Add), d.c.Tags); len(add) > 0 {
		if !d.f.Import {
			if r := d.f.Image.CheckTags(setting.OnConversation, add); r != nil {
				return nil, r
			}
		}
		if len(d.c.Tags)+len(add) > MaxTags {
			return nil, &domain.Refusal{Code: domain.CodeTooLarge, Detail: "A conversation has at most 50 tags.", Missing: []string{"add"}}
		}
		events = append(events, Tagged{Tags: add})
	}
	remove := union(nil, c.Remove)
	if remove = without(remove, without(remove, d.c.Tags)); len(remove) > 0 {
		events = append(events, Untagged{Tags: remove})
	}
	return events, nil
}

// note adds an internal note (F053); everybody who may see the conversation may leave one, and mention colleagues (D20).
func (d decision) note(c Note) ([]Event, *domain.Refusal) {
	if blank(c.Text) {
		return nil, invalid("A note says something.", "text")
	}
	if r := checkText("text", c.Text, MaxText); r != nil {
		return nil, r
	}
	if len(c.Mentions) > MaxMentions {
		return nil, &domain.Refusal{Code: domain.CodeTooLarge, Detail: "A note mentions at most 50 colleagues.", Missing: []string{"mentions"}}
	}
	id := d.c.NoteID(d.c.Notes + 1)
	events := []Event{Noted{Note: id, Text: c.Text}}
	if len(c.Mentions) == 0 {
		return events, nil
	}
	if !d.c.Open() {
		return nil, &domain.Refusal{
			Code: domain.CodeNotAllowed, State: d.c.State, Allowed: AllowedIn(d.c.State),
			Detail: "A mention lasts until the close, and this conversation is closed.", Missing: []string{"mentions"},
		}
	}
	for _, m := range c.Mentions {
		if _, r := d.active(m); r != nil {
			return nil, r
		}
	}
	if add := without(union(nil, c.Mentions), d.c.Mentioned); len(add) > 0 {
		events = append(events, Mentioned{Operators: add, Note: id})
	}
	return events, nil
}

// classify records what the conversation was about (F094, F095).
func (d decision) classify(c Classify) ([]Event, *domain.Refusal) {
	if r := checkClassified(c.Classified); r != nil {
		return nil, r
	}
	if !d.works() {
		return nil, forbidden("Only its owner, or a supervisor, may classify it.")
	}
	if r := d.known(c.Classified); r != nil {
		return nil, r
	}
	return d.classifying(c.Classified), nil
}

// known refuses what the company's lists, its funnel and its fields have no place for. A history from elsewhere may name
// what was never in them.
func (d decision) known(c Classified) *domain.Refusal {
	if d.f.Import {
		return nil
	}
	img := d.f.Image
	if r := img.CheckChoice(setting.CatalogOrigins, "origin", c.Origin); r != nil {
		return r
	}
	if r := img.CheckChoice(setting.CatalogInterests, "interests", c.Interests...); r != nil {
		return r
	}
	if f, ok := img.Funnel(img.Departments[d.c.Department].Close.Funnel); ok && !f.Retired && c.Stage != "" {
		if _, ok := f.Stage(c.Stage); !ok {
			return unknownSetting("stage", c.Stage)
		}
	}
	return img.CheckFields(setting.OnConversation, c.Fields)
}

func (d decision) classifying(c Classified) []Event {
	before, after := d.c.Classification, d.c.Classification.with(c)
	same := before.Outcome == after.Outcome && before.Origin == after.Origin && before.Stage == after.Stage &&
		before.Score == after.Score && slices.Equal(before.Interests, after.Interests) && len(before.Fields) == len(after.Fields)
	for id, v := range after.Fields {
		same = same && before.Fields[id] == v
	}
	if same {
		return nil
	}
	return []Event{c}
}

func checkClassified(c Classified) *domain.Refusal {
	var bad []string
	if c.Outcome != "" && c.Outcome != "won" && c.Outcome != "lost" {
		bad = append(bad, "outcome")
	}
	if c.Score < 0 || c.Score > 5 {
		bad = append(bad, "score")
	}
	for _, id := range slices.Concat(c.Interests, []string{c.Origin, c.Stage}) {
		if id != "" && !domain.ValidID(id) {
			bad = append(bad, "interests, origin or stage")
			break
		}
	}
	for id, v := range c.Fields {
		if !domain.ValidID(id) || checkText(id, v, MaxShortText) != nil {
			bad = append(bad, "fields")
			break
		}
	}
	if len(c.Fields) > MaxFields || len(c.Interests) > MaxTags {
		bad = append(bad, "fields or interests: at most 50")
	}
	if len(bad) > 0 {
		return invalid("The classification is malformed: outcome is won or lost, score 1 to 5, the rest are ids.", bad...)
	}
	return nil
}

// markRead moves the unread mark: the owner's, or a member's while nobody owns it. Who only looks leaves it.
func (d decision) markRead(c MarkRead) ([]Event, *domain.Refusal) {
	if !d.c.Open() {
		return nil, notAllowed(d.c)
	}
	if d.c.Owner != "" && !d.owns() || d.c.Owner == "" && !d.works() {
		return nil, forbidden("Only its owner moves the unread mark.")
	}
	message := c.Message
	if message == "" && d.c.Messages > 0 {
		message = d.c.MessageID(d.c.Messages)
	}
	k, ok := d.c.messageOrdinal(message)
	if !ok {
		return nil, invalid("There is no such message in this conversation.", "message")
	}
	if len(d.c.Unread) == 0 || d.c.Unread[0] > k {
		return nil, nil
	}
	return []Event{Read{Message: message}}, nil
}
