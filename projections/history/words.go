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
	terms  []term
	number int64    // 0 when it is no ticket number
	words  []string // in small letters, for what is not indexed
}

// term is what a text must hold: words that follow each other. Quotes are not among its characters.
type term struct {
	text   string
	begins bool // the last word is the beginning of one
}

// parseSearch reads what a person typed: words, "phrases" and word* for beginnings, all of which must be found. ErrSearch
// when it asks for too much.
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
	for _, t := range terms {
		word := strings.TrimRight(t, "*")
		if !strings.ContainsFunc(word, worded) {
			continue
		}
		if utf8.RuneCountInString(word) > maxWordLen || len(s.terms) == maxWords {
			return search{}, ErrSearch
		}
		s.words = append(s.words, strings.ToLower(word))
		s.terms = append(s.terms, term{text: word, begins: word != t})
	}
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
