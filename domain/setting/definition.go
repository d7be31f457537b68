package setting

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/turno-desk/turno/domain"
)

// Kind says what a definition is of.
type Kind string

// The kinds of definitions.
const (
	KindField    Kind = "field"
	KindFunnel   Kind = "funnel"
	KindCatalog  Kind = "catalog"
	KindTag      Kind = "tag"
	KindTemplate Kind = "template"
	KindMacro    Kind = "macro"
	KindSegment  Kind = "segment"
	KindInbox    Kind = "inbox"

	KindSubscription Kind = "subscription"
	KindWorkflow     Kind = "workflow"
	KindMenu         Kind = "menu"
)

// Kinds is the list of them all.
func Kinds() []Kind {
	return []Kind{KindField, KindFunnel, KindCatalog, KindTag, KindTemplate, KindMacro, KindSegment, KindInbox, KindSubscription, KindWorkflow, KindMenu}
}

// Definition is one thing that a company defines for its desk, under an id of its own choice: a field, a funnel, a
// template. Its aggregate is setting/<kind>.<id>, and every event carries the whole of it.
type Definition interface {
	Kind() Kind
	Ident() string
	OutOfUse() bool

	// settled is the definition in its normal form, and the names of what is missing or malformed in it.
	settled(img *Image) (Definition, []string)
	wants() string // what a definition of the kind takes, for people
	defined() Event
	retired() Event
}

// keeper is a definition of which commands of their own change a part: a new definition leaves that as it is.
type keeper interface {
	kept(is Definition) Definition
}

// bounded is a definition of which a workspace has only so many in use.
type bounded interface {
	crowded(img *Image) *domain.Refusal
}

// Name is what a definition is found by.
type Name struct {
	Kind Kind
	ID   string
}

// DecideDefine says what a new definition makes of the one that is there (nil: there is none). A retired one comes back.
// Saying the same again makes nothing, and is not judged: what it names may have gone since.
func DecideDefine(is, d Definition, img *Image) ([]Event, *domain.Refusal) {
	d, bad := d.settled(img)
	if k, ok := d.(keeper); ok {
		d = k.kept(is)
	}
	if is != nil && reflect.DeepEqual(is, d) {
		return nil, nil
	}
	if r, ok := d.(resting); ok { // nothing in use rests on what is not
		bad = append(bad, without(img.outOfUse(r.rests()), bad)...)
	}
	if !domain.ValidID(d.Ident()) {
		bad = append([]string{"id"}, bad...)
	}
	if len(bad) > 0 {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: bad, Detail: d.wants(), OnSettings: true}
	}
	if b, ok := d.(bounded); ok && (is == nil || is.OutOfUse()) {
		if r := b.crowded(img); r != nil {
			return nil, r
		}
	}
	return []Event{d.defined()}, nil
}

// DecideRetire takes a definition out of use: it is offered no more, and demanded of nobody. It is refused while other settings rest
// on it. Again is nothing.
func DecideRetire(is Definition, img *Image) ([]Event, *domain.Refusal) {
	if is == nil {
		return nil, &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such definition."}
	}
	if is.OutOfUse() {
		return nil, nil
	}
	if r := img.inUse(is.Kind(), is.Ident()); r != nil {
		return nil, r
	}
	return []Event{is.retired()}, nil
}

// Defined is the event that says the whole of a definition as it is, retired or not.
func Defined(d Definition) Event { return d.defined() }

// DefinitionOf is what an event says that a definition is; nil when it is about something else.
func DefinitionOf(e Event) Definition {
	switch e := e.(type) {
	case FieldDefined:
		return e.Field
	case FieldRetired:
		return e.Field
	case FunnelDefined:
		return e.Funnel
	case FunnelRetired:
		return e.Funnel
	case CatalogDefined:
		return e.Catalog
	case CatalogRetired:
		return e.Catalog
	case TagDefined:
		return e.Tag
	case TagRetired:
		return e.Tag
	case TemplateDefined:
		return e.Template
	case TemplateRetired:
		return e.Template
	case MacroDefined:
		return e.Macro
	case MacroRetired:
		return e.Macro
	case SegmentDefined:
		return e.Segment
	case SegmentRetired:
		return e.Segment
	case InboxDefined:
		return e.Inbox
	case InboxRetired:
		return e.Inbox
	case SubscriptionDefined:
		return e.Subscription
	case SubscriptionRetired:
		return e.Subscription
	case SubscriptionRotated:
		return e.Subscription
	case SubscriptionStopped:
		return e.Subscription
	case SubscriptionRedelivered:
		return e.Subscription
	case WorkflowDefined:
		return e.Workflow
	case WorkflowRetired:
		return e.Workflow
	case MenuDefined:
		return e.Menu
	case MenuRetired:
		return e.Menu
	}
	return nil
}

// ParseDefinition reads the JSON of a definition of a kind, as events carry it.
func ParseDefinition(kind Kind, data []byte) (Definition, error) {
	switch kind {
	case KindField:
		return parse[Field](data)
	case KindFunnel:
		return parse[Funnel](data)
	case KindCatalog:
		return parse[Catalog](data)
	case KindTag:
		return parse[Tag](data)
	case KindTemplate:
		return parse[Template](data)
	case KindMacro:
		return parse[Macro](data)
	case KindSegment:
		return parse[Segment](data)
	case KindInbox:
		return parse[Inbox](data)
	case KindSubscription:
		return parse[Subscription](data)
	case KindWorkflow:
		return parse[Workflow](data)
	case KindMenu:
		return parse[Menu](data)
	}
	return nil, fmt.Errorf("there is no kind %q of definitions", kind)
}

func parse[D Definition](data []byte) (Definition, error) {
	var d D
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, err
	}
	return d, nil
}

// find is a definition as the type of its kind.
func find[D Definition](i *Image, kind Kind, id string) (D, bool) {
	d, ok := i.Definitions[Name{kind, id}].(D)
	return d, ok
}

// line reports whether s is one line of text that is not empty and has at most max bytes.
func line(s string, max int) bool {
	return s != "" && domain.Fits(domain.Personal(s), max) && !slices.Contains([]byte(s), '\n')
}

// ids reports whether every one is an id, at most n of them and none twice.
func ids(all []string, n int) bool {
	seen := map[string]bool{}
	for _, id := range all {
		if !domain.ValidID(id) || seen[id] {
			return false
		}
		seen[id] = true
	}
	return len(all) <= n
}
