// Package pgstore keeps views in PostgreSQL, for projectors and engines that don't share a disk: a schema per projection and
// version, one writer for each, any number of readers, on any number of machines.
//
// Projections and queries say their SQL once, with ? for parameters and in SQLite's names of types; the connections of this
// package put it into PostgreSQL's words.
package pgstore
