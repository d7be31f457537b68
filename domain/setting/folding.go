package setting

import (
	"strings"
	"unicode"
)

// Folded is a text as it is compared with another one: lower case, without the accents of Latin letters, single spaces, and plain digits.
func Folded(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range strings.ToLower(s) {
		switch {
		case r < 0x80 && r > ' ':
			b.WriteByte(byte(r))
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || r == 0x200d: // accents apart, keycaps, joiners
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case r >= '０' && r <= '９': // full width
			b.WriteRune(r - '０' + '0')
		default:
			if bare, ok := bare[r]; ok {
				r = bare
			}
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// plain is a Folded text without the signs at either end.
func plain(s string) string {
	return strings.TrimFunc(Folded(s), sign)
}

// FoldedWords are the words of a Folded text with one space around each: what lies between signs and spaces.
func FoldedWords(s string) string {
	words := strings.FieldsFunc(Folded(s), sign)
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, " ") + " "
}

func sign(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// bare are lower-case Latin letters with an accent, and each without it.
var bare = func() map[rune]rune {
	all := map[rune]rune{}
	for letter, accented := range map[rune]string{
		'a': "áàâãäåāăą", 'c': "çćčĉċ", 'd': "ďđ", 'e': "éèêëēĕėęě", 'g': "ğĝġģ", 'h': "ĥħ", 'i': "íìîïĩīĭįı", 'j': "ĵ", 'k': "ķ", 'l': "łĺľļ",
		'n': "ñńňņ", 'o': "óòôõöøōŏő", 'r': "řŕŗ", 's': "śšşșŝ", 't': "ťţț", 'u': "úùûüũūŭůűų", 'w': "ŵ", 'y': "ýÿŷ", 'z': "źżž",
	} {
		for _, r := range accented {
			all[r] = letter
		}
	}
	return all
}()
