// Package contact decides what is known of a customer. A contact comes into being with its thread, under an id derived
// from it; its own aggregate begins with the first edit.
package contact

import "github.com/turno-desk/turno/domain"

// Event is one fact about a contact.
type Event interface{ event() }

// ProfileChanged replaces the whole profile.
type ProfileChanged struct {
	Name    domain.Personal            `json:"name,omitempty"`
	Email   domain.Personal            `json:"email,omitempty"`
	Phone   domain.Personal            `json:"phone,omitempty"`
	Company domain.Personal            `json:"company,omitempty"`
	Fields  map[string]domain.Personal `json:"fields,omitempty"`
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
func (Erased) event()         {}

// ID is the id of the contact that comes into being with a thread.
func ID(thread string) string { return "c" + thread[1:] }
