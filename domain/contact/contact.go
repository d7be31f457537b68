// Package contact decides what is known of a customer. A contact comes into being with its thread, or is added ahead of its
// first message, under an id derived from the thread's; its own aggregate begins with the first edit.
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

// Added brings a contact into being ahead of its first message: its address on the channel is claimed, and that message finds
// the claim.
type Added struct {
	Channel  string `json:"channel"`
	Identity string `json:"identity"` // id of the claim
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

// NetworkBlocked says that the network address which the contact wrote from is blocked on its channel on account of it, whoever
// else writes from there (F099).
type NetworkBlocked struct {
	Channel string `json:"channel"`
	Network string `json:"network"` // keyed hash of the address
}

// NetworkUnblocked ends that.
type NetworkUnblocked struct {
	Network string `json:"network"`
}

// Assigned gives the contact a dedicated assignee, who outlives every close: a new conversation is theirs when they are
// available.
type Assigned struct {
	Operator string `json:"operator"`
}

// Unassigned takes it back.
type Unassigned struct {
	Operator string `json:"operator"` // who it was
}

// MergeOffered says that the contact is to be shown as part of another, the survivor. From then on it takes no edits of its
// own, so that the survivor may rely on what it knew of it. Whether it is merged is for the survivor to say.
type MergeOffered struct {
	Survivor string `json:"survivor"`
	Merge    int    `json:"merge"` // the how-many-th merge of this contact
}

// Merged says that a contact which offered itself is part of this one now. Conflicts are the fields in which
// the other has a value that is not shown because this one's is; it is kept where it was.
type Merged struct {
	Contact   string   `json:"contact"`
	Merge     int      `json:"merge"`
	Conflicts []string `json:"conflicts,omitempty"` // "email", "fields.plan", "assignee", "blocked"
	Asked     []Asked  `json:"asked,omitempty"`     // the other's surveys: from now on they are this one's to count
}

// Unmerged ends a merge; of one that was never confirmed, it says that it never will be.
type Unmerged struct {
	Contact string `json:"contact"`
	Merge   int    `json:"merge"`
}

// Separated says that the contact stands for itself again, as it was before the merge.
type Separated struct {
	Survivor string  `json:"survivor"`
	Merge    int     `json:"merge"`
	Asked    []Asked `json:"asked,omitempty"`
	Whole    bool    `json:"whole,omitempty"` // asked is all that is known of its surveys; else it is what was sent meanwhile
}

// Erased says that the key of the contact's personal fields was destroyed.
type Erased struct {
	Threads []string `json:"threads"`
}

func (Added) event()            {}
func (ProfileChanged) event()   {}
func (Tagged) event()           {}
func (Untagged) event()         {}
func (Annotated) event()        {}
func (Blocked) event()          {}
func (Unblocked) event()        {}
func (NetworkBlocked) event()   {}
func (NetworkUnblocked) event() {}
func (Assigned) event()         {}
func (Unassigned) event()       {}
func (MergeOffered) event()     {}
func (Merged) event()           {}
func (Unmerged) event()         {}
func (Separated) event()        {}
func (Erased) event()           {}

// ID is the id of the contact that comes into being with a thread.
func ID(thread string) string { return "c" + thread[1:] }
