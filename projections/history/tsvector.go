package history

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/turno-desk/turno/projections"
)

// tsvector is the index of words in PostgreSQL. Texts are cut into words here, by the rule of FTS5's unicode61, so that both
// stores find the same: PostgreSQL's own parsers know web addresses and hyphens, and fold no accents.
type tsvector struct{}

const (
	// longestWord is after how many characters a word is cut: one more than a search may ask for.
	longestWord = maxWordLen + 1
	// lastPlace is the last place in a text that PostgreSQL tells apart. Words behind it are found, phrases are not.
	lastPlace = 16383
)

func (tsvector) schema() string {
	return `
CREATE TABLE IF NOT EXISTS texts (
	at INTEGER PRIMARY KEY,
	words tsvector NOT NULL
);
CREATE INDEX IF NOT EXISTS texts_words ON texts USING gin (words);
`
}

func (tsvector) add(ctx context.Context, tx *sql.Tx, words []said) error {
	rows := projections.NewBulk("INSERT INTO texts", "at", "words")
	var v strings.Builder
	for _, w := range words {
		v.Reset()
		for i, lexeme := range lexemes(w.text) {
			v.WriteString("'" + lexeme + "':" + strconv.Itoa(min(i+1, lastPlace)) + " ")
		}
		rows.Add(w.at, v.String())
	}
	return rows.Flush(ctx, tx)
}

func (tsvector) remove(ctx context.Context, tx *sql.Tx, words said) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM texts WHERE at = ?`, words.at)
	return err
}

// purge leaves a mark for the store's Scrub: a GIN index keeps every word that was in it once, until it is written anew. The
// mark is another one each time.
func (tsvector) purge(ctx context.Context, tx *sql.Tx) error {
	var now string
	if err := tx.QueryRowContext(ctx, `SELECT CAST(pg_current_xact_id() AS TEXT)`).Scan(&now); err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `COMMENT ON TABLE texts IS 'words were taken out in transaction `+now+`'`); err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	return nil
}

func (tsvector) key() string   { return "t.at" }
func (tsvector) holds() string { return "t.words @@ CAST(? AS tsquery)" }

func (tsvector) query(terms []term) string {
	var all []string
	for _, t := range terms {
		words := lexemes(t.text)
		if len(words) == 0 {
			continue
		}
		for i := range words {
			words[i] = "'" + words[i] + "'"
		}
		if t.begins {
			words[len(words)-1] += ":*"
		}
		all = append(all, "("+strings.Join(words, " <-> ")+")")
	}
	return strings.Join(all, " & ")
}

// lexemes are the words of a text: letters and digits in a row, in small letters, without the marks on them. None holds
// anything that PostgreSQL's language of vectors or queries has a meaning for.
func lexemes(text string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = word[:0]
		}
	}
	for _, r := range norm.NFD.String(text) {
		switch {
		case worded(r):
			if len(word) < longestWord {
				word = append(word, unicode.ToLower(r))
			}
		case !unicode.Is(unicode.Mn, r):
			end()
		}
	}
	end()
	return words
}
