package domain

import "strings"

// MaxAggregateID is the longest workspace or id of an aggregate, in bytes.
const MaxAggregateID = 128

// Valid reports whether the aggregate may be a subject of the log: its workspace and its id are tokens of a–z, 0–9, '-' and
// '_' with dots between them, at most MaxAggregateID bytes each, and a workspace is one token. The workspace of the log's
// own commits is "_".
func (a Aggregate) Valid() bool {
	return a.Category != "" && tokens(a.Workspace) && tokens(string(a.Category)) && tokens(a.ID) &&
		!strings.Contains(a.Workspace, ".") && !strings.Contains(string(a.Category), ".")
}

func tokens(s string) bool {
	if s == "" || len(s) > MaxAggregateID || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
