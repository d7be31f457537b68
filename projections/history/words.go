package history

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a search may ask for.
const (
	maxWords   = 16
	maxWordLen = 64 // characters of a word, or of a phrase
)

// search is a text that somebody looks for.
type search struct {
	match  string   // in the language of FTS5; empty when it holds no word
	number int64    // 0 when it is no ticket number
	words  []string // in small letters, for what is not indexed
}

// parseSearch reads what a person typed: words, "phrases" and word* for beginnings, all of which must be found. Nothing of
// it reaches FTS5 but quoted words. ErrSearch when it asks for too much.
func parseSearch(text string) (search, error) {
	var s search
	if n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(text), "#"), 10, 64); err == nil && n > 0 {
		s.number = n
	}
	var terms []string
	for i, part := range strings.Split(clean(text), `"`) {
		if i%2 == 1 {
			terms = append(terms, part) // within quotes, or behind the last one
			continue
		}
		terms = append(terms, strings.Fields(part)...)
	}
	var match []string
	for _, t := range terms {
		word := strings.TrimRight(t, "*")
		if !strings.ContainsFunc(word, worded) {
			continue
		}
		if utf8.RuneCountInString(word) > maxWordLen || len(match) == maxWords {
			return search{}, ErrSearch
		}
		s.words = append(s.words, strings.ToLower(word))
		m := `"` + word + `"`
		if word != t {
			m += " *"
		}
		match = append(match, m)
	}
	s.match = strings.Join(match, " AND ")
	return s, nil
}

// clean drops what is no text: NUL and bytes that are no UTF-8.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, " "), "\x00", " ")
}

// worded reports whether the tokenizer sees a part of a word in r.
func worded(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Co, r)
}
