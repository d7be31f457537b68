package domain

import (
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
