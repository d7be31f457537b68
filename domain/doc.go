// Package domain holds the words that every part of Turno shares: the commit, its place in the log, who acted, what is
// personal, and the refusal.
//
// Everything below domain/ is arithmetic: it imports the standard library alone, never a clock, randomness, the network,
// a file or a logger. Time, ids, actors and settings arrive as arguments.
package domain
