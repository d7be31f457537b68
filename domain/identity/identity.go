// Package identity claims a thread for an address, before the thread has its first commit: the same address on the same
// channel always finds the same thread, whoever asks first.
package identity

import "github.com/turno-desk/turno/domain"

// Event is one fact about an identity. The aggregate's id is the keyed hash of workspace, channel, kind and address.
type Event interface{ event() }

// Claimed ties the address to a thread.
type Claimed struct {
	Thread  string          `json:"thread"`
	Contact string          `json:"contact"`
	Channel string          `json:"channel"`
	Kind    string          `json:"kind"` // address
	Address domain.Personal `json:"address"`
	Cause   string          `json:"cause"` // first, recycled, rekeyed
}

// Released unties it, after an erasure: the next message claims a new thread.
type Released struct {
	Thread string `json:"thread"`
	Cause  string `json:"cause"` // erased
}

// Barred keeps what comes from a network address off a channel, on account of these contacts. Such an aggregate is never claimed; its
// id is the keyed hash of the workspace, the channel and the address.
type Barred struct {
	Channel  string   `json:"channel"`
	Contacts []string `json:"contacts"` // sorted
}

// Unbarred takes it back on account of one; it stays barred while any contacts are left.
type Unbarred struct {
	Channel  string   `json:"channel"`
	Contacts []string `json:"contacts,omitempty"` // those that are left
}

func (Claimed) event()  {}
func (Released) event() {}
func (Barred) event()   {}
func (Unbarred) event() {}
