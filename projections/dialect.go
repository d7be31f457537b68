package projections

// Dialect is the SQL of a store, for the little that can't be said to all of them in the same words: full-text search. All
// other SQL is portable: ? or ?N for parameters, SQLite's names of types, INSERT … ON CONFLICT, CASE.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota
	PostgreSQL
)
