package domain

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fits reports whether s is text of at most max bytes: valid UTF-8 with no control characters but tab and line feed.
func Fits(s Personal, max int) bool {
	return len(s) <= max && utf8.ValidString(string(s)) && !strings.ContainsFunc(string(s), func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
}

// Variables are the names of the variables in a text, in order, also of those that there are none of.
func Variables(text string) []string {
	var all []string
	_, _ = Fill(text, func(name string) string { all = append(all, name); return "" })
	return all
}

// Fill puts values in the place of the variables. One without a value stays as it was written, and is named in open, once.
func Fill(text string, value func(name string) string) (filled string, open []string) {
	var b strings.Builder
	for {
		before, rest, begun := strings.Cut(text, "{{")
		name, after, ended := strings.Cut(rest, "}}")
		if !begun || !ended {
			b.WriteString(text)
			return b.String(), open
		}
		b.WriteString(before)
		written := name
		name = strings.TrimSpace(name)
		if v := value(name); v != "" {
			b.WriteString(v)
		} else {
			b.WriteString("{{" + written + "}}")
			if !slices.Contains(open, name) {
				open = append(open, name)
			}
		}
		text = after
	}
}
