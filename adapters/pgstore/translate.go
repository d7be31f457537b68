package pgstore

import (
	"strconv"
	"strings"
)

// translate puts SQL as projections write it into PostgreSQL's: ? and ?N become $N, and what CREATE TABLE and ALTER
// TABLE say of types: INTEGER is BIGINT, BLOB is BYTEA, TEXT compares bytes, WITHOUT ROWID goes. Quotes and comments stay as they are.
func translate(query string) string {
	var out strings.Builder
	out.Grow(len(query) + 32)
	highest := 0
	var said []string // the first words of the statement
	for i := 0; i < len(query); {
		end := token(query, i)
		t := query[i:end]
		i = end
		switch c := t[0]; {
		case c == '?':
			n := highest + 1
			if len(t) > 1 {
				n, _ = strconv.Atoi(t[1:])
			}
			highest = max(highest, n)
			out.WriteString("$" + strconv.Itoa(n))
		case c == ';':
			said = said[:0]
			out.WriteByte(c)
		case letter(c):
			if len(said) < 2 {
				said = append(said, strings.ToUpper(t))
			}
			if len(said) == 2 && (said[0] == "CREATE" || said[0] == "ALTER") && said[1] == "TABLE" {
				t = declared(t)
			}
			out.WriteString(t)
		default:
			out.WriteString(t)
		}
	}
	return out.String()
}

// declared is a word of a table's declaration.
func declared(word string) string {
	switch word {
	case "INTEGER":
		return "BIGINT"
	case "BLOB":
		return "BYTEA"
	case "TEXT":
		return `TEXT COLLATE "C"`
	case "WITHOUT", "ROWID":
		return ""
	}
	return word
}

// token is the end of the token that begins at i: a text or a name in quotes, a comment, a parameter, a word, or one byte.
func token(s string, i int) int {
	until := func(end string, from int) int {
		if n := strings.Index(s[from:], end); n >= 0 {
			return from + n + len(end)
		}
		return len(s)
	}
	switch c := s[i]; {
	case c == '\'' || c == '"':
		return until(string(c), i+1) // a doubled quote is two texts to us, which changes nothing
	case strings.HasPrefix(s[i:], "--"):
		return until("\n", i)
	case strings.HasPrefix(s[i:], "/*"):
		return until("*/", i+2)
	case c == '?':
		for i++; i < len(s) && digit(s[i]); i++ {
		}
		return i
	case letter(c):
		for i++; i < len(s) && (letter(s[i]) || digit(s[i])); i++ {
		}
		return i
	}
	return i + 1
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

func digit(c byte) bool { return c >= '0' && c <= '9' }
