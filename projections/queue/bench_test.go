package queue_test

import (
	"testing"

	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/viewtest"
)

// BenchmarkCatchUp builds the queue of 5,000 dialogues, 500 of them open at a time.
func BenchmarkCatchUp(b *testing.B) {
	viewtest.CatchUp(b, queue.New(), 5000, 500)
}
