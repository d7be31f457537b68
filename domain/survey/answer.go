package survey

import (
	"strings"
	"time"
	"unicode"
)

// CommentWithin is how long after a rating in the channel the next message is its comment (D18).
const CommentWithin = 10 * time.Minute

// maxAnswer is the longest text that can be an answer, in bytes: five stars in the longest form.
const maxAnswer = 64

// Answer is a judgement: a score of 1 to 5, or yes or no.
type Answer struct {
	Score     int
	Satisfied *bool
}

// Scale is the one that the answer is of.
func (a Answer) Scale() Scale {
	if a.Satisfied != nil {
		return YesNo
	}
	return Stars
}

// Read says what a text in the channel answers on a scale; false when it is anything else than an answer and nothing
// besides. A score is a digit of 1 to 5, also as a keycap or as "4/5", or as many stars; yes and no are the words in Spanish, English and
// Portuguese, their initials, or a thumb.
func Read(scale Scale, text string) (Answer, bool) {
	if len(text) > maxAnswer {
		return Answer{}, false
	}
	said := bare(text)
	switch scale {
	case Stars:
		if n := score(said); n > 0 {
			return Answer{Score: n}, true
		}
	case YesNo:
		if yes, ok := words[said]; ok {
			return Answer{Satisfied: &yes}, true
		}
	}
	return Answer{}, false
}

var words = map[string]bool{
	"si": true, "s": true, "yes": true, "y": true, "sim": true, "👍": true,
	"no": false, "n": false, "nao": false, "👎": false,
}

// bare is the text in small letters, without accents, spaces and marks around it, and without what only changes the look
// of a sign.
func bare(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == 'í' || r == 'ì':
			return 'i'
		case r == 'ã' || r == 'â':
			return 'a'
		case r == '\ufe0f', r == '\u20e3', r == '\u0301', r == '\u0303', r >= 0x1f3fb && r <= 0x1f3ff:
			return -1
		}
		return r
	}, strings.ToLower(text))
	return strings.TrimFunc(plain, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(".,!¡", r) })
}

func score(said string) int {
	said = strings.TrimSuffix(said, "/5")
	if len(said) == 1 && said[0] >= '1' && said[0] <= '5' {
		return int(said[0] - '0')
	}
	stars := 0
	for _, r := range said {
		if r != '⭐' && r != '★' && r != '🌟' {
			return 0
		}
		stars++
	}
	if stars > 5 {
		return 0
	}
	return stars
}
