// Package sequence hands out numbers in blocks: each engine reserves one and numbers its conversations from it.
package sequence

// Event is one fact about a kind of number.
type Event interface{ event() }

// Reserved hands From to To, both included, to whoever appended it.
type Reserved struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

func (Reserved) event() {}

// Conversation is the aggregate id of the numbers of conversations and tickets.
const Conversation = "conversation"

// Block is how many numbers one reservation takes. A process that dies leaves the rest of its block unused.
const Block = 1000
