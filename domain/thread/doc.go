// Package thread decides the life of a conversation: one contact on one channel, from the first message to the close, and
// to the next conversation after it.
//
// Decide says which events a command makes of a state, or which rule refuses it; Evolve says what a state is after an event.
// Both are arithmetic.
package thread
