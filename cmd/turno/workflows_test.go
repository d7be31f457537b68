package main

import (
	"os"
	"strings"
	"testing"
)

// exampleOf is the first block of YAML of a page.
func exampleOf(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "```yaml\n")
	example, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("%s has no example", page)
	}
	return example
}

// F102 F136 D24: the page's example can be applied as it stands, and comes back as it was.
func TestTheExampleOfThePageOnWorkflowsIsApplied(t *testing.T) {
	s := serveOn(t, t.TempDir())
	file := settingsFile(t, exampleOf(t, "../../docs/workflows.md"))
	for _, want := range []string{"+ workflows.close-after-silence\n+ workflows.unassign-after-close\n+ workflows.overdue\n3 of 3 changed\n", "0 of 3 changed\n"} {
		out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", file)
		if err != nil || out != want {
			t.Errorf("it says %q, %v, want %q", out, err, want)
		}
	}
	out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "export")
	if err != nil {
		t.Fatal(err)
	}
	if out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", settingsFile(t, out)); err != nil || out != "0 of 3 changed\n" {
		t.Errorf("what was exported says %q, %v", out, err)
	}
}
