package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain/thread"
)

func TestARunIsToldInWords(t *testing.T) {
	due := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for want, e := range map[string]thread.Event{
		"started the workflow vip (closed), version 17":                    thread.WorkflowStarted{Workflow: "vip", Trigger: "closed", Version: 17},
		"did step 2 of vip: assign by least_busy":                          thread.WorkflowAdvanced{Workflow: "vip", Step: 2, Action: "assign", Rule: "least_busy"},
		"waits in vip until 2026-03-02T09:00:00Z, unless message_received": thread.WorkflowWaited{Workflow: "vip", Due: due, Unless: "message_received"},
		"ended vip at step 3: cancelled, closed":                           thread.WorkflowEnded{Workflow: "vip", Step: 3, Outcome: thread.RunCancelled, Reason: "closed"},
		"asked for a call of crm (vip, step 4)":                            thread.WebhookRequested{Workflow: "vip", Step: 4, Subscription: "crm"},
	} {
		if got := tell(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// exampleOf is the first block of YAML of a page.
func exampleOf(t *testing.T, page string) string {
	t.Helper()
	return examplesOf(t, page, 1)[0]
}

// examplesOf are the first n blocks.
func examplesOf(t *testing.T, page string, n int) (all []string) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rest := string(data)
	for range n {
		_, after, found := strings.Cut(rest, "```yaml\n")
		example, left, ended := strings.Cut(after, "```")
		if !found || !ended {
			t.Fatalf("%s has only %d examples", page, len(all))
		}
		all, rest = append(all, example), left
	}
	return all
}

const tried = `workflows:
  recuerda:
    name: Recuerda
    trigger: {on: silent, after_s: 240}
    steps:
      - {action: notes, text: Calla}
      - {action: wait, for_s: 600, unless: message_received}
      - {action: close, reason: inactive}
  libre:
    name: Libre
    trigger: {on: closed, source: [user]}
    conditions:
      - {field: department, is: [ventas]}
      - {field: owner, is: [beto]}
    steps:
      - {action: unassign_contact}
  impresora:
    name: Impresora
    trigger: {on: message_received}
    conditions:
      - {field: message, words: [tx, la impresora]}
      - none:
          - {field: message, contains: ["?"]}
          - {field: contact.name, set: false}
    steps:
      - {action: tags, add: [impresora]}
  nunca:
    name: Nunca
    trigger: {on: closed, source: [bot, workflow]}
    steps:
      - {action: unassign_contact}
`

// F136 F101 D24: a dry run tells over a history, on the conversation that the metrics are defined by, where workflows would have started,
// what cut them short, and changes nothing.
func TestWorkflowsAreTriedOnWhatHasHappened(t *testing.T) {
	dir := imported(t)
	before := events(t, dir)
	try := func(workflow, from, to string) (string, error) {
		out, _, err := turno(t, "workflows", "dry-run", "--data", dir, "--log-level", "warn", "--from", from, "--to", to, workflow)
		return out, err
	}
	out, err := try(settingsFile(t, tried), "2026-03-02", "2026-03-03")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, want := range []string{
		"From 2026-03-02T00:00:00Z to 2026-03-03T00:00:00Z", "recuerda (Recuerda):",
		"2026-03-02T09:09:00Z  #1  ", "notes, wait  [cancelled: answered]",
		"2026-03-02T09:34:00Z  #1  ", "notes, wait, close after 10m0s  [done]",
		"2026-03-02T09:47:00Z  #1  ", "notes, wait  [cancelled: answered]",
		"2026-03-02T09:56:00Z  #1  ", "notes, wait  [cancelled: closed]",
		"4 runs in 1 conversations: 1 × close, 4 × notes, 4 × wait",
		"libre (Libre):", "2026-03-02T10:00:00Z  #1  ", "unassign_contact  [done]", "1 runs in 1 conversations: 1 × unassign_contact",
		"impresora (Impresora):", "2026-03-02T09:00:00Z  #1  ", "tags  [done]", "2026-03-02T09:10:00Z  #1  ", "2 runs in 1 conversations: 2 × tags",
		"nunca (Nunca):", "0 runs in 0 conversations: nothing",
	} {
		k := strings.Index(out[at:], want)
		if k < 0 {
			t.Fatalf("%q is not there, or not in its place:\n%s", want, out)
		}
		at += k + len(want)
	}
	if out, err := try(settingsFile(t, tried), "2026-03-02T09:40:00Z", "2026-03-02T09:50:00Z"); err != nil || !strings.Contains(out, "1 runs in 1 conversations: 1 × notes, 1 × wait") {
		t.Errorf("ten minutes say %v\n%s", err, out)
	}
	for want, c := range map[string][2]string{
		"neither the id of a workflow nor a file": {"nada", "2026-03-02"},
		"the first before the second":             {"nada", "2026-03-04"},
		"only workflows can be tried":             {settingsFile(t, "tags:\n  vip: {name: VIP}\n"), "2026-03-02"},
		"line 2: mal":                             {settingsFile(t, "workflows:\n  mal: {name: Mal, trigger: {on: opened}, steps: [{action: assign, operator: nadie}]}\n"), "2026-03-02"},
		"operator:nadie":                          {settingsFile(t, "workflows:\n  mal: {name: Mal, trigger: {on: opened}, steps: [{action: assign, operator: nadie}]}\n"), "2026-03-02"},
	} {
		if _, err := try(c[0], c[1], "2026-03-03"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v, want %q", err, want)
		}
	}
	if n := events(t, dir); n != before {
		t.Errorf("there were %d events, and now there are %d", before, n)
	}
}

// F102 F136 D24: the page's example can be applied as it stands, and comes back as it was.
func TestTheExampleOfThePageOnWorkflowsIsApplied(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	file := settingsFile(t, exampleOf(t, "../../docs/workflows.md"))
	for _, want := range []string{"+ workflows.close-after-silence\n+ workflows.unassign-after-close\n+ workflows.overdue\n3 of 3 changed\n", "0 of 3 changed\n"} {
		out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", file)
		if err != nil || out != want {
			t.Errorf("it says %q, %v, want %q", out, err, want)
		}
	}
	if out, _, err := turno(t, "workflows", "dry-run", "--data", dir, "--log-level", "warn", "--from", "2026-03-02", "--to", "2026-03-03", "overdue"); err != nil ||
		!strings.Contains(out, "overdue (Give to somebody what nobody answers):\n  0 runs in 0 conversations: nothing\n") {
		t.Errorf("one that is off is tried by its id: %v\n%s", err, out)
	}
	numbers := "fields:\n  gasto: {name: Gasto, on: contact, type: number}\nworkflows:\n  caro:\n    name: Caro\n    trigger: {on: opened}\n    conditions:\n" +
		"      - {field: contact.fields.gasto, at_least: -0.5, at_most: 12.25}\n    steps:\n      - {action: tags, add: [caro]}\n"
	for file, want := range map[string]string{examplesOf(t, "../../docs/workflows.md", 2)[1]: "1 of 1 changed\n", numbers: "2 of 2 changed\n"} {
		if out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", settingsFile(t, file)); err != nil || !strings.HasSuffix(out, want) {
			t.Errorf("%s\nsays %q, %v", file, out, err)
		}
	}
	out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "export")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"words:", "none:", "ends_with:", "at_least: -0.5", "at_most: 12.25"} {
		if !strings.Contains(out, want) {
			t.Errorf("what was exported has no %s:\n%s", want, out)
		}
	}
	if out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", settingsFile(t, out)); err != nil || out != "0 of 6 changed\n" {
		t.Errorf("what was exported says %q, %v", out, err)
	}
}
