package history

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// The types of events that are looked for by name.
const (
	typeOpened   = "opened"
	typeReceived = "message_received"
	typeSent     = "message_sent"
	typeNoted    = "noted"
)

// typeOf is what an event is called in a timeline: its name in the log without turno.conversation and version.
func typeOf(e thread.Event) (string, error) {
	switch e.(type) {
	case thread.Opened:
		return typeOpened, nil
	case thread.MessageReceived:
		return typeReceived, nil
	case thread.MessageSent:
		return typeSent, nil
	case thread.Queued:
		return "queued", nil
	case thread.Taken:
		return "taken", nil
	case thread.Released:
		return "released", nil
	case thread.Offered:
		return "offered", nil
	case thread.OfferDeclined:
		return "offer_declined", nil
	case thread.OfferEnded:
		return "offer_ended", nil
	case thread.Alerted:
		return "alerted", nil
	case thread.Transferred:
		return "transferred", nil
	case thread.Paused:
		return "paused", nil
	case thread.Resumed:
		return "resumed", nil
	case thread.Tagged:
		return "tagged", nil
	case thread.Untagged:
		return "untagged", nil
	case thread.Noted:
		return typeNoted, nil
	case thread.Mentioned:
		return "mentioned", nil
	case thread.Classified:
		return "classified", nil
	case thread.TicketLinked:
		return "ticket_linked", nil
	case thread.TicketLinkProposed:
		return "ticket_link_proposed", nil
	case thread.TicketLinkRejected:
		return "ticket_link_rejected", nil
	case thread.MenuShown:
		return "menu_shown", nil
	case thread.MenuAnswered:
		return "menu_answered", nil
	case thread.BotPaused:
		return "bot_paused", nil
	case thread.BotResumed:
		return "bot_resumed", nil
	case thread.Closed:
		return "closed", nil
	case thread.Reopened:
		return "reopened", nil
	case thread.SurveySent:
		return "survey_sent", nil
	case thread.Rated:
		return "rated", nil
	case thread.Archived:
		return "archived", nil
	case thread.Unarchived:
		return "unarchived", nil
	case thread.Hidden:
		return "hidden", nil
	case thread.Read:
		return "read", nil
	case thread.NetworkSeen:
		return "network_seen", nil
	case thread.Erased:
		return "erased", nil
	case thread.WorkflowStarted:
		return "workflow_started", nil
	case thread.WorkflowAdvanced:
		return "workflow_advanced", nil
	case thread.WorkflowWaited:
		return "workflow_waited", nil
	case thread.WorkflowEnded:
		return "workflow_ended", nil
	case thread.WebhookRequested:
		return "webhook_requested", nil
	}
	return "", fmt.Errorf("history knows no event %T", e)
}

// parse reads the data of an entry back.
func parse(typ string, data []byte) (thread.Event, error) {
	switch typ {
	case typeOpened:
		return as[thread.Opened](data)
	case typeReceived:
		return as[thread.MessageReceived](data)
	case typeSent:
		return as[thread.MessageSent](data)
	case "queued":
		return as[thread.Queued](data)
	case "taken":
		return as[thread.Taken](data)
	case "released":
		return as[thread.Released](data)
	case "offered":
		return as[thread.Offered](data)
	case "offer_declined":
		return as[thread.OfferDeclined](data)
	case "offer_ended":
		return as[thread.OfferEnded](data)
	case "alerted":
		return as[thread.Alerted](data)
	case "transferred":
		return as[thread.Transferred](data)
	case "paused":
		return as[thread.Paused](data)
	case "resumed":
		return as[thread.Resumed](data)
	case "tagged":
		return as[thread.Tagged](data)
	case "untagged":
		return as[thread.Untagged](data)
	case typeNoted:
		return as[thread.Noted](data)
	case "mentioned":
		return as[thread.Mentioned](data)
	case "classified":
		return as[thread.Classified](data)
	case "ticket_linked":
		return as[thread.TicketLinked](data)
	case "ticket_link_proposed":
		return as[thread.TicketLinkProposed](data)
	case "ticket_link_rejected":
		return as[thread.TicketLinkRejected](data)
	case "menu_shown":
		return as[thread.MenuShown](data)
	case "menu_answered":
		return as[thread.MenuAnswered](data)
	case "bot_paused":
		return as[thread.BotPaused](data)
	case "bot_resumed":
		return as[thread.BotResumed](data)
	case "closed":
		return as[thread.Closed](data)
	case "reopened":
		return as[thread.Reopened](data)
	case "survey_sent":
		return as[thread.SurveySent](data)
	case "rated":
		return as[thread.Rated](data)
	case "archived":
		return as[thread.Archived](data)
	case "unarchived":
		return as[thread.Unarchived](data)
	case "hidden":
		return as[thread.Hidden](data)
	case "read":
		return as[thread.Read](data)
	case "network_seen":
		return as[thread.NetworkSeen](data)
	case "erased":
		return as[thread.Erased](data)
	case "workflow_started":
		return as[thread.WorkflowStarted](data)
	case "workflow_advanced":
		return as[thread.WorkflowAdvanced](data)
	case "workflow_waited":
		return as[thread.WorkflowWaited](data)
	case "workflow_ended":
		return as[thread.WorkflowEnded](data)
	case "webhook_requested":
		return as[thread.WebhookRequested](data)
	}
	return nil, fmt.Errorf("history wrote no entries of type %q", typ)
}

// as reads data as an E and returns it as the event that it is.
func as[E thread.Event](data []byte) (thread.Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	return e, nil
}

// words is what an event says in words that can be searched for, and in what kind of text. Empty when it says nothing or
// was erased.
func words(event thread.Event) (in, text string) {
	switch e := event.(type) {
	case thread.Opened:
		return "contact", joined(e.Name, e.Address, e.ExternalID)
	case thread.MessageReceived:
		return "message", contentWords(e.Content)
	case thread.MessageSent:
		return "message", contentWords(e.Content)
	case thread.Noted:
		return "note", joined(e.Text)
	case thread.TicketLinked:
		return "subject", joined(e.Subject)
	case thread.TicketLinkRejected:
		return "note", joined(e.Reason)
	case thread.Closed:
		return "summary", joined(e.Summary, e.Comment)
	case thread.Rated:
		return "rating", joined(e.Comment)
	}
	return "", ""
}

func contentWords(c thread.Content) string {
	if c.Attachments == nil && c.Location == nil && c.ContactCard == nil && c.Choices == nil {
		return joined(c.Text)
	}
	all := []domain.Personal{c.Text}
	for _, a := range c.Attachments {
		all = append(all, a.Name)
	}
	if c.Location != nil {
		all = append(all, c.Location.Label)
	}
	if c.ContactCard != nil {
		all = append(all, c.ContactCard.Name, c.ContactCard.Phone)
	}
	for _, choice := range c.Choices {
		all = append(all, choice.Title)
	}
	return joined(all...)
}

// joined joins what is there by line breaks.
func joined(parts ...domain.Personal) string {
	var kept []string
	for _, p := range parts {
		if p != "" && p != domain.Erased {
			kept = append(kept, string(p))
		}
	}
	return strings.Join(kept, "\n")
}

var personalType = reflect.TypeFor[domain.Personal]()

// blank makes every personal value below v that is not empty read [erased]. v must be settable.
func blank(v reflect.Value) {
	if v.Type() == personalType {
		if v.Len() > 0 {
			v.SetString(string(domain.Erased))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				blank(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			blank(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			blank(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			blank(e)
			v.SetMapIndex(k, e)
		}
	}
}

// erased is the event as it reads once its key is gone. e must be shared with nobody: what it points to is blanked in place.
func erased(e thread.Event) thread.Event {
	v := reflect.New(reflect.TypeOf(e)).Elem()
	v.Set(reflect.ValueOf(e))
	blank(v)
	return v.Interface().(thread.Event)
}
