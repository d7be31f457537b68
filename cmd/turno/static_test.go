package main

import (
	"debug/elf"
	"testing"
)

// interpreter is what the operating system would have to load a program with; empty for a static one.
func interpreter(t *testing.T, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Skipf("no ELF program, so nothing to say of it: %v", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "a dynamic loader"
		}
	}
	return ""
}
