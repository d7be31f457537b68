package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// journal is an applier that writes down in which order lines were begun and finished.
type journal struct {
	mu           sync.Mutex
	clock        int
	begun, ended map[time.Time]int
}

func (j *journal) tick(when map[time.Time]int, l *line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.clock++
	when[l.at] = j.clock
}

func (j *journal) apply(_ context.Context, l *line, _, _ string) (bool, error) {
	j.tick(j.begun, l)
	if l.at.UnixMilli()%3 == 0 { // some take their time
		time.Sleep(200 * time.Microsecond)
	}
	j.tick(j.ended, l)
	return true, nil
}

// TestPresenceIsImportedInItsOrderWithWhatTheOperatorHasToDoWith over random files: of two lines that must be in order, the second is
// begun after the first has ended; and all of them are done, so nobody waits for ever.
func TestPresenceIsImportedInItsOrderWithWhatTheOperatorHasToDoWith(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		var file strings.Builder
		var all []*line
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		for range 300 {
			at = at.Add(time.Millisecond)
			op, other := fmt.Sprint("op", random.IntN(4)), fmt.Sprint("op", random.IntN(4))
			thread := fmt.Sprintf(`"channel":"web","address":"%d"`, random.IntN(12))
			data := fmt.Sprintf(`{"at":%q,`, at.Format(time.RFC3339Nano))
			switch random.IntN(12) {
			case 0, 1:
				data += fmt.Sprintf(`"command":"presence","actor":"operator:%s","connected":true}`, op)
			case 2:
				data += fmt.Sprintf(`"command":"availability","actor":"operator:%s","available":true}`, op)
			case 3:
				data += `"command":"department","id":"soporte","name":"Soporte"}`
			case 4, 5:
				data += fmt.Sprintf(`"command":"take",%s,"actor":"operator:%s"}`, thread, op)
			case 6:
				data += fmt.Sprintf(`"command":"transfer",%s,"actor":"operator:%s","operator":%q}`, thread, op, other)
			case 7:
				data += fmt.Sprintf(`"command":"distribute",%s,"actor":"system","operator":%q,"rule":"least_busy","candidates":[]}`, thread, other)
			case 8:
				data += fmt.Sprintf(`"command":"close",%s,"actor":"contact"}`, thread)
			default:
				data += fmt.Sprintf(`"command":"receive",%s,"text":"Hola"}`, thread)
			}
			l, err := parseLine([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
			fmt.Fprintln(&file, data)
		}
		j := &journal{begun: map[time.Time]int{}, ended: map[time.Time]int{}}
		i := &importer{apply: j, hash: func([]byte) string { return "h" }, parallel: 5, bad: func(n int, err error) { t.Errorf("line %d: %v", n, err) }}
		if err := i.run(t.Context(), strings.NewReader(file.String())); err != nil || len(j.ended) != len(all) {
			t.Fatalf("seed %d: %v, %d of %d lines", seed, err, len(j.ended), len(all))
		}
		concerned := newOrder()
		with := make([]map[string]struct{}, len(all))
		for k, l := range all {
			with[k] = concerned.concerned(l)
		}
		for b, second := range all {
			for a, first := range all[:b] {
				if inOrder(first, second, with[a], with[b]) && j.begun[second.at] < j.ended[first.at] {
					t.Fatalf("seed %d: line %d is begun before line %d has ended", seed, b+1, a+1)
				}
			}
		}
	}
}

// inOrder reports whether the second must wait for the first.
func inOrder(first, second *line, with, within map[string]struct{}) bool {
	about := func(l *line) string {
		if l.setting != nil && l.setting.presence() {
			return l.setting.id
		}
		return ""
	}
	_, before := within[about(first)]
	_, behind := with[about(second)]
	desk := func(l *line) bool { return l.setting != nil && !l.setting.presence() }
	return first.about() == second.about() || before || behind || desk(first) || desk(second)
}
