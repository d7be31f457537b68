package http

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
)

// Section is one kind of settings: everything of it that PUT /v1/<Name>/{id} takes.
type Section struct {
	Name string       // as in the path: "departments"
	Body reflect.Type // of the body

	// Decide says which events a body would make of what the image holds under the id; none when it is so already. Errors: a
	// *Problem for a body that is malformed, a *domain.Refusal.
	Decide func(img *setting.Image, id string, body []byte) ([]domain.Event, error)

	// Stored reads what GET /v1/<Name> shows of one as the event that says the whole of it, whether it is in use or not: an image
	// that has applied it holds the setting as the desk has it.
	Stored func(shown []byte) (domain.Event, error)

	// Own makes a body of what GET /v1/<Name> shows of one; nil: what is shown has the body's fields.
	Own func(shown map[string]any) map[string]any
}

// Sections is the list of them all, each behind those that it names things of.
func Sections() []Section {
	var all []Section
	last := []Section{
		{Name: "calendars", Body: reflect.TypeFor[calendarBody](), Decide: decideCalendar, Own: newestHours, Stored: storedCalendar},
		{Name: "departments", Body: reflect.TypeFor[departmentBody](), Decide: decideDepartment, Stored: storedDepartment},
		{Name: "operators", Body: reflect.TypeFor[operatorBody](), Decide: decideOperator, Stored: storedOperator},
		{Name: "channels", Body: reflect.TypeFor[channelBody](), Decide: decideChannel, Stored: storedChannel},
	}
	bodies := map[setting.Kind]reflect.Type{
		setting.KindField: reflect.TypeFor[fieldBody](), setting.KindFunnel: reflect.TypeFor[funnelBody](), setting.KindCatalog: reflect.TypeFor[catalogBody](),
		setting.KindTag: reflect.TypeFor[tagBody](), setting.KindTemplate: reflect.TypeFor[templateBody](), setting.KindMacro: reflect.TypeFor[macroBody](),
		setting.KindSegment: reflect.TypeFor[segmentBody](), setting.KindWorkflow: reflect.TypeFor[workflowBody](),
		setting.KindSubscription: reflect.TypeFor[subscriptionBody](), setting.KindInbox: reflect.TypeFor[inboxBody](),
		setting.KindMenu: reflect.TypeFor[menuBody](),
	}
	for _, d := range definables() {
		s := Section{Name: d.path, Body: bodies[d.kind], Decide: func(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
			definition, err := d.decode(id, body)
			if err != nil {
				return nil, err
			}
			return plainly(setting.DecideDefine(img.Definitions[setting.Name{Kind: d.kind, ID: id}], definition, img))
		}, Stored: func(shown []byte) (domain.Event, error) {
			definition, err := setting.ParseDefinition(d.kind, shown)
			if err != nil {
				return nil, err
			}
			return setting.Defined(definition), nil
		}}
		if d.kind == setting.KindWorkflow { // its steps name departments and operators
			last = append(last, s)
			continue
		}
		if d.kind == setting.KindMenu { // it names departments, and channels name it
			last = slices.Insert(last, slices.IndexFunc(last, func(s Section) bool { return s.Name == "channels" }), s)
			continue
		}
		all = append(all, s)
	}
	return append(all, last...)
}

func decideCalendar(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
	var b calendarBody
	if err := decode(body, &b); err != nil {
		return nil, err
	}
	return plainly(hours.DecidePut(img.Calendars[id], b.put(id), time.Now().UTC().Truncate(time.Millisecond)))
}

func storedCalendar(shown []byte) (domain.Event, error) {
	var c hours.Calendar
	err := json.Unmarshal(shown, &c)
	return hours.Changed{Calendar: c}, err
}

// newestHours is a calendar as a body: the newest of its hours, with the instant that they begin at while that is to come. The
// hours before them are the past's.
func newestHours(shown map[string]any) map[string]any {
	versions, _ := shown["versions"].([]any)
	if len(versions) == 0 {
		return shown
	}
	newest, _ := versions[len(versions)-1].(map[string]any)
	own := map[string]any{"id": shown["id"], "name": shown["name"]}
	for name, v := range newest {
		own[name] = v
	}
	from, _ := own["from"].(string)
	if at, err := time.Parse(time.RFC3339, from); err == nil && !at.After(time.Now()) {
		delete(own, "from")
	}
	return own
}

func decideDepartment(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
	put, err := ParseDepartment(id, body)
	if err != nil {
		return nil, err
	}
	return plainly(setting.DecidePutDepartment(img.Departments[id], put, img))
}

func storedDepartment(shown []byte) (domain.Event, error) {
	var d department.Definition
	err := json.Unmarshal(shown, &d)
	if d.Close.TicketLink == "auto" { // as it is shown
		d.Close.TicketLink = department.LinkAuto
	}
	return department.Changed{Definition: d}, err
}

func decideChannel(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
	put, err := ParseChannel(id, body)
	if err != nil {
		return nil, err
	}
	return plainly(setting.DecidePutChannel(img.Channels[id], put, img))
}

func storedChannel(shown []byte) (domain.Event, error) {
	var c setting.Channel
	err := json.Unmarshal(shown, &c)
	return setting.ChannelChanged{Channel: c}, err
}

func decideOperator(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
	put, err := ParseOperator(id, body)
	if err != nil {
		return nil, err
	}
	decided, r := operator.DecidePut(img.Operators[id], put, img.Known())
	if r == nil && len(decided) > 0 && operator.DefinitionOf(decided[0]).Active { // who is not active claims no extension
		if held, taken := img.OperatorByExtension(put.Extension); taken && held.ID != id {
			r = &domain.Refusal{Code: operator.CodeExtensionTaken, Missing: []string{"extension"}, Detail: "Another operator has this extension."}
		}
	}
	return plainly(decided, r)
}

func storedOperator(shown []byte) (domain.Event, error) {
	var d operator.Definition
	err := json.Unmarshal(shown, &d)
	return operator.Changed{Definition: d}, err
}

func plainly[E any](decided []E, r *domain.Refusal) ([]domain.Event, error) {
	if r != nil {
		return nil, r
	}
	var all []domain.Event
	for _, e := range decided {
		all = append(all, e)
	}
	return all, nil
}

// Missing names what an error of Decide says is missing or malformed, and why in a sentence.
func Missing(err error) (missing []string, why string) {
	var refusal *domain.Refusal
	var p *Problem
	switch {
	case errors.As(err, &refusal):
		return refusal.Missing, refusal.Detail
	case errors.As(err, &p):
		missing = p.Missing
		if p.Field != "" {
			missing = append(missing, p.Field)
		}
		return missing, p.Detail
	}
	return nil, err.Error()
}
