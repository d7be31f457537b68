package turno_test

import (
	"flag"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
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
Commands are named as in the API: ` + "`POST /v1/conversations/{id}/<command>`" + `. ` + "`end-session`" + ` has its place in a live chat alone. Five events move a conversation from one state to another,
and nothing else does:

| event | leads to |
| --- | --- |
| queued | waiting, out_of_hours, or bot |
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

// TestEveryLinkOfThePagesLeadsSomewhere follows the relative links of every page, anchors too.
func TestEveryLinkOfThePagesLeadsSomewhere(t *testing.T) {
	links := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, ":") { // elsewhere: https, mailto
				continue
			}
			links++
			to := page
			if target != "" {
				to = filepath.Join(filepath.Dir(page), filepath.FromSlash(target))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, found[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(t, to), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, found[1])
			}
		}
	}
	if links < 15 {
		t.Errorf("found %d links: this test must run at the root of the repository", links)
	}
}

// TestEveryDecisionHasItsOwnNumber holds file names, headings and order of docs/adr together: who lands second takes the next.
func TestEveryDecisionHasItsOwnNumber(t *testing.T) {
	files, err := filepath.Glob("docs/adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		if want := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(filepath.Base(file), want) {
			t.Fatalf("%s stands where %s… belongs", file, want)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("# %d. ", i+1); !strings.HasPrefix(string(text), want) {
			t.Errorf("%s does not begin with %q", file, want)
		}
	}
}

// pages is every page of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "turno-data"):
			return fs.SkipDir
		case strings.HasSuffix(p, ".md"):
			all = append(all, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// anchors are the headings of a page as links name them.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
