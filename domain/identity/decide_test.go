package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain/identity"
)

func TestAnAddressHasOneThreadUntilItIsReleased(t *testing.T) {
	claim := identity.Claim{Thread: "t1", Contact: "c1", Channel: "web", Address: "+34 600"}
	var s identity.State

	first := identity.DecideClaim(s, claim)
	if !cmp.Equal(first, []identity.Event{identity.Claimed{Thread: "t1", Contact: "c1", Channel: "web", Kind: "address", Address: "+34 600", Cause: "first"}}) {
		t.Fatalf("first: %+v", first)
	}
	s = s.Evolve(first[0])
	if second := identity.DecideClaim(s, identity.Claim{Thread: "t2", Contact: "c2"}); second != nil {
		t.Errorf("a second thread got the address: %+v", second)
	}
	if r := identity.DecideRelease(s, "t2"); r != nil {
		t.Errorf("another thread released it: %+v", r)
	}
	released := identity.DecideRelease(s, "t1")
	if !cmp.Equal(released, []identity.Event{identity.Released{Thread: "t1", Cause: "erased"}}) {
		t.Fatalf("released: %+v", released)
	}
	s = s.Evolve(released[0])
	if r := identity.DecideRelease(s, "t1"); r != nil {
		t.Errorf("released again: %+v", r)
	}
	if r := identity.DecideRelease(s, ""); r != nil {
		t.Errorf("nobody's address was released: %+v", r)
	}
	again := identity.DecideClaim(s, identity.Claim{Thread: "t3", Contact: "c3", Channel: "web", Address: "+34 600"})
	if len(again) != 1 || again[0].(identity.Claimed).Cause != "recycled" {
		t.Errorf("claimed anew: %+v", again)
	}
}
