package contact

import (
	"slices"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Limits of what is known of a contact.
const (
	MaxTags       = 200
	MaxAnnotation = 10_000 // bytes
	MaxReason     = 500    // bytes
	MaxNetworks   = 20     // blocked on its account
)

// Codes of refusals.
const (
	CodeErased          domain.Code = "erased" // to write to a contact that was erased
	CodeNoNetwork       domain.Code = "no_ip"  // nothing came with a network address
	CodeTooManyNetworks domain.Code = "too_many_ips"
)

// State is a contact. The zero value is one that nobody has edited.
type State struct {
	Profile     Profile
	Tags        []string // sorted
	Annotations int
	Assignee    string // operator
	Identity    string // the claim of its address, when it was added ahead of its first message
	Known       bool   // somebody has entered a profile
	Blocked     bool
	Erased      bool
	Networks    []NetworkBlocked // that are blocked on its account

	Survivor string           // whom it offered itself to, and is merged into if that one holds it
	Merges   int              // how often it has offered itself
	Holds    map[string]Merge // by contact: what it knows of the newest merge of each into it
	Order    []string         // the contacts that it holds, in the order of their merges

	Asked []Asked // its surveys, and those of contacts that it holds or held
}

// Profile is what ProfileChanged carries.
type Profile = ProfileChanged

// Evolve is the state after an event.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Added:
		s.Identity = e.Identity
	case ProfileChanged:
		s.Profile, s.Known = e, true
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
	case NetworkBlocked:
		s.Networks = append(slices.Clip(s.Networks), e)
	case NetworkUnblocked:
		s.Networks = slices.DeleteFunc(slices.Clone(s.Networks), func(n NetworkBlocked) bool { return n.Network == e.Network })
	case Assigned:
		s.Assignee = e.Operator
	case Unassigned:
		s.Assignee = ""
	case MergeOffered:
		s.Survivor, s.Merges = e.Survivor, e.Merge
	case Separated:
		s.Survivor = ""
		if e.Whole {
			s.Asked = nil
		}
		s.askAll(e.Asked)
	case Merged:
		s.hold(e.Contact, Merge{Number: e.Merge, Held: true})
		s.Asked = slices.DeleteFunc(slices.Clone(s.Asked), func(a Asked) bool { return a.Contact == e.Contact })
		s.askAll(e.Asked)
	case Unmerged:
		s.hold(e.Contact, Merge{Number: e.Merge, Undone: s.Held(e.Contact, e.Merge)})
	case SurveyReserved:
		s.ask(e.Asked)
	case SurveyConfirmed:
		s.ask(e.Asked)
	case SurveyReleased:
		s.unask(e.Contact, e.Survey)
	case Erased:
		s.Profile, s.Erased = Profile{}, true
	}
	return s
}

// DecideTag adds and removes tags; a tag in both is added.
func DecideTag(s State, add, remove []string) ([]Event, *domain.Refusal) {
	if r := s.closed(); r != nil {
		return nil, r
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
	if r := s.closed(); r != nil {
		return nil, r
	}
	if strings.TrimSpace(string(text)) == "" || !domain.Fits(text, MaxAnnotation) {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"text"}, Detail: "An annotation is text of up to 10,000 bytes."}
	}
	return []Event{Annotated{Annotation: "a" + strconv.Itoa(s.Annotations+1), Text: text}}, nil
}

// DecideBlock keeps the contact's messages from opening a conversation; again is nothing.
func DecideBlock(s State, reason domain.Personal) ([]Event, *domain.Refusal) {
	if r := s.closed(); r != nil {
		return nil, r
	}
	switch {
	case s.Blocked:
		return nil, nil
	case !domain.Fits(reason, MaxReason):
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"reason"}, Detail: "A reason is text of up to 500 bytes."}
	}
	return []Event{Blocked{Reason: reason}}, nil
}

// DecideBlockNetwork blocks the contact and the network address that it wrote from; again is nothing.
func DecideBlockNetwork(s State, n NetworkBlocked, reason domain.Personal) ([]Event, *domain.Refusal) {
	events, r := DecideBlock(s, reason)
	if r != nil || slices.Contains(s.Networks, n) {
		return events, r
	}
	if len(s.Networks) >= MaxNetworks {
		return nil, &domain.Refusal{Code: CodeTooManyNetworks, Detail: "At most 20 network addresses are blocked on account of one contact: unblock it first."}
	}
	return append(events, n), nil
}

// DecideUnblock ends that, and the blocking of network addresses.
func DecideUnblock(s State) ([]Event, *domain.Refusal) {
	if r := s.closed(); r != nil {
		return nil, r
	}
	var events []Event
	if s.Blocked {
		events = append(events, Unblocked{})
	}
	for _, n := range s.Networks {
		events = append(events, NetworkUnblocked{Network: n.Network})
	}
	return events, nil
}

// DecideAssign gives the contact to an active operator of the image, or to nobody when operator is empty; again is nothing.
func DecideAssign(s State, operator string, img *setting.Image) ([]Event, *domain.Refusal) {
	if r := s.closed(); r != nil {
		return nil, r
	}
	switch {
	case operator == s.Assignee:
		return nil, nil
	case operator == "":
		return []Event{Unassigned{Operator: s.Assignee}}, nil
	}
	if o, ok := img.Operator(operator); !ok || !o.Active {
		code, detail := domain.CodeUnknownSetting, "There is no such operator."
		if ok {
			code, detail = domain.CodeRetired, "The operator is no longer active."
		}
		return nil, &domain.Refusal{Code: code, Missing: []string{"operator:" + operator}, OnSettings: true, Detail: detail}
	}
	return []Event{Assigned{Operator: operator}}, nil
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

// closed refuses what may not be edited any more.
func (s State) closed() *domain.Refusal {
	if s.Erased {
		return &domain.Refusal{Code: CodeErased, Detail: "The contact was erased."}
	}
	if s.Survivor != "" {
		return s.Away()
	}
	return nil
}

// Away refuses what is for the survivor, and names it.
func (s State) Away() *domain.Refusal {
	return &domain.Refusal{Code: CodeMergedAway, Missing: []string{"contact:" + s.Survivor},
		Detail: "The contact was merged into " + s.Survivor + ": that is the one to edit."}
}
