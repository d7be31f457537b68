package contact

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Limits of what is known of a contact.
const (
	MaxLine       = 500 // bytes of a line of the profile
	MaxFields     = 100
	MaxFieldText  = 2000 // bytes
	MaxTags       = 200
	MaxAnnotation = 10_000 // bytes
	MaxReason     = 500    // bytes
)

// CodeErased refuses to write to a contact that was erased.
const CodeErased domain.Code = "erased"

// State is a contact. The zero value is one that nobody has edited.
type State struct {
	Profile     Profile
	Tags        []string // sorted
	Annotations int
	Blocked     bool
	Erased      bool
}

// Profile is what ProfileChanged carries.
type Profile = ProfileChanged

// Evolve is the state after an event.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case ProfileChanged:
		s.Profile = e
	case Tagged:
		s.Tags = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.Tags), e.Tags...))))
	case Untagged:
		s.Tags = slices.DeleteFunc(slices.Clone(s.Tags), func(t string) bool { return slices.Contains(e.Tags, t) })
	case Annotated:
		s.Annotations++
	case Blocked:
		s.Blocked = true
	case Unblocked:
		s.Blocked = false
	case Erased:
		s = State{Tags: s.Tags, Annotations: s.Annotations, Blocked: s.Blocked, Erased: true}
	}
	return s
}

// Change replaces the parts of the profile that it names: a nil part stays, an empty one goes. With Whole set, those that it
// doesn't name go too.
type Change struct {
	Whole                       bool
	Name, Email, Phone, Company *domain.Personal
	Fields                      map[string]domain.Personal // by id; an empty value removes the field
}

// DecideChange says what a Change makes of the contact; nothing when the profile is that already.
func DecideChange(s State, c Change) ([]Event, *domain.Refusal) {
	if s.Erased {
		return nil, erased()
	}
	p := s.Profile
	if c.Whole {
		p = Profile{}
	}
	var bad []string
	set := func(field string, to *domain.Personal, v *domain.Personal) {
		if v == nil {
			return
		}
		if *to = domain.Personal(strings.TrimSpace(string(*v))); !domain.Fits(*to, MaxLine) {
			bad = append(bad, field)
		}
	}
	set("name", &p.Name, c.Name)
	set("email", &p.Email, c.Email)
	set("phone", &p.Phone, c.Phone)
	set("company", &p.Company, c.Company)
	if p.Fields = maps.Clone(p.Fields); p.Fields == nil {
		p.Fields = map[string]domain.Personal{}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Fields)) {
		v := c.Fields[id]
		if !domain.ValidID(id) || !domain.Fits(v, MaxFieldText) {
			bad = append(bad, "fields")
			break
		}
		if p.Fields[id] = v; v == "" {
			delete(p.Fields, id)
		}
	}
	if len(p.Fields) > MaxFields {
		bad = append(bad, "fields")
	}
	if len(p.Fields) == 0 {
		p.Fields = nil
	}
	if len(bad) > 0 {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: slices.Compact(bad),
			Detail: "A profile has lines of up to 500 bytes and up to 100 fields of up to 2000 bytes, by id."}
	}
	if p.equal(s.Profile) {
		return nil, nil
	}
	return []Event{p}, nil
}

// DecideTag adds and removes tags; a tag in both is added.
func DecideTag(s State, add, remove []string) ([]Event, *domain.Refusal) {
	if s.Erased {
		return nil, erased()
	}
	if slices.ContainsFunc(slices.Concat(add, remove), func(t string) bool { return !domain.ValidID(t) }) {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"tags"}, Detail: "A tag is an id."}
	}
	has := func(t string) bool { return slices.Contains(s.Tags, t) }
	more := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(add))), has)
	fewer := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(remove))), func(t string) bool {
		return !has(t) || slices.Contains(add, t)
	})
	if len(s.Tags)+len(more)-len(fewer) > MaxTags {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"tags"}, Detail: "A contact has at most 200 tags."}
	}
	var events []Event
	if len(more) > 0 {
		events = append(events, Tagged{Tags: more})
	}
	if len(fewer) > 0 {
		events = append(events, Untagged{Tags: fewer})
	}
	return events, nil
}

// DecideAnnotate adds a note on the contact.
func DecideAnnotate(s State, text domain.Personal) ([]Event, *domain.Refusal) {
	if s.Erased {
		return nil, erased()
	}
	if strings.TrimSpace(string(text)) == "" || !domain.Fits(text, MaxAnnotation) {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"text"}, Detail: "An annotation is text of up to 10,000 bytes."}
	}
	return []Event{Annotated{Annotation: "a" + strconv.Itoa(s.Annotations+1), Text: text}}, nil
}

// DecideBlock keeps the contact's messages from opening a conversation; again is nothing.
func DecideBlock(s State, reason domain.Personal) ([]Event, *domain.Refusal) {
	switch {
	case s.Erased:
		return nil, erased()
	case s.Blocked:
		return nil, nil
	case !domain.Fits(reason, MaxReason):
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"reason"}, Detail: "A reason is text of up to 500 bytes."}
	}
	return []Event{Blocked{Reason: reason}}, nil
}

// DecideUnblock ends that.
func DecideUnblock(s State) ([]Event, *domain.Refusal) {
	switch {
	case s.Erased:
		return nil, erased()
	case !s.Blocked:
		return nil, nil
	}
	return []Event{Unblocked{}}, nil
}

// DecideErase says that the contact's personal fields, and those of its threads, are about to become unreadable; again is
// nothing.
func DecideErase(s State, threads []string) []Event {
	if s.Erased {
		return nil
	}
	return []Event{Erased{Threads: threads}}
}

// Thread is the id of the thread that the contact came into being with; false when it is no contact's id.
func Thread(contact string) (string, bool) {
	if len(contact) != 26 || contact[0] != 'c' || !domain.ValidID(contact) || strings.ContainsAny(contact, "-_") {
		return "", false
	}
	return "t" + contact[1:], true
}

func (p ProfileChanged) equal(o ProfileChanged) bool {
	return p.Name == o.Name && p.Email == o.Email && p.Phone == o.Phone && p.Company == o.Company && maps.Equal(p.Fields, o.Fields)
}

func erased() *domain.Refusal {
	return &domain.Refusal{Code: CodeErased, Detail: "The contact was erased."}
}
