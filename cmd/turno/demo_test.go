package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestADemoThatIsCutOffCountsWhatItLeavesOpen(t *testing.T) {
	s := serveOn(t, t.TempDir())
	out, _, err := turno(t, "demo", "--url", s.url, "--token", adminToken, "--rate", "200", "--for", "500ms")
	if err != nil {
		t.Fatal(err)
	}
	var begun, skipped, in, sent, closed, open int
	if _, err := fmt.Sscanf(out, "dialogues %d, skipped (no message) %d; messages in %d, out %d; closed %d, open %d;",
		&begun, &skipped, &in, &sent, &closed, &open); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if open == 0 || closed+open > begun || closed+open < begun-8 { // each of 8 customers may be cut off before the first message
		t.Errorf("of what began, closed and open do not make up the whole: %s", out)
	}
}

func TestADemoLeavesTheDeskThatIsThereAlone(t *testing.T) {
	s := serveOn(t, t.TempDir())
	s.furnish()
	last := s.put("/v1/departments/ours", object{"name": "Ours"}).number("position")
	kept := func() (revisions []int64) {
		for _, path := range []string{"/v1/operators?limit=200", "/v1/departments?limit=200", "/v1/channels?limit=200"} {
			for _, item := range s.get(path + "&" + after(last)).list("items") {
				if o := object(item.(map[string]any)); !strings.HasPrefix(o.text("id"), "demo-") {
					revisions = append(revisions, o.number("revision"))
				}
			}
		}
		return revisions
	}
	before := kept()
	if _, _, err := turno(t, "demo", "--url", s.url, "--token", adminToken, "--rate", "1000", "--conversations", "3"); err != nil {
		t.Fatal(err)
	}
	if now := kept(); len(before) == 0 || !slices.Equal(before, now) {
		t.Errorf("what was there had the revisions %v, and has %v", before, now)
	}
}

func TestADemoThatNeverBeganSaysOnlyWhy(t *testing.T) {
	out, _, err := turno(t, "demo", "--url", "http://127.0.0.1:1", "--token", adminToken)
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("without an engine: %v", err)
	}
	if out != "" {
		t.Errorf("it tells of work that it did not do: %s", out)
	}
}
