package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestServeGivesWhatWaitsAndExplainsTheChoice is F002 and N15, through the whole program.
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
