package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// cloudEvent is what the tests look at of a structured event.
type cloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Time        string          `json:"time"`
	Sequence    string          `json:"sequence"`
	Data        json.RawMessage `json:"data"`
}

// replay runs `turno replay` and decodes what it prints.
func replay(t *testing.T, dir string, args ...string) []cloudEvent {
	t.Helper()
	out, _, err := turno(t, append([]string{"replay", "--data", dir}, args...)...)
	if err != nil {
		t.Fatalf("replay %v: %v", args, err)
	}
	var all []cloudEvent
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e cloudEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		all = append(all, e)
	}
	return all
}

// N20: the log is CloudEvents, in order.
func TestReplayGivesTheLogAsCloudEventsInOrder(t *testing.T) {
	dir := imported(t)
	last, ids := 0, map[string]bool{}
	for _, e := range replay(t, dir) {
		position, err := strconv.Atoi(e.Sequence)
		if err != nil || position < last {
			t.Errorf("position %q comes after %d", e.Sequence, last)
		}
		last = position
		if e.SpecVersion != "1.0" || e.Type == "" || ids[e.ID] {
			t.Errorf("%+v", e)
		}
		ids[e.ID] = true
	}
	if len(ids) < 30 {
		t.Errorf("%d events", len(ids))
	}
}

func TestReplayOpensPersonalFieldsOnlyWhenAsked(t *testing.T) {
	dir := imported(t)
	for _, c := range []struct {
		args []string
		open bool
	}{{nil, false}, {[]string{"--open"}, true}, {[]string{"--ticket", "1"}, false}, {[]string{"--ticket", "1", "--open"}, true}} {
		out, _, err := turno(t, append([]string{"replay", "--data", dir}, c.args...)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out, "la impresora no imprime"); got != c.open {
			t.Errorf("%v: the text is there: %v, want %v", c.args, got, c.open)
		}
	}
}

func TestReplayTakesTypesTimesPositionsAndTickets(t *testing.T) {
	dir := imported(t)
	count := func(args ...string) int { t.Helper(); return len(replay(t, dir, args...)) }
	for _, c := range []struct {
		want int
		args []string
	}{
		{2, []string{"--types", "conversation.taken"}},
		{2, []string{"--types", "turno.conversation.taken.v1"}},
		{5, []string{"--types", "conversation.taken,conversation.transferred,conversation.closed,conversation.paused"}},
		{0, []string{"--types", "conversation.hidden"}},
		{4, []string{"--types", "conversation.message_received", "--from", "2026-03-02", "--to", "2026-03-03"}},
		{2, []string{"--types", "conversation.message_received", "--from", "2026-03-02T09:10:00Z", "--to", "2026-03-02T09:50:00Z"}},
		{0, []string{"--from", "2026-03-03", "--to", "2026-03-04"}},
		{1, []string{"--types", "conversation.opened", "--ticket", "1"}},
		{1, []string{"--from", "1", "--to", "1"}},
	} {
		if got := count(c.args...); got != c.want {
			t.Errorf("%v gives %d events, want %d", c.args, got, c.want)
		}
	}
	if all, half := count(), count("--as-of", "12"); half == 0 || half >= all {
		t.Errorf("as of position 12 there are %d events of %d", half, all)
	}
	if _, _, err := turno(t, "replay", "--data", dir, "--types", "conversation.taken,conversation.flown"); err == nil || !strings.Contains(err.Error(), "conversation.flown") {
		t.Errorf("a type that does not exist: %v", err)
	}
	if _, _, err := turno(t, "replay", "--data", dir, "--ticket", "77"); err == nil || !strings.Contains(err.Error(), "no ticket 77") {
		t.Errorf("a ticket that does not exist: %v", err)
	}
}

func TestTheTimelineOfTheWorkedConversation(t *testing.T) {
	dir := imported(t)
	got, _, err := turno(t, "timeline", "1", "--data", dir)
	if err != nil {
		t.Fatal(err)
	}
	got = regexp.MustCompile(`conversation t[a-z0-9]+-1`).ReplaceAllString(got, "conversation <id>")
	got = regexp.MustCompile(`position \d+`).ReplaceAllString(got, "position <p>")
	const golden = "testdata/timeline.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the timeline reads\n%s\nwant\n%s", got, want)
	}
	early, _, err := turno(t, "timeline", "1", "--data", dir, "--as-of", positionOf(t, dir, "turno.conversation.paused.v1"))
	if err != nil || !strings.Contains(early, "it is paused, with ana") || strings.Contains(early, "beto") {
		t.Errorf("as of the pause: %v\n%s", err, early)
	}
}

// positionOf is the position of the first event of a type.
func positionOf(t *testing.T, dir, name string) string {
	t.Helper()
	for _, e := range replay(t, dir, "--types", name) {
		return e.Sequence
	}
	t.Fatalf("there is no %s", name)
	return ""
}
