// Package storetest holds every log to the same contract: what is appended is there, once, in order, and nobody is told
// otherwise, whatever breaks on the way.
//
// A backend runs it from its own tests with Run. What a backend can be made to suffer, it says by the optional interfaces.
package storetest

import (
	"testing"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Store is all that a log offers.
type Store interface {
	command.Log
	command.SettingsLog
	projections.Source
	projections.Announcer
	Publish(topic string, data []byte) error
	Subscribe(topic string, fn func(data []byte)) (cancel func(), err error)
}

// Backend is one empty log, made for one test.
type Backend interface {
	// Store opens the log once more, as another process would.
	Store(t *testing.T) Store
}

// Sparse is a backend whose positions grow but are not contiguous. Otherwise the first commit has position 1, the next 2.
type Sparse interface {
	Sparse()
}

// Narrow is a backend that recognises a command only in the aggregate that it wrote. Command ids are hashes over their
// target among others, so the same one can't be meant for another.
type Narrow interface {
	Narrow()
}

// Run holds the backends that open makes to the contract. It opens one for each test.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Backend)
	}{
		{"a log begins with its identity", identity},
		{"what is appended is loaded as it was", roundTrip},
		{"a conversation's opening is found again from every later commit", opening},
		{"a load stops where it is told", stops},
		{"an append needs the version that the aggregate has", guard},
		{"what is too large is refused before it is sent", tooLarge},
		{"an id that is no token of a subject is refused", hostileIDs},
		{"the same command is appended once", sameCommand},
		{"of eight writers at one version one wins, five hundred times", race},
		{"an acknowledged append is seen by every load", readsOwnWrites},
		{"a hundred writers at once are all answered, and nothing is lost", crowd},
		{"positions have no holes and chunks are in order", contiguous},
		{"a reader keeps up with appends", readWhileAppending},
		{"a slow reader loses nothing", slowReader},
		{"a reader's error ends the read", readerError},
		{"a position beyond the head is refused", ahead},
		{"personal fields are sealed unless they are asked for", sealed},
		{"a commit is found by its position", at},
		{"the newest commit of every setting is found", latest},
		{"settings are followed, and known to be fresh", follow},
		{"announcements reach every process", announce},
		{"what is published on a topic is heard", topics},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
	if _, narrow := open(t).(Narrow); !narrow {
		t.Run("a command id that another aggregate has is no success", func(t *testing.T) { sameCommandElsewhere(t, open(t)) })
	}
	t.Run("faults", func(t *testing.T) { faults(t, open) })
}

// thread ids of the tests.
const (
	workspace = "default"
	keyID     = "k0000000000000000000000001"
)

func threadNo(n int) domain.Aggregate {
	return domain.Aggregate{Workspace: workspace, Category: domain.CategoryThread, ID: threadID(n)}
}
