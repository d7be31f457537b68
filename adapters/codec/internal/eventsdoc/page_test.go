package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestThePageIsWhatTheSourceSays(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..")
	page, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile(filepath.Join(root, "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, committed) {
		t.Error("docs/events.md is stale; go generate ./adapters/codec writes it anew")
	}
}
