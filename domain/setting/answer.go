package setting

import (
	"slices"
	"strconv"
	"strings"
)

// personWords ask for a person, in plain form: Spanish, English, Portuguese.
var personWords = []string{
	"agente", "asesor", "asesora", "ejecutivo", "ejecutiva", "operador", "operadora", "persona", "humano", "humana",
	"agent", "human", "operator", "person", "representative",
	"atendente", "pessoa",
}

// maxAsking is how many words a text may have in which one of personWords asks for a person: longer ones tell a story in
// which the word may mean anything.
const maxAsking = 6

// AsksForPerson reports whether a text asks for a person: it is a word or a phrase that means one, or a short sentence with
// such a word in it.
func AsksForPerson(text string, more []string) bool {
	said := plain(text)
	if said == "" {
		return false
	}
	for _, w := range more {
		if said == plain(w) {
			return true
		}
	}
	words := strings.Fields(said)
	return len(words) <= maxAsking && slices.ContainsFunc(words, func(w string) bool { return slices.Contains(personWords, w) })
}

// ReadAnswer finds the choice that an answer means: the one whose button was pressed, or that the text names by its number
// or its title. Case, accents, signs around it and the look of a digit don't matter. Whoever asks for a person means the
// choice of a person, in whatever words. A button of another node means nothing.
func ReadAnswer(text, button string, choices []Choice, words []string) (Choice, bool) {
	for _, c := range choices {
		if button != "" && c.ID == button {
			return c, true
		}
	}
	said := plain(text)
	if button != "" || said == "" {
		return Choice{}, false
	}
	for i, c := range choices {
		if said == plain(c.Title) || said == NumberOf(c.ID, i) {
			return c, true
		}
	}
	if AsksForPerson(text, words) {
		for _, c := range choices {
			if c.ID == PersonChoice {
				return c, true
			}
		}
	}
	return Choice{}, false
}

// NumberOf is the number by which the i-th choice of a node is named: 1, 2, 3 …, and 0 for the person.
func NumberOf(id string, i int) string {
	if id == PersonChoice {
		return "0"
	}
	return strconv.Itoa(i + 1)
}

// number reports whether a plain text is one.
func number(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
