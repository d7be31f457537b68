package workflow_test

import (
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/workflow"
)

func is(field string, values ...string) setting.Condition {
	return setting.Condition{Field: field, Is: values}
}

// F136: groups of conditions answer as soon as what is known decides them.
func TestConditionsHoldOrNotOrNobodyKnowsYet(t *testing.T) {
	yes, one, two, four := true, 1.0, 2.0, 4.0
	s := workflow.Subject{"channel": {"web"}, "tags": {"vip", "queja"}, "owner": {}, "rating": {"2"}}
	for name, c := range map[string]struct {
		all  []setting.Condition
		want workflow.Truth
	}{
		"none":                     {nil, workflow.Yes},
		"one of several":           {[]setting.Condition{is("tags", "nuevo", "queja")}, workflow.Yes},
		"none of them":             {[]setting.Condition{{Field: "tags", IsNot: []string{"nuevo"}}}, workflow.Yes},
		"one that should not be":   {[]setting.Condition{{Field: "tags", IsNot: []string{"vip"}}}, workflow.No},
		"all must":                 {[]setting.Condition{is("channel", "web"), is("tags", "nuevo")}, workflow.No},
		"any may":                  {[]setting.Condition{{Any: []setting.Condition{is("channel", "tele"), is("tags", "vip")}}}, workflow.Yes},
		"nobody owns it":           {[]setting.Condition{{Field: "owner", Set: &yes}}, workflow.No},
		"a low rating":             {[]setting.Condition{{Field: "rating", AtMost: &two}}, workflow.Yes},
		"a high one":               {[]setting.Condition{{Field: "rating", AtLeast: &four}}, workflow.No},
		"unknown":                  {[]setting.Condition{is("stage", "firma")}, workflow.Unknown},
		"unknown, and no":          {[]setting.Condition{is("stage", "firma"), is("channel", "tele")}, workflow.No},
		"unknown, or yes":          {[]setting.Condition{{Any: []setting.Condition{is("stage", "firma"), is("channel", "web")}}}, workflow.Yes},
		"unknown in an inner all":  {[]setting.Condition{{Any: []setting.Condition{{All: []setting.Condition{is("channel", "web"), is("stage", "firma")}}}}}, workflow.Unknown},
		"a number that is not set": {[]setting.Condition{{Field: "owner", AtLeast: &one}}, workflow.No},
	} {
		if got := workflow.Holds(c.all, s); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// F101: closures by workflow or bot don't match a source that is user.
func TestWhoDidItDecidesWhetherAWorkflowStarts(t *testing.T) {
	free := setting.Workflow{ID: "libre", Enabled: true, Trigger: setting.Trigger{On: setting.OnClosed, Source: []string{setting.SourceUser}}}
	for _, c := range []struct {
		actor  domain.Actor
		source string
		starts bool
	}{
		{domain.Actor{Kind: domain.ActorOperator, ID: "ana"}, "user", true},
		{domain.Actor{Kind: domain.ActorOperator, ID: "ana", Via: "service:crm"}, "user", true},
		{domain.Actor{Kind: domain.ActorAdmin}, "user", true},
		{domain.Actor{Kind: domain.ActorContact}, "contact", false},
		{domain.Actor{Kind: domain.ActorBot}, "bot", false},
		{domain.Actor{Kind: domain.ActorService, ID: "crm"}, "service", false},
		{workflow.Actor("cierra"), "workflow", false},
		{domain.Actor{Kind: domain.ActorSystem, Via: "effect:unattended"}, "system", false},
	} {
		source, by := workflow.Source(c.actor)
		if starts := workflow.Starts(free, workflow.Occasion{On: setting.OnClosed, Source: source, By: by}); source != c.source || starts != c.starts {
			t.Errorf("%v is %q and starts it: %v", c.actor, source, starts)
		}
	}
	self := setting.Workflow{ID: "eco", Enabled: true, Trigger: setting.Trigger{On: setting.OnTagged}}
	if workflow.Starts(self, workflow.Occasion{On: setting.OnTagged, Source: "workflow", By: "eco"}) {
		t.Error("a workflow starts itself")
	}
	self.Enabled = false
	if workflow.Starts(self, workflow.Occasion{On: setting.OnTagged, Source: "user"}) {
		t.Error("a workflow that is off starts")
	}
}

// F136: the limits of runs.
func TestEnoughIsEnough(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	many := make([]time.Time, workflow.MaxStarts)
	for k := range many {
		many[k] = now.Add(-time.Duration(k) * time.Minute)
	}
	for _, c := range []struct {
		depth  int
		starts []time.Time
		open   int
		now    time.Time
		want   string
	}{
		{1, nil, 0, now, ""}, {workflow.MaxDepth, many[1:], workflow.MaxOpen - 1, now, ""}, {workflow.MaxDepth + 1, nil, 0, now, "loop"},
		{1, many, 0, now, "loop"}, {1, many, 0, now.Add(time.Hour), ""}, {1, nil, workflow.MaxOpen, now, "too_many"},
	} {
		if got := workflow.Enough(c.depth, c.starts, c.open, c.now); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
