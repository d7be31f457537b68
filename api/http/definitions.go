package http

import (
	"context"
	"net/http"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/directory"
)

// definable is one kind of definitions: where it is, who may change it, and how a body becomes one.
type definable struct {
	path   string
	kind   setting.Kind
	right  access.Action
	decode func(id string, body []byte) (setting.Definition, error)

	read  access.Action                                        // who may see them; who may read settings, when empty
	check func(s *Server, c *call, d setting.Definition) error // what a caller must be allowed besides; nothing, when nil
}

// definables is the list of them all.
func definables() []definable {
	return []definable{
		{path: "fields", kind: setting.KindField, right: access.EditSettings, decode: define[fieldBody]},
		{path: "funnels", kind: setting.KindFunnel, right: access.EditSettings, decode: define[funnelBody]},
		{path: "catalogs", kind: setting.KindCatalog, right: access.EditSettings, decode: define[catalogBody]},
		{path: "tags", kind: setting.KindTag, right: access.EditSettings, decode: define[tagBody]},
		{path: "templates", kind: setting.KindTemplate, right: access.ManageTemplates, decode: define[templateBody]},
		{path: "macros", kind: setting.KindMacro, right: access.ManageTemplates, decode: define[macroBody]},
		{path: "segments", kind: setting.KindSegment, right: access.ManageTemplates, decode: define[segmentBody]},
		{path: "inboxes", kind: setting.KindInbox, right: access.ManageTemplates, decode: define[inboxBody]},
		{path: "subscriptions", kind: setting.KindSubscription, right: access.EditSettings, decode: define[subscriptionBody], read: access.EditSettings, check: (*Server).maySubscribe},
		{path: "workflows", kind: setting.KindWorkflow, right: access.EditSettings, decode: define[workflowBody]},
		{path: "menus", kind: setting.KindMenu, right: access.EditSettings, decode: define[menuBody]},
	}
}

// definer is a body that says which definition it is, under an id.
type definer interface {
	definition(id string) setting.Definition
}

func define[B definer](id string, body []byte) (setting.Definition, error) {
	var b B
	err := decode(body, &b)
	return b.definition(id), err
}

type (
	fieldBody struct {
		Name    string   `json:"name"`
		On      string   `json:"on"`
		Type    string   `json:"type"`
		Options []string `json:"options"`
	}
	funnelBody struct {
		Name   string          `json:"name"`
		Stages []setting.Stage `json:"stages"`
		Fields []string        `json:"fields"`
	}
	catalogBody struct {
		Items []setting.Item `json:"items"`
	}
	tagBody struct {
		Name string   `json:"name"`
		On   []string `json:"on"`
	}
	templateBody struct {
		Name     string `json:"name"`
		Category string `json:"category"`
		Language string `json:"language"`
		Text     string `json:"text"`
	}
	macroBody struct {
		Name  string         `json:"name"`
		Steps []setting.Step `json:"steps"`
	}
	workflowBody struct {
		Name       string                 `json:"name"`
		Enabled    bool                   `json:"enabled"`
		Trigger    setting.Trigger        `json:"trigger"`
		Conditions []setting.Condition    `json:"conditions"`
		Steps      []setting.WorkflowStep `json:"steps"`
	}
	inboxBody struct {
		Name   string                `json:"name"`
		Filter setting.Conversations `json:"filter"`
	}
	segmentBody struct {
		Name   string           `json:"name"`
		Filter setting.Contacts `json:"filter"`
	}
	menuBody struct {
		Name       string           `json:"name"`
		Nodes      []setting.Node   `json:"nodes"`
		Person     setting.Person   `json:"person"`
		Fallback   setting.Fallback `json:"fallback"`
		CloseAfter int64            `json:"close_after_s"`
	}
)

func (b fieldBody) definition(id string) setting.Definition {
	if b.Type == "" {
		b.Type = setting.FieldText
	}
	return setting.Field{ID: id, Name: b.Name, On: b.On, Type: b.Type, Options: b.Options}
}
func (b funnelBody) definition(id string) setting.Definition {
	return setting.Funnel{ID: id, Name: b.Name, Stages: b.Stages, Fields: b.Fields}
}
func (b catalogBody) definition(id string) setting.Definition {
	return setting.Catalog{ID: id, Items: b.Items}
}
func (b tagBody) definition(id string) setting.Definition {
	return setting.Tag{ID: id, Name: b.Name, On: b.On}
}
func (b templateBody) definition(id string) setting.Definition {
	return setting.Template{ID: id, Name: b.Name, Category: b.Category, Language: b.Language, Text: b.Text}
}
func (b macroBody) definition(id string) setting.Definition {
	return setting.Macro{ID: id, Name: b.Name, Steps: b.Steps}
}
func (b workflowBody) definition(id string) setting.Definition {
	return setting.Workflow{ID: id, Name: b.Name, Enabled: b.Enabled, Trigger: b.Trigger, Conditions: b.Conditions, Steps: b.Steps}
}
func (b inboxBody) definition(id string) setting.Definition {
	return setting.Inbox{ID: id, Name: b.Name, Filter: b.Filter}
}
func (b segmentBody) definition(id string) setting.Definition {
	return setting.Segment{ID: id, Name: b.Name, Filter: b.Filter}
}
func (b menuBody) definition(id string) setting.Definition {
	return setting.Menu{ID: id, Name: b.Name, Nodes: b.Nodes, Person: b.Person, Fallback: b.Fallback, CloseAfter: b.CloseAfter}
}

// routes of one kind of definitions.
func (s *Server) defining(d definable) []route {
	path, read := "/v1/"+d.path, access.ReadSettings
	if d.read != "" {
		read = d.read
	}
	return []route{
		{http.MethodGet, path, read, s.definitions(d), []string{"q", "category", "language", "retired", "cursor", "limit", "after"}},
		{http.MethodGet, path + "/:id", read, one(func(ctx context.Context, workspace, id string) (directory.Definition, domain.Position, bool, error) {
			return s.Directory.Definition(ctx, workspace, d.kind, id)
		}, func(v directory.Definition) domain.Position { return v.Revision }), []string{"after"}},
		{http.MethodPut, path + "/:id", d.right, s.putDefinition(d), nil},
		{http.MethodPost, path + "/:id/retire", d.right, s.byID("retire_"+string(d.kind), func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
			return s.Commands.RetireDefinition(ctx, r, d.kind, id)
		}), nil},
	}
}

// definitions lists and searches those of a kind.
func (s *Server) definitions(d definable) func(*call) error {
	return func(c *call) error {
		r, err := c.page()
		if err != nil {
			return err
		}
		f := directory.DefinitionFilter{Range: r}
		if f.Q, err = c.words("q"); err != nil {
			return err
		}
		if f.Retired, err = c.flag("retired"); err != nil {
			return err
		}
		if err := c.ids(map[string]*string{"category": &f.Category, "language": &f.Language}); err != nil {
			return err
		}
		answer, err := s.Directory.Definitions(c.ctx(), s.workspace, d.kind, f)
		if err != nil {
			return err
		}
		return c.ok(answer.Position, answer)
	}
}

// putDefinition makes one, or replaces it.
func (s *Server) putDefinition(d definable) func(*call) error {
	return func(c *call) error {
		data, err := readBody(c.Context)
		if err != nil {
			return err
		}
		id, err := c.newID("id")
		if err != nil {
			return err
		}
		definition, err := d.decode(id, data)
		if err != nil {
			return err
		}
		if d.check != nil {
			if err := d.check(s, c, definition); err != nil {
				return err
			}
		}
		return s.set(c, "put_"+string(d.kind), definition, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
			return s.Commands.Define(ctx, r, definition)
		})
	}
}

// changes lists who changed which setting, the newest first.
func (s *Server) changes(c *call) error {
	r, err := c.page()
	if err != nil {
		return err
	}
	f := directory.ChangeFilter{Range: r}
	if err := c.ids(map[string]*string{"kind": &f.Kind, "id": &f.ID}); err != nil {
		return err
	}
	answer, err := s.Directory.Changes(c.ctx(), s.workspace, f)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}
