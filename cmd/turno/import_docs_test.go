package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheImportPageDescribesEveryCommandAndItsExamplesAreRead holds docs/import.md to the parser.
func TestTheImportPageDescribesEveryCommandAndItsExamplesAreRead(t *testing.T) {
	page, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| .* \\| `(\\{.*\\})` \\|$").FindAllStringSubmatch(string(page), -1) {
		name, fields := row[1], row[2]
		described = append(described, name)
		head := fmt.Sprintf(`{"at":"2026-03-02T09:00:00Z","command":%q,`, name)
		if !slices.Contains(kinds, name) {
			head += `"channel":"web","address":"+1 555 0100",`
		}
		if _, err := parseLine([]byte(head + strings.TrimPrefix(fields, "{"))); err != nil {
			t.Errorf("the example of %s is refused: %v", name, err)
		}
	}
	known := slices.Clone(importCommands())
	slices.Sort(described)
	slices.Sort(known)
	if !slices.Equal(described, known) {
		t.Errorf("the page describes\n%v\nthe parser knows\n%v", described, known)
	}
}
