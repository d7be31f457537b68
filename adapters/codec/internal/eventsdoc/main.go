// Command eventsdoc writes docs/events.md: every event with its fields, from the registry, the comments of the domain's
// source and the golden files.
//
//	go run ./adapters/codec/internal/eventsdoc [root of the repository, "." by default]
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	page, err := generate(root)
	if err == nil {
		err = os.WriteFile(filepath.Join(root, "docs", "events.md"), page, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "eventsdoc:", err)
		os.Exit(1)
	}
}
