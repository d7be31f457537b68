package main

import "testing"

// TestTwoWorkspacesLiveSideBySideOnOneLog gives two companies an engine each on one log: the same ids, the same address and
// the same message id are different people's in each, and neither sees anything of the other.
func TestTwoWorkspacesLiveSideBySideOnOneLog(t *testing.T) {
	dir := t.TempDir()
	one := serveOn(t, dir)
	two := serveOn(t, dir, "--parts", "engine", "--workspace", "other")
	for _, s := range []*server{one, two} {
		s.furnish()
	}
	first, at := one.receive("m1", "+1 555 0100", "of the first")
	second, other := two.receive("m1", "+1 555 0100", "of the second")
	if first == second {
		t.Fatalf("both have the conversation %s", first)
	}
	one.post("ana", "/v1/conversations/"+first+"/take", object{})
	if n := two.get("/v1/queues/support?" + after(other)).list("items"); len(n) != 1 || object(n[0].(map[string]any)).text("id") != second {
		t.Errorf("the second's queue holds %v", n)
	}
	if state := two.get("/v1/conversations/" + second + "?" + after(other)).text("state"); state != "waiting" {
		t.Errorf("the second's conversation is %s after the first's was taken", state)
	}
	for s, theirs := range map[*server]string{one: second, two: first} {
		s.call(404, "", "GET", "/v1/conversations/"+theirs+"?"+after(max(at, other)), nil)
		s.call(404, "ana", "POST", "/v1/conversations/"+theirs+"/take", object{})
		if n := s.get("/v1/tickets?q=555+0100&" + after(max(at, other))).list("items"); len(n) > 1 {
			t.Errorf("a search finds %d conversations", len(n))
		}
		if n := s.get("/v1/contacts?address=%2B1+555+0100&" + after(max(at, other))).list("items"); len(n) != 1 {
			t.Errorf("%d contacts have the address", len(n))
		}
	}
	if n := one.get("/v1/events?after=0&limit=200").list("items"); len(n) == 0 {
		t.Error("the first's feed is empty")
	} else {
		for _, e := range n {
			if source := object(e.(map[string]any)).text("source"); source != "turno/default" {
				t.Errorf("the first's feed holds an event of %s", source)
			}
		}
	}
}
