// Package deliveries sends what happens to the receivers of the company's subscriptions, as outgoing webhooks: every event at least
// once, those of a conversation in order, however long a receiver is down.
//
// It is an effect that calls the outside, and so no command: nothing of the log says what a receiver has taken. That is in tables
// of its own in the store of views, which no rebuild touches. One process of a workspace leads. For each subscription that is active it
// reads the log behind a cursor and writes down, in one transaction with the cursor's move, which events are to be delivered. Those
// of one aggregate are a lane: its first is tried until the receiver has taken it or the schedule is over, then the next is. What was
// tried and not written down, because the process died in between, is tried again.
//
// The body of a delivery is read from the log for each attempt, by itself. It holds no more than what can be read at that moment,
// so what was erased since is sent erased, and the tables hold nothing personal. And the engine answers that read only when the
// commit is where an acknowledged one is (on disk, where --sync is always): no event is sent that a power cut takes back.
package deliveries
