package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const example = "../../testdata/import/worked.jsonl"

// imported is a folder into which the example was imported while nobody served it.
func imported(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, errs, err := turno(t, "import", "--data", dir, "--log-level", "warn", example)
	if err != nil || !strings.Contains(out, " 0 skipped") {
		t.Fatalf("the import ended with %v\n%s\n%s", err, out, errs)
	}
	return dir
}

// events counts the events of the log.
func events(t *testing.T, dir string) int {
	t.Helper()
	out, _, err := turno(t, "replay", "--data", dir)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(out, "\n")
}

func TestImportingTheSameFileAgainChangesNothing(t *testing.T) {
	dir := imported(t)
	before := events(t, dir)
	out, errs, err := turno(t, "import", "--data", dir, "--log-level", "warn", example)
	if err != nil || !strings.Contains(out, "29 lines: 0 imported, 29 changed nothing, 0 skipped") {
		t.Errorf("the second import: %v\n%s\n%s", err, out, errs)
	}
	if now := events(t, dir); now != before {
		t.Errorf("%d events after the second import, %d after the first", now, before)
	}
}

func TestAnImportThatWasCutOffGoesOnWhereItWas(t *testing.T) {
	lines := exampleLines(t)
	part := filepath.Join(t.TempDir(), "part.jsonl")
	if err := os.WriteFile(part, []byte(strings.Join(lines[:17], "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range []string{part, example} {
		if _, errs, err := turno(t, "import", "--data", dir, "--log-level", "warn", "--strict", file); err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
	}
	if got, want := events(t, dir), events(t, imported(t)); got != want {
		t.Errorf("%d events, in one go %d", got, want)
	}
}

func TestAnImportWorksWhileTheDeskServes(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	out, errs, err := turno(t, "import", "--data", dir, example)
	if err != nil || !strings.Contains(out, "0 skipped") {
		t.Fatalf("%v\n%s\n%s", err, out, errs)
	}
	ticket := s.get("/v1/tickets/1?after=" + positionOf(t, dir, "turno.conversation.rated.v2"))
	if got := ticket.text("conversations", 0, "state"); got != "closed" {
		t.Errorf("the ticket reads %v", ticket)
	}
	s.furnish()
	if id, _ := s.receive("m-1", "+1 555 0100", "Hello"); id == "" {
		t.Error("the desk takes no message after the import")
	}
}

func TestABadLineIsReportedWithItsNumberAndSkipped(t *testing.T) {
	lines := exampleLines(t)
	lines[11] = `{"at":"2026-03-02T09:04:00Z","command":"take","channel":"linea","address":"+54 11 5555 0101","actor":"operator:nobody"}`
	lines[14] = `{"at":`
	file := filepath.Join(t.TempDir(), "bad.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, err := turno(t, "import", "--data", t.TempDir(), "--log-level", "warn", file)
	if err != nil || !strings.Contains(out, "2 skipped") {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(errs, "line 12: ") || !strings.Contains(errs, "line 15: malformed JSON") {
		t.Errorf("reported:\n%s", errs)
	}
	dir := t.TempDir()
	_, _, err = turno(t, "import", "--data", dir, "--log-level", "warn", "--strict", file)
	if err == nil || !strings.Contains(err.Error(), "line 12: ") {
		t.Errorf("a strict import ended with %v", err)
	}
}

func TestManyThreadsAreImportedAtOnceEachInItsOrder(t *testing.T) {
	lines := exampleLines(t)
	var file bytes.Buffer
	for _, l := range lines[:9] {
		fmt.Fprintln(&file, l)
	}
	const threads = 20
	for _, l := range lines[9:23] { // the messages and what is done with them, of all threads in turns
		for k := range threads {
			l := strings.ReplaceAll(l, "5555 0101", fmt.Sprintf("5555 %04d", k))
			fmt.Fprintln(&file, strings.ReplaceAll(l, `"w-`, fmt.Sprintf(`"%d-w-`, k)))
		}
	}
	path := filepath.Join(t.TempDir(), "many.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, errs, err := turno(t, "import", "--data", dir, "--log-level", "warn", "--strict", path)
	if err != nil || !strings.Contains(out, " 0 skipped") {
		t.Fatalf("%v\n%s\n%s", err, out, errs)
	}
	closed, _, err := turno(t, "replay", "--data", dir, "--types", "conversation.closed")
	if err != nil || strings.Count(closed, "\n") != threads {
		t.Errorf("%v, %d conversations were closed, want %d", err, strings.Count(closed, "\n"), threads)
	}
}

func TestNothingPersonalIsInTheFilesOfTheLog(t *testing.T) {
	dir := imported(t)
	personal := []string{"Carla", "Ruiz", "5555 0101", "impresora", "TX-20", "Busco el manual", "Cambio de equipo", "Beto.", "soy Beto", "Ana\""}
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "log"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, p := range personal {
			if bytes.Contains(data, []byte(p)) {
				t.Errorf("%s holds %q", path, p)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%v, %d files", err, files)
	}
	opened, _, err := turno(t, "replay", "--data", dir, "--open")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range personal[:5] { // the test looks for the right words
		if !strings.Contains(opened, p) {
			t.Errorf("an opened replay lacks %q", p)
		}
	}
}
