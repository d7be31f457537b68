package turno_test

import (
	"flag"
	"fmt"
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turno-desk/turno/domain/thread"
)

//go:generate go test -count=1 -run ^TestTheStateTableIsWhatTheDomainSays$ . -update

var update = flag.Bool("update", false, "write the generated pages anew")

func TestTheStateTableIsWhatTheDomainSays(t *testing.T) {
	const page = "docs/states.md"
	want := stateTable()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run `make docs`", page)
	}
}

func TestEveryStateAllowsSomething(t *testing.T) {
	for _, s := range thread.States() {
		if len(thread.AllowedIn(s)) == 0 {
			t.Errorf("nothing is allowed in %s", s)
		}
	}
}

func stateTable() string {
	var commands []string
	for _, s := range thread.States() {
		for _, c := range thread.AllowedIn(s) {
			if !slices.Contains(commands, c) {
				commands = append(commands, c)
			}
		}
	}
	slices.Sort(commands)
	var b strings.Builder
	b.WriteString(`# What is legal in which state

Generated from the domain by ` + "`make docs`" + `; a test compares. A command has a place in a state or it has not; whether this actor
may, and whether a guard stands in the way, is another question. What has no place answers 409 ` + "`not_allowed_in_state`" + `, with the state
and this list.

| command |`)
	for _, s := range thread.States() {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" :-: |", len(thread.States())) + "\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "| %s |", c)
		for _, s := range thread.States() {
			mark := " "
			if slices.Contains(thread.AllowedIn(s), c) {
				mark = " ✓ "
			}
			fmt.Fprintf(&b, "%s|", mark)
		}
		b.WriteString("\n")
	}
	b.WriteString(`
Commands are named as in the API: ` + "`POST /v1/conversations/{id}/<command>`" + `. Five events move a conversation from one state to another,
and nothing else does:

| event | leads to |
| --- | --- |
| queued | waiting, or out_of_hours |
| taken | attending |
| paused | paused |
| resumed | attending |
| closed | closed |
`)
	return b.String()
}

func TestTheFlowNamesFilesFunctionsAndTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/flow.md")
	if err != nil {
		t.Fatal(err)
	}
	functions, tests := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				functions[s.path+" "+f.Name.Name] = true
				tests[f.Name.Name] = tests[f.Name.Name] || s.test
			}
		}
	}
	steps := 0
	for _, row := range regexp.MustCompile("(?m)^\\| \\d \\|.*\\| `(.+)` \\| `(.+)` \\| `(.+)` \\|$").FindAllStringSubmatch(string(page), -1) {
		steps++
		if !functions[row[1]+" "+row[2]] {
			t.Errorf("there is no func %s in %s", row[2], row[1])
		}
		if !tests[row[3]] {
			t.Errorf("there is no test %s", row[3])
		}
	}
	if steps != 7 {
		t.Errorf("the flow has %d steps that this test understands, want 7", steps)
	}
}
