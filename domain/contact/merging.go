package contact

import (
	"maps"
	"slices"

	"github.com/turno-desk/turno/domain"
)

// The refusals of merges.
const (
	CodeMergedAway domain.Code = "merged_away" // Missing names the survivor
	CodeSurvivor   domain.Code = "survivor"    // others are merged into it: it can't be merged away
	CodeWithdrawn  domain.Code = "merge_withdrawn"
	CodeTooMany    domain.Code = "too_many_merges"
)

// MaxMerged is how many contacts can be merged into one at a time.
const MaxMerged = 50

// Merge is what a survivor knows of the newest merge of a contact into it.
type Merge struct {
	Number int
	Held   bool // it is confirmed and not undone
	Undone bool // it was held once
}

// Held reports whether this contact holds the merge, which is of the contact's that number.
func (s State) Held(contact string, merge int) bool {
	return s.Holds[contact] == Merge{Number: merge, Held: true}
}

// hold notes a merge; the maps and slices of the state before stay as they were.
func (s *State) hold(contact string, m Merge) {
	holds := maps.Clone(s.Holds)
	if holds == nil {
		holds = map[string]Merge{}
	}
	holds[contact] = m
	s.Holds = holds
	s.Order = slices.DeleteFunc(slices.Clone(s.Order), func(c string) bool { return c == contact })
	if m.Held {
		s.Order = append(s.Order, contact)
	}
}

// A merge touches two contacts, and a command one: the contact that goes offers itself (DecideOffer), and the survivor
// confirms (DecideMerge). Offers of a contact are numbered, and a survivor that has undone a number, or said that it never
// will confirm it (DecideUnmerge), never does: only then may the other one stand for itself again (DecideSeparate). So a
// command that comes late finds that out at the survivor, whatever the other one is doing meanwhile, and the survivor's log
// alone says who is part of whom. Groups have one level: who holds others can't offer itself, and who offered itself holds
// nobody, so there are neither chains nor circles.

// DecideOffer keeps the contact from being edited until the survivor has confirmed and undone the merge; again is nothing.
func DecideOffer(s State, survivor string) ([]Event, *domain.Refusal) {
	switch {
	case !s.Erased && s.Survivor == survivor:
		return nil, nil
	case s.closed() != nil:
		return nil, s.closed()
	case len(s.Order) > 0:
		return nil, &domain.Refusal{Code: CodeSurvivor,
			Detail: "Others are merged into this contact: merge the other way round, or undo those first."}
	}
	return []Event{MergeOffered{Survivor: survivor, Merge: s.Merges + 1}}, nil
}

// DecideMerge confirms the offer that the other contact's state names; again is nothing.
func DecideMerge(s State, contact string, other State) ([]Event, *domain.Refusal) {
	known := s.Holds[contact]
	switch {
	case s.Held(contact, other.Merges):
		return nil, nil
	case known.Number >= other.Merges:
		return nil, &domain.Refusal{Code: CodeWithdrawn, Detail: "The merge was undone meanwhile."}
	case s.closed() != nil:
		return nil, s.closed()
	case len(s.Order) >= MaxMerged:
		return nil, &domain.Refusal{Code: CodeTooMany, Detail: "At most 50 contacts can be merged into one."}
	}
	return []Event{Merged{Contact: contact, Merge: other.Merges, Conflicts: Conflicts(s, other), Asked: other.AskedOf(contact)}}, nil
}

// DecideUnmerge ends the merge of that number, or keeps an offer from ever being confirmed; again is nothing.
func DecideUnmerge(s State, contact string, merge int) ([]Event, *domain.Refusal) {
	known := s.Holds[contact]
	switch {
	case known.Number > merge || known.Number == merge && !known.Held:
		return nil, nil
	case known.Held && s.Erased:
		return nil, s.closed()
	}
	return []Event{Unmerged{Contact: contact, Merge: merge}}, nil
}

// DecideSeparate lets the contact stand for itself again after its survivor's DecideUnmerge; again is nothing. What was asked
// is the survivor's to say when it held this contact, and else as it was.
func DecideSeparate(s State, self, survivor string, merge int, holder State) []Event {
	if survivor == "" || s.Survivor != survivor || s.Merges != merge {
		return nil
	}
	asked := s.AskedOf(self)
	if (holder.Holds[self] == Merge{Number: merge, Undone: true}) {
		asked = holder.AskedOf(self)
	}
	return []Event{Separated{Survivor: survivor, Merge: merge, Asked: asked, Whole: true}}
}

// Conflicts are the fields in which the other has a value that the survivor's hides, in the order of a form. A line or field
// that the survivor leaves empty shows the other's; the assignee and the block are always the survivor's own.
func Conflicts(s, other State) []string {
	var all []string
	for _, name := range Lines() {
		if mine, theirs := *s.Profile.Line(name), *other.Profile.Line(name); mine != "" && theirs != "" && mine != theirs {
			all = append(all, name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Profile.Fields)) {
		if theirs := other.Profile.Fields[id]; theirs != "" && theirs != s.Profile.Fields[id] {
			all = append(all, "fields."+id)
		}
	}
	if other.Assignee != "" && s.Assignee != other.Assignee {
		all = append(all, "assignee")
	}
	if s.Blocked != other.Blocked {
		all = append(all, "blocked")
	}
	return all
}

// Together is a survivor with a contact that it holds, as the two are shown: the survivor's values, the other's where it has none, and
// the tags of both.
func Together(survivor, s State) State {
	survivor.Tags = slices.Concat(survivor.Tags, s.Tags)
	survivor.Known = survivor.Known || s.Known
	fields := maps.Clone(s.Profile.Fields)
	if fields == nil {
		fields = map[string]domain.Personal{}
	}
	for id, v := range survivor.Profile.Fields {
		if v != "" {
			fields[id] = v
		}
	}
	survivor.Profile.Fields = fields
	for _, line := range Lines() {
		if mine := survivor.Profile.Line(line); *mine == "" {
			*mine = *s.Profile.Line(line)
		}
	}
	return survivor
}
