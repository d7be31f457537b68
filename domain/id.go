package domain

// MaxID is the longest id, in bytes.
const MaxID = 64

// ValidID reports whether s may be an id: 1 to MaxID bytes of a–z, 0–9, '-' and '_', starting with a letter or a digit.
// The ids of operators, departments, channels and tags are chosen by people and follow it, as do those that Turno makes:
// an id is a token of a subject, a path segment and a file name.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > MaxID || s[0] == '-' || s[0] == '_' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
