package directory

import (
	"strings"
	"unicode"
)

// accents are the Latin letters that are looked for without their marks.
var accents = strings.NewReplacer(
	"á", "a", "à", "a", "â", "a", "ä", "a", "ã", "a", "å", "a", "é", "e", "è", "e", "ê", "e", "ë", "e",
	"í", "i", "ì", "i", "î", "i", "ï", "i", "ó", "o", "ò", "o", "ô", "o", "ö", "o", "õ", "o", "ø", "o",
	"ú", "u", "ù", "u", "û", "u", "ü", "u", "ý", "y", "ÿ", "y", "ñ", "n", "ç", "c", "ß", "ss", "œ", "oe", "æ", "ae",
)

// fold makes a text ready for comparing: small letters, no accents, and none of the marks that people add to a decomposed
// letter.
func fold(s string) string {
	s = accents.Replace(strings.ToLower(s))
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
}

// words are the parts of a search, each as a pattern for LIKE … ESCAPE '\'.
func words(q string) []string {
	var all []string
	for _, w := range strings.Fields(fold(q)) {
		all = append(all, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(w)+"%")
	}
	return all
}
