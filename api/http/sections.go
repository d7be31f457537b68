package http

import (
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

	// Own makes a body of what GET /v1/<Name> shows of one; nil: what is shown has the body's fields.
	Own func(shown map[string]any) map[string]any
}

// Sections is the list of them all, each behind those that it names things of.
func Sections() []Section {
	var all []Section
	last := []Section{
		{Name: "calendars", Body: reflect.TypeFor[calendarBody](), Decide: decideCalendar, Own: newestHours},
		{Name: "departments", Body: reflect.TypeFor[departmentBody](), Decide: decideDepartment},
		{Name: "operators", Body: reflect.TypeFor[operatorBody](), Decide: decideOperator},
		{Name: "channels", Body: reflect.TypeFor[channelBody](), Decide: decideChannel},
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
	if r := img.CheckGuards(put.Close); r != nil {
		return nil, r
	}
	decided, r := department.DecidePut(img.Departments[id], put)
	if r == nil && len(decided) > 0 {
		r = img.Serves(put.Settings)
	}
	return plainly(decided, r)
}

func decideChannel(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
	put, err := ParseChannel(id, body)
	if err != nil {
		return nil, err
	}
	return plainly(setting.DecidePutChannel(img.Channels[id], put, img))
}

func decideOperator(img *setting.Image, id string, body []byte) ([]domain.Event, error) {
	put, err := ParseOperator(id, body)
	if err != nil {
		return nil, err
	}
	if held, taken := img.OperatorByExtension(put.Extension); taken && held.ID != id {
		return nil, &domain.Refusal{Code: operator.CodeExtensionTaken, Missing: []string{"extension"}, Detail: "Another operator has this extension."}
	}
	return plainly(operator.DecidePut(img.Operators[id], put, img.Known()))
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
