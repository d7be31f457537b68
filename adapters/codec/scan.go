package codec

import (
	"encoding/json"
	"errors"
	"fmt"
)

// scanner walks over the JSON of a batch. It finds names, texts and the extent of values and leaves it to encoding/json to
// judge what is inside of these; reading the envelope with that takes ten times as long.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("at byte %d: "+format, append([]any{s.i}, args...)...)
}

// peek passes over white space and returns the byte behind it, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// next passes over c, if it is what comes next.
func (s *scanner) next(c byte) bool {
	if s.peek() != c || s.i == len(s.b) {
		return false
	}
	s.i++
	return true
}

// end reports whether only white space is left.
func (s *scanner) end() bool {
	s.peek()
	return s.i == len(s.b)
}

// text reads a string. What it returns may be a part of the message.
func (s *scanner) text() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.errorf("want a string")
	}
	start := s.i
	plain, err := s.quoted()
	if err != nil {
		return nil, err
	}
	if plain {
		return s.b[start+1 : s.i-1], nil
	}
	var t string
	if err := json.Unmarshal(s.b[start:s.i], &t); err != nil {
		return nil, err
	}
	return []byte(t), nil
}

// ordinary are the bytes that stand for themselves in a JSON string: ASCII but controls, quotes and backslashes.
var ordinary = func() (t [256]bool) {
	for c := ' '; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// quoted passes over a string and reports whether all in it is ordinary.
func (s *scanner) quoted() (plain bool, err error) {
	plain = true
	b, i := s.b, s.i+1
	for ; i < len(b); i++ {
		if ordinary[b[i]] {
			continue
		}
		switch c := b[i]; {
		case c == '"':
			s.i = i + 1
			return plain, nil
		case c == '\\':
			i++ // whatever is escaped, it does not end the string
		case c < ' ':
			s.i = i
			return false, s.errorf("a control character in a string")
		}
		plain = false
	}
	return false, errors.New("the string has no end")
}

// truth reads true or false.
func (s *scanner) truth() (bool, error) {
	v, err := s.value()
	if err != nil {
		return false, err
	}
	switch string(v) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, s.errorf("want true or false")
}

// pass passes over a value of any kind.
func (s *scanner) pass() error {
	v, err := s.value()
	if err != nil {
		return err
	}
	if !json.Valid(v) {
		return s.errorf("malformed value")
	}
	return nil
}

// value returns the extent of the next value, without judging what is inside of it.
func (s *scanner) value() ([]byte, error) {
	s.peek()
	start, depth := s.i, 0
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case '"':
			if _, err := s.quoted(); err != nil {
				return nil, err
			}
			if depth == 0 {
				return s.b[start:s.i], nil
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.bare(start)
			}
			if depth--; depth == 0 {
				s.i++
				return s.b[start:s.i], nil
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return s.bare(start)
			}
		}
		s.i++
	}
	return nil, errors.New("the value has no end")
}

// bare ends a number or a word.
func (s *scanner) bare(start int) ([]byte, error) {
	if s.i == start {
		return nil, s.errorf("want a value")
	}
	return s.b[start:s.i], nil
}
