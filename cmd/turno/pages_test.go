package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryCommandLineOfThePagesIsOneThatTheProgramTakes gives what the pages tell people to type to the program's parser.
func TestEveryCommandLineOfThePagesIsOneThatTheProgramTakes(t *testing.T) {
	typed := regexp.MustCompile(`(?m)^ {4,}(?:\./|docker compose run --rm \w+ )?turno ([^\n#]+)|` + "`turno ([a-z][^`]*)`")
	shell := regexp.MustCompile(`\s+(> \S+|&)\s*$`) // what is the shell's, not the program's
	lines := 0
	check := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range typed.FindAllStringSubmatch(string(text), -1) {
			args := strings.Fields(strings.NewReplacer("'", "", "…", "", "NUMBER", "1", `"$TOKEN"`, "x", `\`, "").Replace(shell.ReplaceAllString(found[1]+found[2], "")))
			lines++
			var c cli
			_, err := parse(&c, args, env(nil), io.Discard, io.Discard)
			if err == nil || mentions(found[2]) && expected(err) {
				continue
			}
			t.Errorf("%s tells to type turno %s: %v", path, strings.Join(args, " "), err)
		}
	}
	check(filepath.Join(root, "README.md"))
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") && !strings.Contains(path, "/adr/") {
			check(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines < 25 {
		t.Errorf("found %d command lines", lines)
	}
}

// mentions reports whether a command stands in the middle of a sentence, where its arguments may be left out.
func mentions(inline string) bool { return inline != "" }

// expected reports whether err says that something was left out.
func expected(err error) bool { return strings.HasPrefix(err.Error(), "expected ") }
