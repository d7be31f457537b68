// Package ledger holds the facts about the log itself: its birth and its restores.
package ledger

import "time"

// Event is one fact about the log. Aggregate: workspace "_", category log, id "self".
type Event interface{ event() }

// Created is the first commit of every log. ID is random: another id is another log.
type Created struct {
	ID string `json:"id"`
}

// Restored says that the log was restored from an older copy: commits after From, up to To, may have existed and are gone.
// From here on positions carry Epoch.
type Restored struct {
	Epoch uint64    `json:"epoch"`
	From  uint64    `json:"from"` // the last sequence of the copy
	To    uint64    `json:"to"`   // the last sequence that may have been handed out; 0 when nobody knows
	At    time.Time `json:"at"`
}

func (Created) event()  {}
func (Restored) event() {}
