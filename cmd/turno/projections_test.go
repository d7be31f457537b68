package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/projections"
)

// bustle is a desk at work: customers write and read what became of it after the position that they were told.
type bustle struct {
	url     string
	pace    time.Duration // between two messages of one customer
	patient atomic.Bool   // a query that is told to come again does so
	stop    context.CancelFunc
	ctx     context.Context
	all     sync.WaitGroup
	queries atomic.Int64

	mu       sync.Mutex
	told     []int64 // positions of what was accepted
	failures []string
}

// bustling starts n customers.
func bustling(url string, n int, pace time.Duration) *bustle {
	b := &bustle{url: url, pace: pace}
	b.ctx, b.stop = context.WithCancel(context.Background())
	for i := range n {
		b.all.Go(func() {
			for k := 0; b.ctx.Err() == nil; k++ {
				if err := b.write(i, k); err != nil {
					b.mu.Lock()
					b.failures = append(b.failures, err.Error())
					b.mu.Unlock()
				}
			}
		})
	}
	return b
}

func (b *bustle) write(customer, k int) error {
	time.Sleep(b.pace)
	said, err := b.call("POST", "/v1/channels/web/messages", object{
		"message_id": fmt.Sprintf("%d-%d", customer, k), "text": "Hello again",
		"from": object{"address": fmt.Sprintf("+1 555 %d", customer), "name": "Carla"},
	})
	if err != nil {
		return err
	}
	at := said.number("position")
	b.mu.Lock()
	b.told = append(b.told, at)
	b.mu.Unlock()
	id := said.text("conversation", "id")
	for _, path := range []string{"/v1/queues/support", "/v1/queues", "/v1/conversations/" + id, "/v1/conversations/" + id + "/messages", "/v1/conversations"} {
		got, err := b.call("GET", path+"?"+after(at), nil)
		for again := 0; err != nil && b.patient.Load() && strings.Contains(err.Error(), "view_behind") && again < 10; again++ {
			got, err = b.call("GET", path+"?"+after(at), nil)
		}
		if err != nil {
			return err
		}
		b.queries.Add(1)
		if p := got.number("position"); p < at {
			return fmt.Errorf("GET %s after %d is of %d", path, at, p)
		}
	}
	return nil
}

func (b *bustle) call(method, path string, body any) (object, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, b.url+path, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil || resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s %s %v", method, path, resp.Status, data, err)
	}
	return o, nil
}

// end stops them and fails the test for everything that failed.
func (b *bustle) end(t *testing.T) {
	t.Helper()
	b.stop()
	b.all.Wait()
	for _, f := range b.failures[:min(5, len(b.failures))] {
		t.Error(f)
	}
	if n := len(b.failures); n > 0 || len(b.told) == 0 {
		t.Errorf("%d of %d stories failed", n, n+len(b.told))
	}
}

// pushes listens as Ana until there was one of every position that was told, and fails on a gap, a repetition or disorder.
func pushes(ctx context.Context, url string) (<-chan int64, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url+"/v1/stream", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Turno-Actor", "operator:ana")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("the stream answers %s", resp.Status)
	}
	positions := make(chan int64, 100_000)
	go func() {
		defer resp.Body.Close()
		defer close(positions)
		var id int64
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "id: "):
				id, _ = strconv.ParseInt(line[4:], 10, 64)
			case line == "event: conversation":
				positions <- id
			}
		}
	}()
	return positions, nil
}

func allPushed(t *testing.T, b *bustle, positions <-chan int64) {
	t.Helper()
	missing := map[int64]bool{}
	for _, p := range b.told {
		missing[p] = true
	}
	var last int64
	for limit := time.After(time.Minute); len(missing) > 0; {
		select {
		case p, ok := <-positions:
			if !ok {
				t.Fatalf("the stream ended; %d positions were not pushed", len(missing))
			}
			if p <= last {
				t.Errorf("pushed %d after %d", p, last)
			}
			last = p
			delete(missing, p)
		case <-limit:
			t.Fatalf("%d of %d positions were not pushed", len(missing), len(b.told))
		}
	}
}

// desks are where the tests of versions have their views: flags that say so.
func desks(t *testing.T, test func(t *testing.T, where []string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, []string{"--data", t.TempDir()}) })
	t.Run("PostgreSQL", func(t *testing.T) {
		test(t, []string{"--data", t.TempDir(), "--views", pgtest.Database(t)})
	})
}

// told is a command line for the desk there.
func told(where []string, args ...string) []string { return append(args, where...) }

// opened opens the log and the views of a running desk.
func opened(t *testing.T, where []string) (*program, *reading, views) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	p := &program{ctx: ctx, getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, err := openToJoin(p, logFlags{Data: where[1], Workspace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	var f viewFlags
	if len(where) > 2 {
		f.Views = where[3]
	}
	v, err := f.openViews(p, r.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return p, r, v
}

// sameAsAnew compares each view with one that is built from the log alone.
func sameAsAnew(t *testing.T, where []string) {
	t.Helper()
	p, r, views := opened(t, where)
	tracker, err := projections.NewTracker(r.store, views.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	head, err := r.store.Head(p.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range projectionNames {
		wait, cancel := context.WithTimeout(p.ctx, time.Minute)
		err := tracker.Wait(wait, name, head)
		cancel()
		if err != nil {
			t.Error(err)
			continue
		}
		projection, err := newProjection(name, r, projections.SQLite)
		if err != nil {
			t.Fatal(err)
		}
		anew, err := sqlstore.Rebuild(p.ctx, r.store, projection, projections.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if grown, err := views.Digest(p.ctx, views.Reader(name)); err != nil || grown != anew {
			t.Errorf("view %s differs from one that is built anew (%v)", name, err)
		}
	}
}

func listed(t *testing.T, where []string, args ...string) (all []listedVersion) {
	t.Helper()
	out, errs, err := turno(t, told(where, append([]string{"projections", "list", "--json"}, args...)...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return all
}

// N4: nobody notices.
func TestAllViewsAreRebuiltByCommandWhileQueriesAndPushesGoOn(t *testing.T) {
	desks(t, allViewsAreRebuiltByCommandWhileQueriesAndPushesGoOn)
}

func allViewsAreRebuiltByCommandWhileQueriesAndPushesGoOn(t *testing.T, where []string) {
	serve := start(t, told(where, "serve", "--http", "127.0.0.1:0")...)
	desk := serve.api()
	desk.furnish()
	streaming, cancel := context.WithCancel(context.Background())
	defer cancel()
	positions, err := pushes(streaming, desk.url)
	if err != nil {
		t.Fatal(err)
	}
	_, at := desk.receive("first", "+1 555 0100", "Hello")
	for _, view := range []string{"queue", "history", "stats", "directory"} { // one that has not begun to read is compared by counts alone
		desk.reached(view, at)
	}
	b := bustling(desk.url, 4, 5*time.Millisecond)
	for range 3 {
		out, errs, err := turno(t, told(where, "projections", "rebuild")...)
		if err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
		if n := strings.Count(out, "equal to version"); n != len(projectionNames) {
			t.Errorf("%d views were found equal:\n%s", n, out)
		}
		t.Log(out)
	}
	b.end(t)
	allPushed(t, b, positions)
	t.Logf("%d queries after a position, %d pushes", b.queries.Load(), len(b.told))
	sameAsAnew(t, where)

	all := listed(t, where)
	if len(all) != 4*len(projectionNames) {
		t.Errorf("%d versions are listed: %+v", len(all), all)
	}
	for _, v := range all {
		if v.Active != (v.Version == 4) || v.Size == 0 || v.Definition == 0 || v.Active && v.Lag != 0 {
			t.Errorf("listed is %+v", v)
		}
	}
	if _, _, err := turno(t, told(where, "projections", "drop", "queue", "4")...); err == nil {
		t.Error("the active version was dropped")
	}
	for _, n := range []string{"1", "2"} {
		if _, _, err := turno(t, told(where, "projections", "drop", "queue", n)...); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := turno(t, told(where, "projections", "switch", "queue", "3")...); err != nil {
		t.Error(err)
	}
	_, at = desk.receive("last", "+1 555 9999", "Still there?")
	desk.get("/v1/queues/support?" + after(at))
	if all := listed(t, where, "queue"); len(all) != 2 || !all[0].Active || all[0].Version != 3 {
		t.Errorf("after going back the versions are %+v", all)
	}
	if out, _, err := turno(t, told(where, "projections", "list")...); err != nil || strings.Count(out, "active\n") > 0 || !strings.Contains(out, "VIEW") {
		t.Errorf("the list for people: %v\n%s", err, out)
	}
	serve.end()
}

// TestARebuildThatIsKilledAtRandomHarmsNothing kills the rebuilding process at random moments while the desk is at work.
func TestARebuildThatIsKilledAtRandomHarmsNothing(t *testing.T) {
	desks(t, aRebuildThatIsKilledAtRandomHarmsNothing)
}

func aRebuildThatIsKilledAtRandomHarmsNothing(t *testing.T, where []string) {
	serve := start(t, told(where, "serve", "--http", "127.0.0.1:0")...)
	desk := serve.api()
	desk.furnish()
	b := bustling(desk.url, 4, 5*time.Millisecond)
	b.patient.Store(true) // a fence whose process was killed stands for five seconds
	for range 8 {
		rebuild := start(t, told(where, "projections", "rebuild")...)
		select {
		case <-time.After(time.Duration(50+rand.IntN(800)) * time.Millisecond):
			rebuild.kill()
		case err := <-rebuild.ended:
			if err != nil {
				t.Errorf("a rebuild ended with %v\n%s", err, &rebuild.stderr)
			}
		}
	}
	b.end(t)
	sameAsAnew(t, where)
	if _, errs, err := turno(t, told(where, "projections", "rebuild", "queue")...); err != nil {
		t.Errorf("%v\n%s", err, errs)
	}
	serve.end()
}

func TestASecondProjectorTakesOverSecondsAfterTheFirstIsKilled(t *testing.T) {
	desks(t, aSecondProjectorTakesOverSecondsAfterTheFirstIsKilled)
}

func aSecondProjectorTakesOverSecondsAfterTheFirstIsKilled(t *testing.T, where []string) {
	log := start(t, told(where, "serve", "--parts", "log")...)
	engine := start(t, told(where, "engine", "--http", "127.0.0.1:0")...)
	projectors := map[string]*process{}
	for _, name := range projectionNames {
		projectors[name] = start(t, told(where, "projector", name)...)
	}
	desk := engine.api()
	desk.furnish()
	b := bustling(desk.url, 2, 20*time.Millisecond)
	b.patient.Store(true) // while nobody works, views fall behind
	working := projectors["queue"]
	var longest time.Duration
	for round := range 3 {
		standing := start(t, told(where, "projector", "queue")...)
		for limit := time.Now().Add(time.Minute); !strings.Contains(standing.stderr.String(), "standing by"); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("the second projector does not stand by\n%s", &standing.stderr)
			}
		}
		working.kill()
		killed := time.Now()
		_, at := desk.receive(fmt.Sprintf("round-%d", round), "+1 555 7777", "Anybody there?")
		desk.patiently("/v1/queues/support?" + after(at))
		took := time.Since(killed)
		longest = max(longest, took)
		t.Logf("round %d: visible again %s after the kill", round+1, took.Round(time.Millisecond))
		working = standing
	}
	b.end(t)
	if longest > 8*time.Second {
		t.Errorf("taking over took %s", longest)
	}
	sameAsAnew(t, where)
	engine.end()
	working.end()
	log.end()
}

func TestWhatIsParkedByHandComesBackByRelease(t *testing.T) {
	desks(t, whatIsParkedByHandComesBackByRelease)
}

func whatIsParkedByHandComesBackByRelease(t *testing.T, where []string) {
	serve := start(t, told(where, "serve", "--http", "127.0.0.1:0")...)
	desk := serve.api()
	desk.furnish()
	id, at := desk.receive("m-1", "+1 555 0100", "Hello")
	desk.get("/v1/queues/support?" + after(at))
	thread := id[:strings.LastIndex(id, "-")]
	if _, _, err := turno(t, told(where, "projections", "release", "queue")...); err == nil {
		t.Error("a release of nothing went well")
	}
	if _, _, err := turno(t, told(where, "projections", "park", "queue", "nothing")...); err == nil {
		t.Error("what names no aggregate was parked")
	}
	if out, _, err := turno(t, told(where, "projections", "park", "queue", "thread/"+thread)...); err != nil || !strings.Contains(out, thread) {
		t.Fatalf("%v\n%s", err, out)
	}
	taken := desk.post("ana", "/v1/conversations/"+id+"/take", nil)
	at = taken.number("position")
	if got := desk.get("/v1/queues/support?state=waiting&" + after(at)); len(got.list("items")) != 1 {
		t.Errorf("a view that passes the thread by shows %v", got)
	}
	if out, _, err := turno(t, told(where, "projections", "park", "queue")...); err != nil || !strings.Contains(out, thread) || !strings.Contains(out, "by hand") {
		t.Errorf("%v\n%s", err, out)
	}
	if all := listed(t, where, "queue"); len(all) != 1 || all[0].Parked != 1 {
		t.Errorf("listed is %+v", all)
	}
	if out, errs, err := turno(t, told(where, "projections", "release", "queue")...); err != nil || !strings.Contains(out, "no table has fewer rows") {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	_, at = desk.receive("m-2", "+1 555 0101", "Hello")
	if got := desk.get("/v1/queues/support?state=attending&" + after(at)); len(got.list("items")) != 1 {
		t.Errorf("after the release %v is attended", got)
	}
	sameAsAnew(t, where)
	serve.end()
}
