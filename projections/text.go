package projections

import (
	"strings"
	"unicode/utf8"
)

// PlainText is s as every store of views can hold it: U+0000, which PostgreSQL has no place for, and bytes that are no UTF-8
// become U+FFFD. Digests take every text so, whatever its store could have kept.
func PlainText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
