package codec

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
)

// closing is a commit of three events.
func closing() domain.Commit {
	c := received()
	c.Actor = domain.Actor{Kind: domain.ActorOperator, ID: "ana", Via: "admin"}
	c.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	c.After = &domain.Sight{State: "closed", Department: "support", OwnerAtClose: "ana", Archived: true}
	c.Events = []domain.Event{
		thread.Tagged{Tags: []string{"vip"}},
		thread.Closed{Reason: thread.ClosedResolved, Owner: "ana", Department: "support", Summary: "Parcel found."},
		thread.Archived{Cause: "close"},
	}
	return c
}

func TestABatchHasTheFactsOfTheCommitOnItsFirstEventAndWhatCloudEventsAsksForOnEach(t *testing.T) {
	commit := closing()
	data, err := New(goldenKeys()).Encode(context.Background(), &commit)
	if err != nil {
		t.Fatal(err)
	}
	var events []map[string]any
	if err := json.Unmarshal(data, &events); err != nil {
		t.Fatal(err)
	}
	if len(events) != 3 {
		t.Fatalf("%d events, want 3", len(events))
	}
	for i, e := range events {
		isCloudEvent(t, e)
		if _, ok := e["actor"]; ok != (i == 0) {
			t.Errorf("event %d: actor is there: %v", i, ok)
		}
	}
	if id := events[2]["id"]; id != commit.ID+".2" {
		t.Errorf("the third event has the id %v", id)
	}
}

func TestAStructuredEventStandsAlone(t *testing.T) {
	commit := closing()
	commit.Position = 1042
	all, err := New(broken{}).Structured(&commit)
	if err != nil {
		t.Fatal(err)
	}
	for i, raw := range all {
		var e map[string]any
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		isCloudEvent(t, e)
		for name, want := range map[string]any{
			"sequence": "1042", "index": float64(i), "count": 3.0, "commit": commit.ID, "recorded": "2026-03-04T12:30:15.250Z",
			"actor": "operator:ana", "via": "admin", "origin": "live", "image": "41", "ticket": "1042", "contact": commit.Contact,
			"channel": "web", "statebefore": "attending", "stateafter": "closed", "owneratcloseafter": "ana", "archivedafter": true,
			"traceparent": commit.Trace, "source": "turno/default", "subject": conversationID,
		} {
			if e[name] != want {
				t.Errorf("event %d: %s is %v, want %v", i, name, e[name], want)
			}
		}
	}
	if !strings.Contains(string(all[1]), `"summary":"Parcel found."`) {
		t.Errorf("the open commit's text is not as it was: %s", all[1])
	}

	data, err := New(goldenKeys()).Encode(context.Background(), &commit)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := New(goldenKeys()).Decode(context.Background(), data, false)
	if err != nil {
		t.Fatal(err)
	}
	if all, err = New(broken{}).Structured(&sealed); err != nil || strings.Contains(string(all[1]), "Parcel") || !strings.Contains(string(all[1]), `"summary":"eyJ`) {
		t.Errorf("the sealed commit's text is not sealed: %s, %v", all[1], err)
	}
}

// isCloudEvent checks what the specification says of attributes.
func isCloudEvent(t *testing.T, e map[string]any) {
	t.Helper()
	for _, name := range []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype"} {
		if s, ok := e[name].(string); !ok || s == "" {
			t.Errorf("%s is %v", name, e[name])
		}
	}
	if e["specversion"] != "1.0" || e["datacontenttype"] != "application/json" {
		t.Errorf("it is no CloudEvent 1.0 in JSON: %v", e)
	}
	if at, err := time.Parse(time.RFC3339, e["time"].(string)); err != nil || at.Location() != time.UTC {
		t.Errorf("time is %v", e["time"])
	}
	for name, value := range e {
		if name == "data" {
			if _, ok := value.(map[string]any); !ok {
				t.Errorf("data is %v", value)
			}
			continue
		}
		if !regexp.MustCompile(`^[a-z0-9]{1,20}$`).MatchString(name) {
			t.Errorf("%q is no name of an attribute", name)
		}
		switch v := value.(type) {
		case string, bool:
		case float64:
			if v != float64(int32(v)) {
				t.Errorf("%s is %v, which is no 32-bit integer", name, v)
			}
		default:
			t.Errorf("%s is %v, which is no scalar", name, value)
		}
	}
}

func TestWhatCouldNotBeReadBackIsNotWritten(t *testing.T) {
	for name, spoil := range map[string]func(*domain.Commit){
		"no id":                         func(c *domain.Commit) { c.ID = "" },
		"no events":                     func(c *domain.Commit) { c.Events = nil },
		"an unknown event":              func(c *domain.Commit) { c.Events[0] = struct{}{} },
		"a nil event":                   func(c *domain.Commit) { c.Events[0] = nil },
		"a pointer to an event":         func(c *domain.Commit) { c.Events[0] = &thread.Resumed{} },
		"another category's event":      func(c *domain.Commit) { c.Events[0] = operator.Changed{} },
		"no workspace":                  func(c *domain.Commit) { c.Aggregate.Workspace = "" },
		"a workspace with a quote":      func(c *domain.Commit) { c.Aggregate.Workspace = `a"b` },
		"an unknown category":           func(c *domain.Commit) { c.Aggregate.Category = "x"; c.Conversation = "" },
		"an id with a slash":            func(c *domain.Commit) { c.Aggregate.ID = "a/b"; c.Conversation = "" },
		"an id with an empty part":      func(c *domain.Commit) { c.Aggregate.ID = "a..b"; c.Conversation = "" },
		"an id that is too long":        func(c *domain.Commit) { c.Aggregate.ID = strings.Repeat("a", 129); c.Conversation = "" },
		"a conversation of another":     func(c *domain.Commit) { c.Conversation = "tother-1" },
		"a conversation without number": func(c *domain.Commit) { c.Conversation = threadID },
		"no time":                       func(c *domain.Commit) { c.Time = time.Time{} },
		"nothing recorded":              func(c *domain.Commit) { c.Recorded = time.Time{} },
		"a time beyond the calendar":    func(c *domain.Commit) { c.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no origin":                     func(c *domain.Commit) { c.Origin = "" },
		"a ticket below zero":           func(c *domain.Commit) { c.Ticket = -1 },
		"no actor":                      func(c *domain.Commit) { c.Actor = domain.Actor{} },
		"an operator without id":        func(c *domain.Commit) { c.Actor = domain.Actor{Kind: domain.ActorOperator} },
		"a sight without state":         func(c *domain.Commit) { c.After = &domain.Sight{} },
		"a mentioned one with a comma":  func(c *domain.Commit) { c.Before.Mentioned = []string{"a,b"} },
		"more events than are allowed":  func(c *domain.Commit) { c.Events = make([]domain.Event, domain.MaxEvents+1) },
		"more bytes than are allowed": func(c *domain.Commit) {
			c.Events[0] = thread.Noted{Text: domain.Personal(strings.Repeat("a", 200<<10))}
		},
		"personal data and no key of it": func(c *domain.Commit) { c.Key = "kgone" },
	} {
		commit := closing()
		spoil(&commit)
		data, err := New(goldenKeys()).Encode(context.Background(), &commit)
		if err == nil {
			t.Errorf("%s: it was written: %s", name, data)
			continue
		}
		var refusal *domain.Refusal
		if tooLarge := errors.As(err, &refusal) && refusal.Code == domain.CodeTooLarge; tooLarge != strings.HasPrefix(name, "more ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
