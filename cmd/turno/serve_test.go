package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestADeskServesStopsAndIsTheSameAfterTheNextStart(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	s.furnish()

	id, at := s.receive("m-1", "+1 555 0100", "My printer is on fire")
	row := s.get("/v1/queues/support?state=waiting&" + after(at))
	if got := row.text("items", 0, "id"); got != id {
		t.Fatalf("waiting: %v, want %s", row, id)
	}
	if again, _ := s.receive("m-1", "+1 555 0100", "My printer is on fire"); again != id {
		t.Errorf("the same message again made %s, want %s", again, id)
	}

	reply := s.post("ana", "/v1/conversations/"+id+"/messages", object{"text": "Step away from it."})
	if got := reply.text("conversation", "operator"); got != "ana" {
		t.Errorf("after a reply the owner is %q, want ana", got)
	}
	s.post("ana", "/v1/conversations/"+id+"/pause", object{"reason": "looking for an extinguisher"})
	s.post("ana", "/v1/conversations/"+id+"/resume", nil)
	closed := s.post("ana", "/v1/conversations/"+id+"/close", object{"summary": "Fire put out"})
	if got := closed.text("conversation", "state"); got != "closed" {
		t.Errorf("after the close it is %q", got)
	}
	now := closed.number("position")

	views := func(s *server) map[string]object {
		return map[string]object{
			"queue":        s.get("/v1/queues/support?" + after(now)),
			"conversation": s.get("/v1/conversations/" + id + "?" + after(now)),
			"messages":     s.get("/v1/conversations/" + id + "/messages?" + after(now)),
			"timeline":     s.get("/v1/conversations/" + id + "/timeline?" + after(now)),
			"ticket":       s.get("/v1/tickets/1?" + after(now)),
		}
	}
	before := views(s)
	if got := len(before["messages"].list("items")); got != 2 {
		t.Errorf("history has %d messages, want 2: %v", got, before["messages"])
	}
	if got := len(before["queue"].list("items")); got != 0 {
		t.Errorf("the queue still has %d rows: %v", got, before["queue"])
	}
	s.stop()

	s = serveOn(t, dir)
	for name, was := range before {
		if is := views(s)[name]; !reflect.DeepEqual(is, was) {
			t.Errorf("%s after the next start:\n%v\nbefore:\n%v", name, is, was)
		}
	}
	next, _ := s.receive("m-2", "+1 555 0100", "It burns again")
	if want := strings.TrimSuffix(id, "1") + "2"; next != want {
		t.Errorf("the contact's next message opened %s, want %s", next, want)
	}
}

func TestAnEmptyDeskTellsWhatToDoNextAndAFurnishedOneDoesNot(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	if said := s.said.String(); !strings.Contains(said, "The desk is empty") || strings.Contains(said, adminToken) {
		t.Errorf("the first start said:\n%s", said)
	}
	s.furnish()
	s.stop()
	if said := serveOn(t, dir).said.String(); strings.Contains(said, "The desk is empty") {
		t.Errorf("a start of a furnished desk said:\n%s", said)
	}
}

func TestASecondServeOnTheSameFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	serveOn(t, dir)
	_, _, err := turno(t, "serve", "--data", dir, "--http", "127.0.0.1:0")
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the second serve ended with %v", err)
	}
}

func TestNoNewMasterKeyIsMadeBesideAVaultOfAnother(t *testing.T) {
	dir := t.TempDir()
	serveOn(t, dir).stop()
	file := filepath.Join(dir, "master.key")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--data", dir, "--http", "127.0.0.1:0"}, {"replay", "--data", dir}} {
		if _, _, err := turno(t, args...); err == nil || !strings.Contains(err.Error(), "restore "+file) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a new key lies there: %v", err)
	}
}

func TestTheFilesOfTheDataFolderAreForTheirOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	serveOn(t, dir).stop()
	for _, name := range []string{".", "master.key", "nats.json"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if p := info.Mode().Perm(); p&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, p)
		}
	}
}
