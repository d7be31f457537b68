package memory_test

import (
	"testing"

	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/storetest"
)

type backend struct{ store *memory.Store }

// Store is always the same one: what is in memory has one owner.
func (b backend) Store(*testing.T) storetest.Store { return b.store }

func TestTheLogInMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Backend { return backend{memory.New(storetest.Codec())} })
}
