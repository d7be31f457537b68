package workflow

import (
	"slices"
	"strconv"

	"github.com/turno-desk/turno/domain/setting"
)

// Truth is the answer to a condition. Where a subject does not know a field it may be Unknown.
type Truth int

// The answers.
const (
	No Truth = iota
	Unknown
	Yes
)

// Subject is what conditions are asked of: the values of fields. A field that is not in it is unknown; one that has no value
// is there, and empty.
type Subject map[string][]string

// Holds reports whether all conditions hold. A group's answer is No or Yes as soon as what is known decides it.
func Holds(conditions []setting.Condition, s Subject) Truth {
	truth := Yes
	for _, c := range conditions {
		truth = min(truth, holds(c, s))
	}
	return truth
}

func holds(c setting.Condition, s Subject) Truth {
	if len(c.Any) > 0 {
		truth := No
		for _, inner := range c.Any {
			truth = max(truth, holds(inner, s))
		}
		return truth
	}
	if c.Field == "" {
		return Holds(c.All, s)
	}
	values, known := s[c.Field]
	if !known {
		return Unknown
	}
	return truthOf(test(c, values))
}

func test(c setting.Condition, values []string) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
	}
	switch {
	case len(c.Is) > 0:
		return in(c.Is)
	case len(c.IsNot) > 0:
		return !in(c.IsNot)
	case c.Set != nil:
		return *c.Set == (len(values) > 0)
	}
	for _, v := range values {
		if n, err := strconv.Atoi(v); err == nil {
			return n >= c.AtLeast && (c.AtMost == 0 || n <= c.AtMost)
		}
	}
	return false
}

func truthOf(is bool) Truth {
	if is {
		return Yes
	}
	return No
}

// MentionsContact reports whether a condition asks about the contact.
func MentionsContact(conditions []setting.Condition) bool {
	return slices.ContainsFunc(conditions, func(c setting.Condition) bool {
		switch c.Field {
		case setting.CondContactKnown, setting.CondContactBlocked, setting.CondContactTags, setting.CondContactOwner:
			return true
		}
		return MentionsContact(c.All) || MentionsContact(c.Any)
	})
}

// Only is the values of a field that has at most one: none when v is empty.
func Only(v string) []string {
	if v == "" {
		return []string{}
	}
	return []string{v}
}

// YesNo is the value of a field that is either.
func YesNo(is bool) []string {
	if is {
		return []string{"yes"}
	}
	return []string{"no"}
}
