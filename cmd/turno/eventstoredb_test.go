package main

import (
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/eventstoredb/esdbtest"
)

func TestADeskKeepsItsLogInEventStoreDB(t *testing.T) {
	dir, db := t.TempDir(), esdbtest.New(t)
	s := serveOn(t, dir, "--log", db.URL())
	s.furnish()

	id, at := s.receive("m-1", "+1 555 0100", "My printer is on fire")
	row := s.get("/v1/queues/support?state=waiting&" + after(at))
	if got := row.text("items", 0, "id"); got != id {
		t.Fatalf("waiting: %v, want %s", row, id)
	}
	if again, p := s.receive("m-1", "+1 555 0100", "My printer is on fire"); again != id || p != at {
		t.Errorf("the same message again made %s at %d, want %s at %d", again, p, id, at)
	}
	received := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	<-time.After(2 * time.Millisecond) // times in the log are whole milliseconds
	s.post("ana", "/v1/conversations/"+id+"/take", nil)
	s.post("ana", "/v1/conversations/"+id+"/messages", object{"text": "Step away from it."})
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
			"then":         s.get("/v1/conversations/" + id + "/messages?as_of=" + strconv.FormatInt(at, 10) + "&" + after(now)),
			"at its time":  s.get("/v1/conversations/" + id + "/messages?as_of=" + received + "&" + after(now)),
		}
	}
	before := views(s)
	if got := len(before["messages"].list("items")); got != 2 {
		t.Errorf("history has %d messages, want 2: %v", got, before["messages"])
	}
	for _, name := range []string{"then", "at its time"} {
		if got := len(before[name].list("items")); got != 1 {
			t.Errorf("%s history had %d messages, want 1: %v", name, got, before[name])
		}
	}
	if got := len(before["queue"].list("items")); got != 0 {
		t.Errorf("the queue still has %d rows: %v", got, before["queue"])
	}
	replayed := func(args ...string) string {
		t.Helper()
		out, errs, err := turno(t, append(args, "--data", dir, "--log", db.URL())...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, errs)
		}
		return out
	}
	running := replayed("replay", "--types", "conversation.*", "--format", "text")
	for _, want := range []string{"conversation.opened", "conversation.taken", "conversation.message_sent", "conversation.closed"} {
		if !strings.Contains(running, want) {
			t.Errorf("replay does not print %s:\n%s", want, running)
		}
	}
	if told := replayed("timeline", "1"); !strings.Contains(told, "My printer is on fire") || !strings.Contains(told, "it is closed") {
		t.Errorf("timeline prints:\n%s", told)
	}
	s.stop()

	if offline := replayed("replay", "--types", "conversation.*", "--format", "text"); offline != running {
		t.Errorf("with nobody running replay prints:\n%s\nwas:\n%s", offline, running)
	}
	s = serveOn(t, dir, "--log", db.URL())
	for name, was := range before {
		if is := views(s)[name]; !reflect.DeepEqual(is, was) {
			t.Errorf("%s after the next start:\n%v\nbefore:\n%v", name, is, was)
		}
	}
	next, _ := s.receive("m-2", "+1 555 0100", "It burns again")
	if want := strings.TrimSuffix(id, "1") + "2"; next != want {
		t.Errorf("the contact's next message opened %s, want %s", next, want)
	}
	s.stop()

	if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := turno(t, "serve", "--data", dir, "--log", db.URL(), "--http", "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "vault is missing") {
		t.Errorf("without its vault serve ended with %v", err)
	}
}

func TestAnImportIsTheSameInEventStoreDB(t *testing.T) {
	here, dir, db := imported(t), t.TempDir(), esdbtest.New(t)
	bring := func() string {
		t.Helper()
		out, errs, err := turno(t, "import", "--data", dir, "--log", db.URL(), "--log-level", "warn", example)
		if err != nil {
			t.Fatalf("the import ended with %v\n%s\n%s", err, out, errs)
		}
		return out
	}
	if out := bring(); !strings.Contains(out, "29 lines: 27 imported, 2 changed nothing, 0 skipped") {
		t.Errorf("the import printed %s", out)
	}
	// by what they are about: only lines that have to do with each other are in the order of the file
	types := func(args ...string) map[string][]string {
		t.Helper()
		out, errs, err := turno(t, append([]string{"replay", "--format", "text"}, args...)...)
		if err != nil {
			t.Fatalf("replay: %v\n%s", err, errs)
		}
		types := map[string][]string{}
		for line := range strings.Lines(out) {
			// position, day, time, actor, what it is about (two words for a ticket), type, data
			fields := strings.Fields(line)
			for i, f := range fields {
				if is, _ := path.Match("turno.*.v?", f); is {
					about := fields[i-1]
					if strings.HasPrefix(about, "turno.log") || strings.HasPrefix(about, "turno.default.identity") || strings.HasPrefix(about, "turno.default.contact") {
						about = "of another name in each log"
					}
					types[about] = append(types[about], f)
					break
				}
			}
		}
		return types
	}
	want, got := types("--data", here), types("--data", dir, "--log", db.URL())
	if len(want) < 5 || !reflect.DeepEqual(got, want) {
		t.Errorf("EventStoreDB holds\n%v\nNATS\n%v", got, want)
	}
	if out := bring(); !strings.Contains(out, "29 lines: 0 imported, 29 changed nothing, 0 skipped") {
		t.Errorf("the second import printed %s", out)
	}
}

func TestThePartsAreProcessesOnEventStoreDBAndRideThroughItsDeath(t *testing.T) {
	dir, db := t.TempDir(), esdbtest.New(t)
	part := func(args ...string) *process { return start(t, append(args, "--data", dir, "--log", db.URL())...) }
	engine := part("engine", "--http", "127.0.0.1:0")
	var projectors []*process
	for _, name := range projectionNames {
		projectors = append(projectors, part("projector", name))
	}
	log := part("serve", "--parts", "log")
	desk := engine.api()
	desk.furnish()
	id, at := desk.receive("m-1", "+1 555 0100", "Hello")
	waiting := func(at int64) {
		t.Helper()
		row := desk.patiently("/v1/queues/support?state=waiting&" + after(at))
		if got := row.text("items", 0, "id"); got != id {
			t.Fatalf("waiting: %v, want %s", row, id)
		}
	}
	waiting(at)

	db.Stop()
	db.Start(t)
	desk.patiently("/v1/me")
	_, at = desk.receive("m-2", "+1 555 0100", "Anybody there?")
	waiting(at)
	db.Drop()
	taken := desk.post("ana", "/v1/conversations/"+id+"/take", nil)
	messages := desk.patiently("/v1/conversations/" + id + "/messages?" + after(taken.number("position")))
	if got := len(messages.list("items")); got != 2 {
		t.Errorf("history has %d messages, want 2: %v", got, messages)
	}
	engine.end()
	for _, p := range projectors {
		p.end()
	}
	log.end()
}
