// Package contact decides what is known of a customer. A contact comes into being with its thread, under an id derived
// from it; its own aggregate begins with the first edit.
package contact

import "github.com/turno-desk/turno/domain"

// Event is one fact about a contact.
type Event interface{ event() }

// ProfileChanged replaces the whole profile. Whoever has one is a known contact.
type ProfileChanged struct {
	Name       domain.Personal            `json:"name,omitempty"`
	Email      domain.Personal            `json:"email,omitempty"`
	Phone      domain.Personal            `json:"phone,omitempty"`
	Sex        domain.Personal            `json:"sex,omitempty"`
	Company    domain.Personal            `json:"company,omitempty"`
	Title      domain.Personal            `json:"title,omitempty"`       // what they are in the company
	Document   domain.Personal            `json:"document,omitempty"`    // number of an identity document
	ExternalID domain.Personal            `json:"external_id,omitempty"` // in another system
	Address    Address                    `json:"address,omitzero"`
	Fields     map[string]domain.Personal `json:"fields,omitempty"`
}

// Address is where a contact is found in the world; what names it on a channel is an identity.
type Address struct {
	Street   domain.Personal `json:"street,omitempty"`
	Number   domain.Personal `json:"number,omitempty"`
	District domain.Personal `json:"district,omitempty"`
	City     domain.Personal `json:"city,omitempty"`
	State    domain.Personal `json:"state,omitempty"`
	Country  domain.Personal `json:"country,omitempty"`
	Postcode domain.Personal `json:"postcode,omitempty"`
}

// Tagged adds the contact to groups.
type Tagged struct {
	Tags []string `json:"tags"`
}

// Untagged removes it.
type Untagged struct {
	Tags []string `json:"tags"`
}

// Annotated is a note on the contact, kept over all its conversations. The commit's actor is the author.
type Annotated struct {
	Annotation string          `json:"annotation"` // "a<k>"
	Text       domain.Personal `json:"text"`
}

// Blocked says that the contact's messages open no conversation any more.
type Blocked struct {
	Reason domain.Personal `json:"reason,omitempty"`
}

// Unblocked ends that.
type Unblocked struct{}

// Assigned gives the contact a dedicated assignee, who outlives every close: a new conversation is theirs when they are
// available.
type Assigned struct {
	Operator string `json:"operator"`
}

// Unassigned takes it back.
type Unassigned struct {
	Operator string `json:"operator"` // who it was
}

// Erased says that the key of the contact's personal fields was destroyed.
type Erased struct {
	Threads []string `json:"threads"`
}

func (ProfileChanged) event() {}
func (Tagged) event()         {}
func (Untagged) event()       {}
func (Annotated) event()      {}
func (Blocked) event()        {}
func (Unblocked) event()      {}
func (Assigned) event()       {}
func (Unassigned) event()     {}
func (Erased) event()         {}

// ID is the id of the contact that comes into being with a thread.
func ID(thread string) string { return "c" + thread[1:] }
