package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestServeGivesWhatWaitsAndExplainsTheChoice is F002, F007, F011, D8 and N15, through the whole program.
func TestServeGivesWhatWaitsAndExplainsTheChoice(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	awaitLeader(t, dir)
	s.put("/v1/departments/support", object{"name": "Support", "capacity": 2, "settings": object{"distribution": "automatic", "rule": "least_busy"}})
	s.post("ana", "/v1/operators/ana/presence", object{"connected": true})
	id, at := s.receive("m-1", "+1 555 0100", "My printer is on fire")
	for limit := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if c := s.get("/v1/conversations/" + id + "?" + after(at)); c.text("operator") == "ana" {
			break
		} else if time.Now().After(limit) {
			t.Fatalf("nobody got it: %v", c)
		}
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for limit := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatal("in vain: " + what)
			}
		}
	}

	// D8: what waits is offered, and accepted. F007: a line leads to an extension.
	s.put("/v1/departments/support", object{"name": "Support", "settings": object{"offer_to": 1}})
	second, at := s.receive("m-2", "+1 555 0101", "Mine too")
	until("it is offered to ana", func() bool {
		return s.get("/v1/conversations/"+second+"?"+after(at)).text("offered", "operators", 0) == "ana"
	})
	s.post("ana", "/v1/conversations/"+second+"/offers/accept", object{})
	s.put("/v1/operators/ana", object{"name": "Ana", "role": "operator", "departments": []string{"support"}, "extension": "204"})
	s.put("/v1/channels/web", object{"type": "generic", "name": "Web", "department": "support", "extension": "204"})
	third, at := s.receive("m-3", "+1 555 0102", "And mine")
	until("ana has it", func() bool { return s.get("/v1/conversations/"+third+"?"+after(at)).text("operator") == "ana" })
	until("it is told why", func() bool {
		return s.get("/v1/conversations/"+third+"/routing").text("decisions", 0, "how") == "direct"
	})
	for conversation, want := range map[string]string{
		second: second + " was offered to ana, round 1 until ", third: "ana got " + third + " in support by the rule direct",
	} {
		var out, errs bytes.Buffer
		if err := run(t.Context(), []string{"routing", "explain", conversation, "--data", dir}, env(nil), &out, &errs); err != nil {
			t.Fatalf("%v\n%s", err, &errs)
		}
		if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "Decided again: ana, the same") {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
	var out, errs bytes.Buffer
	if err := run(t.Context(), []string{"routing", "explain", id, "--data", dir}, env(nil), &out, &errs); err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	for _, want := range []string{"ana got " + id, "least_busy", "Decided again: ana, the same"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
	if err := run(t.Context(), []string{"routing", "explain", "t-1", "--data", dir}, env(nil), &out, &errs); err == nil {
		t.Error("it explains what nobody assigned")
	}
	s.stop()
}
