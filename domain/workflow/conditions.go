package workflow

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
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
	switch {
	case len(c.Any) > 0:
		return some(c.Any, s)
	case len(c.None) > 0:
		return Yes - some(c.None, s)
	case c.Field == "":
		return Holds(c.All, s)
	}
	values, known := s[c.Field]
	if !known {
		return Unknown
	}
	return truthOf(test(c, values))
}

func some(conditions []setting.Condition, s Subject) Truth {
	truth := No
	for _, c := range conditions {
		truth = max(truth, holds(c, s))
	}
	return truth
}

func test(c setting.Condition, values []string) bool {
	like := func(v string) string { return v }
	if c.Personal() {
		like = folded
	}
	in := func(list []string, is func(v, wanted string) bool) bool {
		for _, v := range values {
			v = like(v)
			if slices.ContainsFunc(list, func(wanted string) bool { return is(v, like(wanted)) }) {
				return true
			}
		}
		return false
	}
	equal := func(v, wanted string) bool { return v == wanted }
	switch {
	case len(c.Is) > 0:
		return in(c.Is, equal)
	case len(c.IsNot) > 0:
		return !in(c.IsNot, equal)
	case c.Set != nil:
		return *c.Set == (len(values) > 0)
	case len(c.Contains) > 0:
		return in(c.Contains, strings.Contains)
	case len(c.StartsWith) > 0:
		return in(c.StartsWith, strings.HasPrefix)
	case len(c.EndsWith) > 0:
		return in(c.EndsWith, strings.HasSuffix)
	case len(c.Words) > 0:
		like = words
		return in(c.Words, strings.Contains)
	}
	for _, v := range values {
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return (c.AtLeast == nil || n >= *c.AtLeast) && (c.AtMost == nil || n <= *c.AtMost)
		}
	}
	return false
}

// MaxRead is how much of a text conditions look at, in bytes from its beginning.
const MaxRead = 8 << 10

func folded(v string) string { return setting.Folded(beginning(v)) }
func words(v string) string  { return setting.FoldedWords(beginning(v)) }

func beginning(v string) string {
	if len(v) <= MaxRead {
		return v
	}
	cut := MaxRead
	for cut > 0 && !utf8.RuneStart(v[cut]) {
		cut--
	}
	return v[:cut]
}

func truthOf(is bool) Truth {
	if is {
		return Yes
	}
	return No
}

// Asked are the fields that conditions ask about, each once.
func Asked(conditions []setting.Condition) []string {
	var all []string
	for _, c := range conditions {
		asked := Asked(slices.Concat(c.All, c.Any, c.None))
		if c.Field != "" {
			asked = append(asked, c.Field)
		}
		for _, f := range asked {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// AskedOf are those of them that begin with a prefix, without it.
func AskedOf(conditions []setting.Condition, prefix string) []string {
	var all []string
	for _, f := range Asked(conditions) {
		if name, of := strings.CutPrefix(f, prefix); of {
			all = append(all, name)
		}
	}
	return all
}

// Personal reports whether conditions ask about what is sealed in the log.
func Personal(conditions []setting.Condition) bool {
	return slices.ContainsFunc(Asked(conditions), func(f string) bool { return setting.Condition{Field: f}.Personal() })
}

// Only is the values of a field that has at most one: none when v is empty.
func Only(v string) []string {
	if v == "" {
		return []string{}
	}
	return []string{v}
}

// Text is the values of a field that a person wrote: none of what was erased.
func Text(v domain.Personal) []string {
	if v == domain.Erased {
		return []string{}
	}
	return Only(string(v))
}

// YesNo is the value of a field that is either.
func YesNo(is bool) []string {
	if is {
		return []string{"yes"}
	}
	return []string{"no"}
}
